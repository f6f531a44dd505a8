"""Every kind of task that is a process: Python functions whatever finds them, commands, queries, containers."""

import asyncio
import datetime
import functools
import os
import sys
import time

import flytekit
import pandas as pd
from flytekit import ContainerTask, Resources, kwtypes, map_task, reference_task, task, workflow
from flytekit.core.class_based_resolver import ClassStorageTaskResolver
from flytekit.core.interface import Interface
from flytekit.core.python_function_task import PythonInstanceTask
from flytekit.core.task import ReferenceTask
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.extras.cloud_pickle_resolver import experimental_cloud_pickle_resolver
from flytekit.extras.sqlite3.task import SQLite3Config, SQLite3Task
from flytekit.extras.tasks.shell import OutputLocation, ShellTask
from flytekit.types.directory import FlyteDirectory
from flytekit.types.file import FlyteFile
from flytekit.types.schema import FlyteSchema

# --- Python, whatever finds it -------------------------------------------------------------------------------------

kept = ClassStorageTaskResolver()


@task(task_resolver=kept)
def add_kept(x: int) -> int:
    return x + 1


kept.add(add_kept)


def make_adder(by: int):
    @task(task_resolver=experimental_cloud_pickle_resolver)
    def add(x: int) -> int:
        return x + by

    return add


add_ten = make_adder(10)


class Multiply(PythonInstanceTask):
    def __init__(self, name: str, by: int):
        super().__init__(name, None, interface=Interface({"x": int}, {"o0": int}))
        self.by = by

    def execute(self, x: int) -> int:
        return x * self.by


double = Multiply("trades.double", 2)


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs) + 1000

    return wrapper


@task
@logged
def decorated(x: int) -> int:
    return x


@task
async def patiently(x: int) -> int:
    return sum(await asyncio.gather(*(asyncio.sleep(0.01, x) for _ in range(3))))


@reference_task(project="flytesnacks", domain="development", name="trades.patiently", version="v1")
def referred(x: int) -> int: ...


@workflow
def found_anyhow(x: int) -> int:
    return referred(x=decorated(x=double(x=add_ten(x=add_kept(x=x)))))


