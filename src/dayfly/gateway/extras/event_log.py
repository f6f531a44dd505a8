"""The event log of an execution, in words and as data."""

from __future__ import annotations

import fastapi

from dayfly.base import clock
from dayfly.gateway.extras import answers, asking, describing, examples, wording
from dayfly.ports.history import History
from dayfly.ports.runs import UnreadEvent


def router(history: History) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(tags=["events"])

    @routes.get(
        asking.EXECUTION + "/events",
        summary="What happened in an execution, oldest first",
        description="The events that the execution was driven by, from its creation on. There may be new kinds at any "
        "time; the words are for people.",
        responses=describing.answer("A page of events.", examples.EVENT_PAGE),
    )
    async def list_events(
        execution: asking.Execution, limit: asking.Limit = 100, token: asking.Token = ""
    ) -> fastapi.Response:
        found = await history.list_events(execution, after=asking.read_number(token), limit=limit)
        then = str(found[-1].sequence) if len(found) == limit else ""
        return asking.respond(answers.EventPage([_told(one) for one in found], then))

    return routes


def _told(one: UnreadEvent) -> answers.EventEntry:
    event = one.event
    return answers.EventEntry(
        one.sequence,
        clock.to_datetime(event.at),
        type(event).__name__,
        wording.tell(event),
        node=getattr(event, "node", "") or "",
        attempt=getattr(event, "attempt", None),
        data=wording.to_plain(event),
    )
