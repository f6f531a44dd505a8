"""Tasks that need more than they ask for, and nodes that ask for more than their tasks."""

import os
import time

from flytekit import Resources, task, workflow


@task(limits=Resources(mem="250Mi"), retries=2)
def hold(mebibytes: int) -> int:
    held = bytearray(os.urandom(1024)) * 1024 * mebibytes
    time.sleep(2)  # what is held for a blink alone is over before anybody looks
    return len(held) >> 20


@workflow
def grows_into_it() -> int:
    return hold(mebibytes=350)


@workflow
def node_asks_for_more() -> int:
    return hold(mebibytes=350).with_overrides(limits=Resources(mem="900Mi"))
