"""Two connectors of one's own, and tasks for them: one is asked how its job is, the other does it while it is asked.

A job is a file: `go` beside it lets it succeed, `fail` lets it fail; deleting it leaves `deleted`.
"""

from dataclasses import dataclass
from pathlib import Path

from flyteidl.core.execution_pb2 import TaskExecution
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.extend.backend.base_connector import (
    AsyncConnectorBase,
    AsyncConnectorExecutorMixin,
    ConnectorRegistry,
    Resource,
    ResourceMeta,
    SyncConnectorBase,
    SyncConnectorExecutorMixin,
)


@dataclass
class Job(ResourceMeta):
    folder: str


class JobConnector(AsyncConnectorBase):
    name = "Job Connector"

    def __init__(self):
        super().__init__(task_type_name="tests_job", metadata_type=Job)

    async def create(self, task_template, inputs=None, **_) -> Job:
        folder = inputs.literals["folder"].scalar.primitive.string_value
        if folder == "nowhere":
            raise ValueError("there is no such folder")
        Path(folder, "created").touch()
        return Job(folder)

    async def get(self, resource_meta: Job, **_) -> Resource:
        folder = Path(resource_meta.folder)
        if (folder / "fail").exists():
            return Resource(phase=TaskExecution.FAILED, message="the job says no")
        if (folder / "go").exists():
            return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": 42})
        return Resource(phase=TaskExecution.RUNNING, message="the job is busy")

    async def delete(self, resource_meta: Job, **_) -> None:
        Path(resource_meta.folder, "deleted").touch()


class GreetConnector(SyncConnectorBase):
    name = "Greet Connector"

    def __init__(self):
        super().__init__(task_type_name="tests_greet")

    def do(self, task_template, output_prefix, inputs=None, **_) -> Resource:
        name = inputs.literals["name"].scalar.primitive.string_value
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"o0": f"hello {name}"})


ConnectorRegistry.register(JobConnector(), override=True)
ConnectorRegistry.register(GreetConnector(), override=True)


class JobTask(AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str):
        super().__init__("tests_job", name, None, Interface({"folder": str}, {"o0": int}))


class GreetTask(SyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str):
        super().__init__("tests_greet", name, None, Interface({"name": str}, {"o0": str}))
