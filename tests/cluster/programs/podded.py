"""Tasks that become pods."""

import os
import signal
import time

from flytekit import Resources, task, workflow


@task
def double(text: str) -> str:
    print("doubling", text)
    return text * 2


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def chain(text: str) -> str:
    return shout(text=double(text=text))


@task
def raises(text: str) -> str:
    if text:
        raise ValueError(f"not {text}")
    return text


@task(limits=Resources(mem="120Mi"))
def outgrows(text: str) -> str:
    held = []
    while text:
        held.append(bytearray(os.urandom(1 << 16)) * 160)
    return text


@task(limits=Resources(mem="90000Gi"))
def too_large(text: str) -> str:
    return text


@task(container_image="no-such-image:at-all")
def without_image(text: str) -> str:
    return text


@task
def waits(text: str) -> str:
    print("waiting", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: exit(0))
    while not os.path.exists(text):
        time.sleep(0.1)
    return text
