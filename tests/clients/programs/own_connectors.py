"""Connectors of one's own, and tasks for them: one is asked how its job is, the others do it while they are asked.

A job is a file: `go` beside it lets it succeed, `fail` lets it fail, `flaky` lets its first try fail; deleting it
leaves `deleted`.
"""

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from flyteidl.core.execution_pb2 import TaskExecution
from flytekit import current_context, kwtypes
from flytekit.core.base_sql_task import SQLTask
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
from flytekit.models.task import Sql


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
        with open(f"{folder}/created", "a") as created:  # noqa: ASYNC230 - a moment
            created.write(".")
        return Job(folder)

    async def get(self, resource_meta: Job, **_) -> Resource:
        folder = Path(resource_meta.folder)
        if (folder / "fail").exists():
            return Resource(phase=TaskExecution.FAILED, message="the job says no")
        if (folder / "flaky").exists() and (folder / "created").read_text() == ".":
            return Resource(phase=TaskExecution.RETRYABLE_FAILED, message="the job says not yet")
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


class QueryConnector(SyncConnectorBase):
    """Answers queries of SQLite, and keeps a secret."""

    name = "Query Connector"

    def __init__(self):
        super().__init__(task_type_name="tests_query")

    def do(self, task_template, output_prefix, inputs=None, **_) -> Resource:
        assert current_context().secrets.get("api", "token") == "-".join(("hunter", "77"))
        least = inputs.literals["least"].scalar.primitive.integer
        query = SQLTask.interpolate_query(task_template.sql.statement, least=least)
        with sqlite3.connect(task_template.custom["database"]) as database:
            (found,) = database.execute(query).fetchone()
        return Resource(phase=TaskExecution.SUCCEEDED, outputs={"results": found})


ConnectorRegistry.register(QueryConnector(), override=True)
ConnectorRegistry.register(JobConnector(), override=True)
ConnectorRegistry.register(GreetConnector(), override=True)


class JobTask(AsyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str, **kwargs):
        super().__init__("tests_job", name, None, Interface({"folder": str}, {"o0": int}), **kwargs)


class GreetTask(SyncConnectorExecutorMixin, PythonTask):
    def __init__(self, name: str, **kwargs):
        super().__init__("tests_greet", name, None, Interface({"name": str}, {"o0": str}), **kwargs)


class QueryTask(SyncConnectorExecutorMixin, SQLTask):
    def __init__(self, name: str, query: str, database: str):
        super().__init__(name, query, task_type="tests_query", inputs=kwtypes(least=int), outputs=kwtypes(results=str))
        self.database = database

    def get_sql(self, settings) -> Sql:
        return Sql(self.query_template, Sql.Dialect.ANSI)

    def get_custom(self, settings) -> dict[str, str]:
        return {"database": self.database}
