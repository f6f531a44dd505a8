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


@task(limits=Resources(ephemeral_storage="20Mi"))
def overflows(text: str) -> str:
    """Write more than its node may hold of it the first time, and nothing the next."""
    if not os.path.exists(text):
        with open(text, "w"), open("overflow", "wb") as file:
            file.write(os.urandom(100 << 20))
        while True:
            time.sleep(0.1)
    return "second"


@task(retries=2)
def recovers(text: str) -> str:
    """Fail twice in a way that may pass."""
    from flytekit.exceptions.user import FlyteRecoverableException

    with open(text, "a") as file:
        file.write("x")
    if os.path.getsize(text) < 3:
        raise FlyteRecoverableException("not yet")
    return "third"