@workflow
def mapped_instances(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


@workflow
def mapped_reference(xs: list[int]) -> list[int]:
    return map_task(referred)(x=xs)


# --- commands ------------------------------------------------------------------------------------------------------

count_lines = ShellTask(
    name="trades.count_lines",
    script="""
    set -e
    mkdir -p {outputs.folder}
    sort {inputs.text} > {outputs.sorted}
    wc -l < {inputs.text} > {outputs.folder}/count
    echo {inputs.word} {ctx.execution_id.name} >> {outputs.folder}/count
    """,
    inputs=kwtypes(text=FlyteFile, word=str, place=str),
    output_locs=[
        OutputLocation(var="sorted", var_type=FlyteFile, location="sorted.txt"),
        OutputLocation(var="folder", var_type=FlyteDirectory, location="{inputs.place}"),
    ],
)

fails = ShellTask(name="trades.fails", script="echo to be read by people >&2; exit 7", inputs=kwtypes())


@task
def write(lines: list[str]) -> FlyteFile:
    path = os.path.join(flytekit.current_context().working_directory, "lines.txt")
    with open(path, "w") as file:
        file.write("\n".join(lines) + "\n")
    return FlyteFile(path)


@task
def read(file: FlyteFile, folder: FlyteDirectory) -> str:
    with open(file) as first, open(os.path.join(folder, "count")) as second:
        return f"{first.read()}|{second.read()}"


@workflow
def shelled(lines: list[str]) -> str:
    text, folder = count_lines(text=write(lines=lines), word="told", place="counted")
    return read(file=text, folder=folder)


@workflow
def fails_in_shell() -> None:
    fails()


# --- queries -------------------------------------------------------------------------------------------------------


DATABASE = os.environ.get("TRADES_DATABASE", "/nowhere.db")

query = SQLite3Task(
    "trades.query",
    query_template="select id, name from tracks where id > {{.inputs.least}} order by id",
    inputs=kwtypes(least=int),
    output_schema_type=FlyteSchema[kwtypes(id=int, name=str)],
    task_config=SQLite3Config(uri=DATABASE),
)


@task
def names_of(results: FlyteSchema[kwtypes(id=int, name=str)]) -> list[str]:
    return list(results.open(pd.DataFrame).all()["name"])


@workflow
def queried(least: int) -> list[str]:
    return names_of(results=query(least=least))


# --- containers ----------------------------------------------------------------------------------------------------

add_one = ContainerTask(
    name="trades.add_one",
    image="alpine:3.20",
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    inputs=kwtypes(x=int),
    outputs=kwtypes(y=int),
    command=["sh", "-c", "expr {{.inputs.x}} + $(cat /var/inputs/x) + 1 > /var/outputs/y"],
)

one_more = ReferenceTask("flytesnacks", "development", "trades.add_one", "v1", {"x": int}, {"y": int})

everything = ContainerTask(
    name="trades.everything",
    image="alpine:3.20",
    input_data_dir="/in",
    output_data_dir="/out",
    inputs=kwtypes(
        i=int,
        f=float,
        b=bool,
        s=str,
        t=datetime.datetime,
        d=datetime.timedelta,
        file=FlyteFile,
        folder=FlyteDirectory,
        list=list[int],
        map=dict[str, int],
    ),
    outputs=kwtypes(
        i=int,
        f=float,
        b=bool,
        s=str,
        t=datetime.datetime,
        d=datetime.timedelta,
        file=FlyteFile,
        folder=FlyteDirectory,
        seen=str,
    ),
    metadata_format=ContainerTask.MetadataFormat.JSON,
    command=["sh", "-ec"],
    arguments=[
        "for name in i f b s t d; do cp /in/$name /out/$name; done;"
        "cat /in/file /in/file > /out/file; cp -r /in/folder /out/folder; ls /in > /out/folder/names;"
        "cat /in/list/1 /in/map/b > /out/seen; cat /in/inputs.json > /out/folder/inputs.json"
    ],
)


@task
def told(file: FlyteFile, folder: FlyteDirectory, i: int, f: float, b: bool, s: str, seen: str) -> list[str]:
    there = sorted(os.listdir(folder))
    with open(file) as read, open(os.path.join(folder, "names")) as names:
        return [read.read(), ",".join(there), ",".join(names.read().split()), f"{i} {f} {b} {s}", seen]


@task
def folder_of(name: str) -> FlyteDirectory:
    place = os.path.join(flytekit.current_context().working_directory, "made")
    os.makedirs(place)
    with open(os.path.join(place, name), "w") as file:
        file.write("held")
    return FlyteDirectory(place)


@workflow
def contained(x: int) -> int:
    return add_one(x=x)


@workflow
def mapped_containers(xs: list[int]) -> list[int]:
    return map_task(one_more)(x=xs)


@workflow
def contained_everything(
    t: datetime.datetime, d: datetime.timedelta, lines: list[str]
) -> tuple[list[str], datetime.datetime, datetime.timedelta]:
    made = everything(
        i=3,
        f=0.5,
        b=True,
        s="said: ü",
        t=t,
        d=d,
        file=write(lines=lines),
        folder=folder_of(name="inside"),
        list=[4, 5],
        map={"a": 6, "b": 7},
    )
    said = told(file=made.file, folder=made.folder, i=made.i, f=made.f, b=made.b, s=made.s, seen=made.seen)
    return said, made.t, made.d


formats = [
    ContainerTask(
        name=f"trades.in_{format.name.lower()}",
        image="alpine:3.20",
        input_data_dir="/in",
        output_data_dir="/out",
        inputs=kwtypes(word=str),
        outputs=kwtypes(names=str),
        metadata_format=format,
        command=["sh", "-c", "ls /in | tr '\\n' ' ' > /out/names"],
    )
    for format in ContainerTask.MetadataFormat
]
in_json, in_yaml, in_proto = formats


@workflow
def in_formats(word: str) -> tuple[str, str, str]:
    return in_json(word=word), in_yaml(word=word), in_proto(word=word)


forgets = ContainerTask(
    name="trades.forgets",
    image="alpine:3.20",
    output_data_dir="/out",
    outputs=kwtypes(never=int),
    command=["sh", "-c", "true"],
)

mistypes = ContainerTask(
    name="trades.mistypes",
    image="alpine:3.20",
    output_data_dir="/out",
    outputs=kwtypes(y=int),
    command=["sh", "-c", "echo many > /out/y"],
)

complains = ContainerTask(
    name="trades.complains",
    image="alpine:3.20",
    output_data_dir="/out",
    outputs=kwtypes(y=int),
    command=["sh", "-c", "printf 'it is all too much' > /out/_ERROR"],
)

absent = ContainerTask(name="trades.absent", image="alpine:3.20", command=["no-such-program", "--really"])


@workflow
def forgets_an_output() -> int:
    return forgets()


@workflow
def mistypes_an_output() -> int:
    return mistypes()


@workflow
def says_an_error() -> int:
    return complains()


@workflow
def asks_for_an_absent_program() -> None:
    absent()


# --- what nodes and executions say otherwise ------------------------------------------------------------------------


def seen() -> str:
    return " ".join(os.environ.get(name, "-") for name in ("OMP_NUM_THREADS", "FROM_TASK", "FROM_RUN"))


@task(environment={"FROM_TASK": "task", "FROM_RUN": "task"}, requests=Resources(cpu="1", mem="200Mi"))
def see() -> str:
    return seen()


@task
def see_number(x: int) -> str:
    return f"{x} {seen()}"


@workflow
def overridden() -> tuple[str, str]:
    other = see().with_overrides(
        requests=Resources(cpu="2", mem="300Mi"), limits=Resources(cpu="2", mem="400Mi"), node_name="renamed"
    )
    return see(), other


@workflow
def mapped_overridden(xs: list[int]) -> list[str]:
    return map_task(see_number)(x=xs).with_overrides(requests=Resources(cpu="1"), limits=Resources(cpu="1"))


@flytekit.dynamic
def grow_overridden(n: int) -> list[str]:
    one = Resources(cpu="1")
    return [see_number(x=x).with_overrides(requests=one, limits=one) for x in range(n)]


@workflow
def dynamic_overridden(n: int) -> list[str]:
    return grow_overridden(n=n)


@task
def interpreter() -> str:
    return sys.executable


@task
def interpreter_of(x: int) -> str:
    return sys.executable


@flytekit.dynamic
def grow_elsewhere(n: int) -> list[str]:
    return [interpreter_of(x=x).with_overrides(container_image="example/other:1") for x in range(n)]


@workflow
def in_another_image() -> tuple[str, str, list[str], list[str]]:
    mapped = map_task(interpreter_of)(x=[1, 2]).with_overrides(container_image="example/other:1")
    other = interpreter().with_overrides(container_image="example/other:1")
    return interpreter(), other, mapped, grow_elsewhere(n=1)


@task
def stumble(x: int) -> int:
    attempt = int(os.environ["FLYTE_ATTEMPT_NUMBER"])
    if attempt < x:
        raise FlyteRecoverableException(f"attempt {attempt} is not enough")
    return attempt


@workflow
def retried(x: int) -> int:
    return stumble(x=x).with_overrides(retries=2, name="the stumbling one")


@workflow
def mapped_retried(xs: list[int]) -> list[int]:
    return map_task(stumble)(x=xs).with_overrides(retries=2)


@task
def sleep(x: int) -> int:
    time.sleep(300)
    return x


@workflow
def timed_out(x: int) -> int:
    return sleep(x=x).with_overrides(timeout=datetime.timedelta(seconds=1))


@workflow
def mapped_timed_out(xs: list[int]) -> list[int]:
    return map_task(sleep)(x=xs).with_overrides(timeout=datetime.timedelta(seconds=1))


@task
def moment(x: int) -> str:
    return f"{x} {time.monotonic_ns()}"


@workflow
def cached_here(x: int) -> tuple[str, str]:
    return moment(x=x), moment(x=x).with_overrides(cache=True, cache_version="here")
