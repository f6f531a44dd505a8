"""Dask clusters: all that live or ever lived, and everything that is known of one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote

import fastapi
from google.protobuf import json_format

from dayfly.base import clock, errors
from dayfly.base.clock import SECOND, Micros
from dayfly.gateway.extras import answers, asking, attempts, describing, examples, logs
from dayfly.gateway.extras.attempts import Attempt, FindAttempt
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import dashboards
from dayfly.ports.history import CLUSTER_TASK_TYPE, History, WantedClusters
from dayfly.ports.records import ClusterRecord, Records
from dayfly.ports.runs import AttemptRow

CLUSTER = "/clusters/{project}/{domain}/{name}/{node}/{attempt}"

KINDS = {"performance.html": "text/html; charset=utf-8", "state.msgpack.gz": "application/gzip"}
"""Of the reports."""

SANDBOX = {"Content-Security-Policy": "sandbox allow-scripts allow-popups allow-downloads"}
"""The pages are made by whatever runs in a user's environment, and may not call the API in its reader's name."""

MAX_SENTENCE = 2000
"""Characters of an error that are taken for its cause."""

InProject = Annotated[str, fastapi.Query(description="Only of this project.")]
InDomain = Annotated[str, fastapi.Query(description="Only of this domain.")]
OfExecution = Annotated[str, fastapi.Query(description="Only of this execution; with project and domain.")]
OfTask = Annotated[str, fastapi.Query(max_length=1024, pattern=r"^[^\x00]*$", description="Only of this task.")]
State = Annotated[Literal["", "live", "past"], fastapi.Query(description="Only those that live, or that are gone.")]
Report = Annotated[str, fastapi.Path(description="Name of the report.", examples=["performance.html"])]
Every = Annotated[
    float,
    fastapi.Query(ge=0, le=86_400, description="One frame for so many seconds: the last figures, and `memory_high`."),
]
MostTasks = Annotated[
    int | None,
    fastapi.Query(
        alias="tasks", ge=0, le=100_000, description="So many tasks a frame, the longest; others are counted."
    ),
]
Since = Annotated[float, fastapi.Query(description="Only frames made after this: seconds since the epoch.")]


def router(history: History, records: Records, find_attempt: FindAttempt) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(tags=["clusters"])

    @routes.get(
        "/clusters",
        summary="Dask clusters, newest first",
        responses=describing.answer("A page of clusters.", examples.CLUSTER_PAGE),
    )
    async def list_clusters(
        project: InProject = "",
        domain: InDomain = "",
        execution: OfExecution = "",
        task: OfTask = "",
        state: State = "",
        limit: asking.Limit = 100,
        token: asking.Token = "",
    ) -> fastapi.Response:
        if execution and not (project and domain):
            raise errors.InvalidArgument(
                f"Which execution {execution[:100]!r} is meant is not clear.", remedy="Give its project and domain too."
            )
        live = None if not state else state == "live"
        wanted = WantedClusters(project, domain, execution, live, task)
        found = await history.list_clusters(wanted, then=asking.read_number(token), limit=limit)
        told = [_entry(_seen(row)) for row in found.attempts]
        return asking.respond(answers.ClusterPage(told, str(found.then or "")))

    @routes.get(
        CLUSTER,
        summary="One cluster: its record summed up, why it died, where to look on",
        responses=describing.answer("Everything that is known of it.", examples.CLUSTER),
    )
    async def read_cluster(key: asking.Key) -> fastapi.Response:
        seen = await _get(find_attempt, key)
        return asking.respond(_cluster(seen, await records.summary(key), await records.reports(key)))

    @routes.get(
        CLUSTER + "/frames",
        summary="The record of a cluster, second by second",
        description="The `t` of the last frame, given as `since`, gets what follows, while it grows and ever after.",
        responses=describing.answer("At most `limit` frames, oldest first.", examples.FRAMES),
    )
    async def read_frames(
        key: asking.Key,
        since: Since = 0.0,
        limit: asking.Limit = 1000,
        every: Every = 0.0,
        tasks: MostTasks = None,
    ) -> fastapi.Response:
        await _get(find_attempt, key)
        found = await records.frames(key, since=since, limit=limit, every_seconds=every, most_tasks=tasks)
        return asking.respond(answers.Frames(found))

    @routes.get(
        CLUSTER + "/reports/{report}",
        summary="One of Dask's own reports of a cluster: its performance report, or a dump of its last state",
        description="Which there are, says the cluster itself. Browsers treat the page as another site's.",
        responses={
            200: {"description": "The file.", "content": {kind: {} for kind in KINDS.values()}},
            **describing.problems(),
        },
        response_class=fastapi.Response,
    )
    async def read_report(key: asking.Key, report: Report) -> fastapi.Response:
        await _get(find_attempt, key)
        found = await records.report(key, report)
        if found is None:
            raise errors.NotFound(
                f"There is no report {report[:100]!r} of the cluster of attempt {key}.",
                remedy="Reports are made when a cluster ends that has lived for a while, or in which something failed.",
            )
        return fastapi.Response(found, media_type=KINDS[report], headers=asking.HEADERS | SANDBOX)

    return routes


def path_of(key: AttemptKey) -> str:
    """Return the path of everything that is known of one cluster."""
    return f"{describing.PREFIX}/clusters/{quote(key)}"


async def _get(find_attempt: FindAttempt, key: AttemptKey) -> Attempt:
    """Return an attempt that has or had a cluster. Raise `NotFound`."""
    seen = logs.get_known(await attempts.find(find_attempt, key))
    if seen.closure.task_type != CLUSTER_TASK_TYPE:
        raise errors.NotFound(
            f"Attempt {key} is of a task of type {seen.closure.task_type!r}, which has no Dask cluster.",
            remedy="Clusters are made for tasks with task_config=Dask(...).",
        )
    return seen


def _seen(row: AttemptRow) -> Attempt:
    return Attempt(identifiers.attempt_key(row.execution, row.node, row.attempt), row)


def _entry(seen: Attempt) -> answers.ClusterEntry:
    assert seen.row is not None
    row, closure = seen.row, seen.closure
    lasted = closure.duration.seconds + closure.duration.nanos / 1e9
    return answers.ClusterEntry(
        project=row.execution.project,
        domain=row.execution.domain,
        execution=row.execution.name,
        node=row.node,
        attempt=row.attempt,
        task=row.task.name,
        phase=seen.phase,
        live=not seen.ended,
        created_at=clock.to_datetime(seen.began),
        started_at=clock.to_datetime(_micros(closure.started_at)) if closure.HasField("started_at") else None,
        duration_seconds=lasted if seen.ended and closure.HasField("started_at") else None,
        figures=_figures(json_format.MessageToDict(closure.custom_info).get("dask", {})),
        error_code=closure.error.code,
        url=path_of(seen.key),
    )


def _figures(told: Mapping[str, Any]) -> answers.ClusterFigures:
    names = {
        "workers": "workers",
        "wanted": "wanted",
        "tasks_done": "tasksDone",
        "tasks_total": "tasksTotal",
        "tasks_processing": "tasksProcessing",
        "memory_bytes": "memoryBytes",
    }
    return answers.ClusterFigures(**{ours: int(told.get(theirs, 0)) for ours, theirs in names.items()})


def _cluster(seen: Attempt, record: ClusterRecord | None, reports: Mapping[str, int]) -> answers.Cluster:
    return answers.Cluster(
        cluster=_entry(seen),
        record=record,
        idle_share=record.idle_share if record is not None else None,
        diagnosis=_diagnosis(seen),
        said=seen.closure.reason,
        dashboard_url=_dashboard(seen),
        frames_url=f"{path_of(seen.key)}/frames",
        logs_url=f"{logs.path_of(seen.key)}/logs",
        lines_url=f"{logs.path_of(seen.key)}/lines",
        reports=[
            answers.ReportEntry(name, size_bytes, f"{path_of(seen.key)}/reports/{name}")
            for name, size_bytes in reports.items()
        ],
    )


def _dashboard(seen: Attempt) -> str:
    links = {log.name: log.uri for log in seen.closure.logs}
    return "" if seen.ended else links.get(dashboards.LINK_NAME, "")


def _diagnosis(seen: Attempt) -> answers.Diagnosis | None:
    """Return why it failed: the cause is the first paragraph of the error, the task's own words follow."""
    if not seen.closure.HasField("error"):
        return None
    error = seen.closure.error
    sentence = error.message.partition("\n\n")[0][:MAX_SENTENCE]
    kind = type(error).ErrorKind.Name(error.kind)
    return answers.Diagnosis(error.code, kind, sentence, error.message)


def _micros(moment: Any) -> Micros:
    return Micros(moment.seconds * SECOND + moment.nanos // 1000)
