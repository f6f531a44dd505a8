"""What a Dask task should ask for: the route that finds its past runs. What they tell, `advising` says."""

from __future__ import annotations

from typing import Annotated

import fastapi

from dayfly.base import errors
from dayfly.gateway.extras import advising, answers, asking, describing, examples
from dayfly.gateway.extras.attempts import Attempt
from dayfly.model import identifiers
from dayfly.model.phases import AttemptPhase
from dayfly.ports.history import History, WantedClusters
from dayfly.ports.records import Records

MAX_RUNS = 100

MAX_PAGES = 10
"""Pages of the list of clusters that are looked through for runs of the task."""

InProject = Annotated[str, fastapi.Query(description="Of executions of this project.", examples=["flytesnacks"])]
InDomain = Annotated[str, fastapi.Query(description="Of executions of this domain.", examples=["development"])]
Task = Annotated[
    str,
    fastapi.Query(
        min_length=1, max_length=1024, pattern=r"^[^\x00]*$", description="Name of the task.", examples=["flows.fit"]
    ),
]
Runs = Annotated[int, fastapi.Query(ge=1, le=MAX_RUNS, description="So many of its last runs are looked at, at most.")]


def router(history: History, records: Records) -> fastapi.APIRouter:
    """Return the route."""
    routes = fastapi.APIRouter(tags=["clusters"])

    @routes.get(
        "/advice",
        summary="What a Dask task should ask for, by its past runs",
        description="Runs are attempts that have ended and left a record, of all versions of the task.",
        responses=describing.answer("What they used, and what to ask for instead.", examples.TASK_ADVICE),
    )
    async def read_advice(project: InProject, domain: InDomain, task: Task, runs: Runs = 20) -> fastapi.Response:
        asking.check_names(project, domain)
        found = await _find_runs(history, records, WantedClusters(project, domain, live=False, task=task), runs)
        if not found:
            raise errors.NotFound(
                f"No run of {task!r} in {project}/{domain} has left the record of a Dask cluster.",
                remedy="Name a task with task_config=Dask(...) as it is registered, module.function, that has run.",
            )
        return asking.respond(
            answers.TaskAdvice(project, domain, task, len(found), advising.uses(found), advising.advise(found))
        )

    return routes


async def _find_runs(history: History, records: Records, wanted: WantedClusters, most: int) -> list[advising.PastRun]:
    found: list[advising.PastRun] = []
    then = 0
    for _ in range(MAX_PAGES):
        page = await history.list_clusters(wanted, then=then, limit=most)
        for row in page.attempts:
            key = identifiers.attempt_key(row.execution, row.node, row.attempt)
            record = await records.summary(key)
            if record is not None and record.workers:
                closure = Attempt(key, row).closure
                succeeded = AttemptPhase(closure.phase) is AttemptPhase.SUCCEEDED
                found.append(advising.PastRun(record, succeeded, closure.error.code))
        then = page.then
        if len(found) >= most or not then:
            break
    return found[:most]
