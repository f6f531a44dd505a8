"""Workflows whose tasks run elsewhere, or nowhere."""

import os
from datetime import timedelta

from flytekit import dynamic, map_task, workflow
from flytekit.core.base_task import PythonTask, TaskMetadata
from flytekit.core.interface import Interface
from flytekit.core.task import ReferenceTask
from flytekit.sensor.file_sensor import FileSensor
from own_connectors import GreetTask, JobTask, QueryTask


def referred(name: str, inputs: dict, outputs: dict) -> ReferenceTask:
    return ReferenceTask("flytesnacks", "development", name, "v1", inputs, outputs)


sense = FileSensor(name="elsewhere.sense")
job = JobTask(name="elsewhere.job")
greet = GreetTask(name="elsewhere.greet")
echo = PythonTask("echo", "elsewhere.echo", None, Interface({"a": str}, {"b": str}))
patient_job = JobTask(name="elsewhere.patient_job", metadata=TaskMetadata(retries=2))
hasty_job = JobTask(name="elsewhere.hasty_job", metadata=TaskMetadata(timeout=timedelta(seconds=1)))
kept = GreetTask(name="elsewhere.kept", metadata=TaskMetadata(cache=True, cache_version="1"))
query = QueryTask(
    "elsewhere.query",
    "select group_concat(name) from tracks where id > {{ .inputs.least }}",
    os.environ.get("ELSEWHERE_DATABASE", "/nowhere.db"),
)
greet_each = referred("elsewhere.greet", {"name": str}, {"o0": str})
echo_each = referred("elsewhere.echo", {"a": str}, {"b": str})
job_each = referred("elsewhere.job", {"folder": str}, {"o0": int})
unknown = PythonTask("nobody_knows_this", "elsewhere.unknown", None, Interface({}, {}))


@workflow
def waits_for_a_file(path: str) -> None:
    sense(path=path)


@workflow
def runs_a_job(folder: str) -> int:
    return job(folder=folder)


@workflow
def greets(name: str) -> str:
    return greet(name=name)


@workflow
def echoes(word: str) -> str:
    return echo(a=word)


@workflow
def asks_the_impossible() -> None:
    unknown()


@workflow
def retries_a_job(folder: str) -> int:
    return patient_job(folder=folder)


@workflow
def gives_up_a_job(folder: str) -> int:
    return hasty_job(folder=folder)


@workflow
def greets_once(name: str) -> str:
    return kept(name=name)


@workflow
def queries(least: int) -> str:
    return query(least=least)


@workflow
def maps_greetings(names: list[str]) -> list[str]:
    return map_task(greet_each)(name=names)


@workflow
def maps_echoes(words: list[str]) -> list[str]:
    return map_task(echo_each)(a=words)


@workflow
def maps_jobs(folders: list[str]) -> list[int]:
    return map_task(job_each)(folder=folders)


@dynamic
def greet_all(names: list[str]) -> list[str]:
    return [echo(a=greet(name=name)) for name in names]


@workflow
def grows_greetings(names: list[str]) -> list[str]:
    return greet_all(names=names)
