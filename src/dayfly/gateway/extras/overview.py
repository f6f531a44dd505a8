"""All runs together: how many run, what failed and why, who waits for a person."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import fastapi
from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import types_pb2

from dayfly.base import clock
from dayfly.base.clock import SECOND, Clock, Micros
from dayfly.gateway.extras import asking, describing, examples, overview_answers
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from dayfly.ports import overview as ports
from dayfly.ports.overview import Scope
from dayfly.ports.signals import Signal

MAX_HOURS = 24 * 14

MAX_REASON = 300
"""Characters of a failed run's reason."""

SHOWN, SHOWN_WAITING = 20, 100

FAILED = (ExecutionPhase.FAILED, ExecutionPhase.TIMED_OUT)

_Name = fastapi.Query(max_length=255, pattern=r"^[^\x00]*$", description="Only of this one.")
Hours = Annotated[int, fastapi.Query(ge=1, le=MAX_HOURS, description="How far to look back.")]


def router(overview: ports.Overview, now: Clock) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(tags=["overview"])

    @routes.get(
        "/overview",
        summary="How runs are: under way, by hour, failed, waiting for people",
        responses=describing.answer("Of one project, or of all.", examples.OVERVIEW),
    )
    async def read_overview(
        project: Annotated[str, _Name] = "", domain: Annotated[str, _Name] = "", hours: Hours = 24
    ) -> fastapi.Response:
        scope = Scope(project, domain)
        since = Micros(now.now() - hours * 3600 * SECOND)
        active, by_hour, newest, failed, unset = await asyncio.gather(
            overview.count_active(scope),
            overview.count_hours(scope, since),
            overview.list_newest(scope, tuple(ExecutionPhase), limit=SHOWN),
            overview.list_newest(scope, FAILED, limit=SHOWN),
            overview.list_unset(scope, limit=SHOWN_WAITING),
        )
        return asking.respond(
            overview_answers.Overview(
                active,
                _hours(by_hour),
                [_entry(one) for one in newest],
                [_entry(one) for one in failed],
                [_waiting(one) for one in unset],
            )
        )

    @routes.get(
        "/places",
        summary="How many runs each project and domain has",
        responses=describing.answer("Those that have any.", examples.PLACES),
    )
    async def list_places() -> fastapi.Response:
        found = await overview.count_places()
        return asking.respond(
            overview_answers.Places([overview_answers.PlaceRuns(one.project, one.domain, one.count) for one in found])
        )

    return routes


def reason(message: str) -> str:
    """Return the line of an error that says most: of a traceback its last, else the first. Pure."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    if not lines:
        return ""
    told = _last_said(lines) if lines[0].startswith("Trace") else lines[0]
    return told if len(told) <= MAX_REASON else told[: MAX_REASON - 1] + "…"


def _last_said(lines: list[str]) -> str:
    # flytekit puts the error again below its traceback, as `Message:` and a block; we say below that where it failed.
    for at, line in enumerate(lines[:-1]):
        if line == "Message:":
            return lines[at + 1]
    said = [line for line in lines if not line.startswith("Failed at:")]
    return said[-1]


def _hours(counts: list[ports.HourCount]) -> list[overview_answers.PhaseHour]:
    hours: dict[int, dict[str, int]] = {}
    for one in counts:
        hours.setdefault(one.hour, {})[one.phase] = one.count
    return [
        overview_answers.PhaseHour(clock.to_datetime(Micros(hour)), phases) for hour, phases in sorted(hours.items())
    ]


def _entry(one: ports.NewRun) -> overview_answers.RunEntry:
    closure: Any = execution_pb2.ExecutionClosure.FromString(one.closure)
    ended = closure.phase in TERMINAL_EXECUTION
    return overview_answers.RunEntry(
        one.id.project,
        one.id.domain,
        one.id.name,
        closure.workflow_id.name,
        closure.workflow_id.version,
        phases_pb2.WorkflowExecution.Phase.Name(closure.phase),
        clock.to_datetime(Micros(closure.created_at.ToMicroseconds())),
        clock.to_datetime(Micros(closure.started_at.ToMicroseconds())) if closure.HasField("started_at") else None,
        closure.duration.ToMicroseconds() / SECOND if ended else None,
        closure.error.code,
        reason(closure.error.message),
    )


def _waiting(one: Signal) -> overview_answers.WaitingGate:
    wanted = types_pb2.LiteralType.FromString(one.type)
    approval = wanted.WhichOneof("type") == "simple" and wanted.simple == types_pb2.BOOLEAN
    id = one.execution
    return overview_answers.WaitingGate(
        id.project, id.domain, id.name, one.id, "approval" if approval else "value", clock.to_datetime(one.created_at)
    )
