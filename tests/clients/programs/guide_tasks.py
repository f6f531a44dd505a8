"""What a user guide shows of tasks: what they may ask for, kinds beside Python functions, and caching."""

import functools
import time
from datetime import timedelta
from typing import Annotated

import flytekit
import pandas as pd
from flytekit import (
    Cache,
    ContainerTask,
    Documentation,
    HashMethod,
    Resources,
    Secret,
    TaskMetadata,
    kwtypes,
    task,
    workflow,
)
from flytekit.core.node_creation import create_node
from flytekit.core.task import Echo
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.extras.accelerators import T4
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.types.file import FlyteFile


def told(function=None, *, times=1):
    """Decorate a task's function, as people do with their logging."""
    if function is None:
        return functools.partial(told, times=times)

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        for _ in range(times):
            print("called", function.__name__)
        return function(*args, **kwargs)

    return wrapper


@task(
    cache=Cache(version="1.0", serialize=True, ignored_inputs=("noise",)),
    retries=3,
    interruptible=True,
    timeout=timedelta(minutes=10),
    environment={"GREETING": "hello"},
    requests=Resources(cpu="500m", mem="300Mi", ephemeral_storage="1Gi"),
    limits=Resources(cpu="1", mem="600Mi"),
    docs=Documentation(short_description="Squares.", long_description=None),
)
def square(x: int, noise: str = "") -> int:
    """Square a number.

    :param x: what is squared
    """
    return x * x


@task(secret_requests=[Secret(group="db", key="password", mount_requirement=Secret.MountType.ENV_VAR)])
def with_secret() -> str:
    return flytekit.current_context().secrets.get("db", "password")


@task(requests=Resources(gpu="1"), accelerator=T4)
def on_gpu(x: int) -> int:
    return x


@task(pod_template_name="big", deprecated="use square", enable_deck=True, container_image="ghcr.io/example/own:v1")
def elsewhere(x: int) -> int:
    return x


@task
@told(times=2)
def decorated(x: int) -> int:
    return x + 1


def hash_frame(frame: pd.DataFrame) -> str:
    return str(pd.util.hash_pandas_object(frame).sum())


@task
def frame(count: int) -> Annotated[pd.DataFrame, HashMethod(hash_frame)]:
    return pd.DataFrame({"a": range(count)})


@task(cache=True, cache_version="1")
def longest(frame: pd.DataFrame) -> int:
    return len(frame)


@task(retries=2)
def counted(until: int) -> int:
    """Count on from where the attempt before stopped."""
    checkpoint = flytekit.current_context().checkpoint
    begun = int((checkpoint.read() or b"0").decode())
    for done in range(begun, until):
        checkpoint.write(str(done + 1).encode())
        if done + 1 == until // 2 and begun == 0:
            raise FlyteRecoverableException("stopped on the way")
    return begun


shell = ShellTask(
    name="guide_tasks.shell",
    script="sort {inputs.text} > {outputs.sorted}",
    inputs=kwtypes(text=FlyteFile),
    output_locs=[OutputLocation(var="sorted", var_type=FlyteFile, location="sorted.txt")],
)

container = ContainerTask(
    name="guide_tasks.container",
    image="alpine:3.20",
    input_data_dir="/in",
    output_data_dir="/out",
    inputs=kwtypes(x=int),
    outputs=kwtypes(y=int),
    command=["sh", "-c", "expr {{.inputs.x}} + 1 > /out/y"],
    metadata=TaskMetadata(retries=1, timeout=timedelta(seconds=30)),
    resources=Resources(cpu="1"),
)

echo = Echo(name="guide_tasks.echo", inputs=kwtypes(text=str))


@task
def write(lines: list[str]) -> FlyteFile:
    path = flytekit.current_context().working_directory + "/lines.txt"
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return FlyteFile(path)


@task
def read(file: FlyteFile) -> str:
    with open(file) as opened:
        return opened.read()


@task
def early() -> None: ...


@task
def late() -> float:
    return time.monotonic() * 0


@workflow
def asking(x: int = 3) -> tuple[int, str, int]:
    return square(x=x, noise="n"), with_secret(), decorated(x=x)


@workflow
def special(x: int) -> tuple[int, int]:
    return on_gpu(x=x), elsewhere(x=x)


@workflow
def hashed(count: int) -> int:
    return longest(frame=frame(count=count))


@workflow
def checkpointed(until: int = 4) -> int:
    return counted(until=until)


@workflow
def shelled(lines: list[str]) -> str:
    return read(file=shell(text=write(lines=lines)))


@workflow
def contained(x: int) -> int:
    return container(x=x)


@workflow
def echoed(text: str) -> str:
    return echo(text=text)


@workflow
def ordered() -> float:
    first = create_node(early)
    second = create_node(early)
    last = create_node(late)
    first >> second
    second >> last
    return last.o0
