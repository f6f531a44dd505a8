"""The event log of an execution, in words and as data; read in pages, or followed while it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

import fastapi

from dayfly.base import clock, errors
from dayfly.gateway.extras import answers, asking, describing, examples, following, wording
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION
from dayfly.ports.history import History
from dayfly.ports.runs import ExecutionRow, UnreadEvent

FOLLOWED_EVENTS = 500
"""Told at once."""

FindExecution = Callable[[ExecutionId], Awaitable[ExecutionRow | None]]
"""`ports.runs.Runs.find_execution`."""

Follow = Annotated[bool, fastapi.Query(description="Go on until the execution has ended: server-sent events.")]

_ENDED = frozenset(phase.name for phase in TERMINAL_EXECUTION)


def router(history: History, find_execution: FindExecution, closing: asyncio.Event) -> fastapi.APIRouter:
    """Return the routes. `closing` ends what is followed."""
    routes = fastapi.APIRouter(tags=["events"])

    @routes.get(
        asking.EXECUTION + "/events",
        summary="What happened in an execution, oldest first",
        description="The events that the execution was driven by, from its creation on. There may be new kinds at any "
        "time; the words are for people. With `follow`, events `events`, each an `EventPage`, and `end` when the "
        "execution has ended.",
        responses={
            200: {
                "description": "A page of events, or a stream of them.",
                "content": {
                    **describing.answer("", examples.EVENT_PAGE)[200]["content"],
                    **describing.events(answers.EventPage, answers.Ended),
                },
            },
            **describing.problems(),
        },
    )
    async def list_events(
        request: fastapi.Request,
        execution: asking.Execution,
        limit: asking.Limit = 100,
        token: asking.Token = "",
        follow: Follow = False,
    ) -> fastapi.Response:
        if follow:
            again = request.headers.get("last-event-id", "") or token
            followed = Followed(history, find_execution, execution, asking.read_number(again))
            await followed.find_end()  # So that an execution that is not there is refused, and no empty stream.
            return following.respond(followed.look, followed.find_end, closing)
        return asking.respond(await _page(history, execution, asking.read_number(token), limit))

    return routes


class Followed:
    """The events of one execution, from one on."""

    def __init__(self, history: History, find_execution: FindExecution, execution: ExecutionId, after: int) -> None:
        self._history, self._find_execution, self._execution = history, find_execution, execution
        self._after = after

    async def find_end(self) -> str:
        """Return the phase in which the execution has ended, empty while it runs. Raise `NotFound`."""
        row = await self._find_execution(self._execution)
        if row is None:
            raise errors.NotFound(f"Execution {self._execution} does not exist.")
        return row.phase if row.phase in _ENDED else ""

    async def look(self, _: bool) -> following.Told | None:
        """Return what has happened since the last look, None if nothing has."""
        page = await _page(self._history, self._execution, self._after, FOLLOWED_EVENTS)
        if not page.events:
            return None
        self._after = page.events[-1].sequence
        return following.Told("events", page, str(self._after))


async def _page(history: History, execution: ExecutionId, after: int, limit: int) -> answers.EventPage:
    found = await history.list_events(execution, after=after, limit=limit)
    then = str(found[-1].sequence) if len(found) == limit else ""
    return answers.EventPage([_told(one) for one in found], then)


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
