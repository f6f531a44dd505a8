"""Tasks that fail, hang, grow and wait, each in its own way."""

import os
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from distributed import Client
from flytekit import ContainerTask, Resources, task, workflow
from flytekit.exceptions.user import FlyteRecoverableException
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup


@task(retries=2)
def flaky() -> int:
    attempt = int(os.environ["FLYTE_ATTEMPT_NUMBER"])
    if attempt < 2:
        raise FlyteRecoverableException(f"not yet, this is attempt {attempt}")
    return attempt


@workflow
def third_time_lucky() -> int:
    return flaky()


@task(retries=1)
def never() -> int:
    raise FlyteRecoverableException("not now, not ever")
    return 0


@workflow
def exhausted() -> int:
    return never()


@task(timeout=timedelta(seconds=1))
def hang() -> int:
    time.sleep(300)
    return 0


@workflow
def timed_out() -> int:
    return hang()


@task(limits=Resources(mem="300Mi"))
def grow() -> int:
    held = []
    while True:
        held.append(bytearray(os.urandom(1024)) * 10_000)
    return len(held)


@workflow
def out_of_memory() -> int:
    return grow()


@task
def wait_for(folder: str) -> int:
    there = Path(folder)
    (there / "started").touch()
    while not (there / "go").exists():
        time.sleep(0.05)
    return 42


@workflow
def waits(folder: str) -> int:
    return wait_for(folder=folder)


@task(
    task_config=Dask(
        scheduler=Scheduler(requests=Resources(cpu="1")),
        workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="1", mem="512Mi")),
    )
)
def wait_on_cluster(folder: str) -> int:
    there = Path(folder)
    with Client() as client:
        (there / "started").touch()
        while not (there / "go").exists():
            time.sleep(0.05)
        return client.submit(sum, [40, 2]).result()


@workflow
def waits_on_cluster(folder: str) -> int:
    return wait_on_cluster(folder=folder)


@dataclass
class Settings:
    rate: float
    names: list[str]


@task
def configure() -> Settings:
    return Settings(rate=0.5, names=["a", "b"])


@task
def mapped() -> dict[str, list[int]]:
    return {"x": [1, 2, 3]}


@task
def use(rate: float, name: str, number: int) -> str:
    return f"{rate} {name} {number}"


@workflow
def attributes() -> str:
    settings = configure()
    return use(rate=settings.rate, name=settings.names[1], number=mapped()["x"][2])


greet = ContainerTask(name="greet", image="busybox", command=["echo", "hello"])


@workflow
def commands() -> None:
    greet()


@task
def crash() -> int:
    os._exit(3)
    return 0


@workflow
def crashes() -> int:
    return crash()


@task
def leave_a_daemon(folder: str) -> int:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            (Path(folder) / "daemon").write_text(str(os.getpid()))
            time.sleep(600)
        os._exit(0)
    while not (Path(folder) / "daemon").exists():
        time.sleep(0.01)
    return int((Path(folder) / "daemon").read_text() or 0)


@workflow
def leaves_a_daemon(folder: str) -> int:
    return leave_a_daemon(folder=folder)
