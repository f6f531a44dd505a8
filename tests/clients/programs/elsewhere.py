"""Workflows whose tasks run elsewhere, or nowhere."""

from flytekit import workflow
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.sensor.file_sensor import FileSensor
from own_connectors import GreetTask, JobTask

sense = FileSensor(name="elsewhere.sense")
job = JobTask(name="elsewhere.job")
greet = GreetTask(name="elsewhere.greet")
echo = PythonTask("echo", "elsewhere.echo", None, Interface({"a": str}, {"b": str}))
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
