"""One log view: all processes of an attempt, merged by time; chosen by process, level and text; paged or followed."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

import fastapi

from dayfly.base import clock, errors
from dayfly.gateway.extras import (
    answers,
    asking,
    attempts,
    choosing,
    cursors,
    describing,
    examples,
    following,
    line_heads,
    logs,
    merging,
)
from dayfly.gateway.extras.attempts import Attempt, FindAttempt
from dayfly.gateway.extras.lines import Line, Reading
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs, LogFile

MAX_LINES = 5000
"""Of one page."""

FOLLOWED_LINES = 1000
"""Of one event."""

Roles = Annotated[
    list[str],
    fastapi.Query(alias="role", description="Only these processes; `worker` is all workers.", examples=[["worker"]]),
]
Level = Annotated[
    Literal["", "debug", "info", "warning", "error", "critical"],
    fastapi.Query(description="Only lines of this level or a worse one."),
]
Lines = Annotated[int, fastapi.Query(ge=1, le=MAX_LINES, description="Lines of a page at most.")]
Tail = Annotated[
    int | None, fastapi.Query(ge=1, le=MAX_LINES, description="Begin with the last lines, so many. Not with a token.")
]


def router(text: AttemptLogs, find_attempt: FindAttempt, closing: asyncio.Event) -> fastapi.APIRouter:
    """Return the routes. `closing` ends what is followed."""
    routes = fastapi.APIRouter(tags=["logs"])

    @routes.get(
        asking.ATTEMPT + "/lines",
        summary="One log view: the lines of all processes, merged by time",
        description="With `follow`, events `lines`, each a `LinePage`, and `end` when the attempt has ended.",
        responses={
            200: {
                "description": "A page of lines, or events.",
                "content": {
                    **describing.answer("", examples.LINE_PAGE)[200]["content"],
                    **describing.events(answers.LinePage, answers.Ended),
                },
            },
            **describing.problems(),
        },
    )
    async def read_lines(
        request: fastapi.Request,
        key: asking.Key,
        role: Roles = [],  # noqa: B006  FastAPI reads it and never changes it
        level: Level = "",
        search: logs.Search = "",
        limit: Lines = 500,
        token: asking.Token = "",
        tail: Tail = None,
        follow: logs.Follow = False,
    ) -> fastapi.Response:
        if tail is not None and token:
            raise errors.InvalidArgument("A view begins at its tail or at a token, not both.", remedy="Leave one out.")
        wanted = choosing.Wanted(line_heads.LEVELS.get(level.upper(), 0), search.encode().lower())
        view = Viewed(text, find_attempt, key, tuple(role), wanted)
        await view.check()
        view.begin(request.headers.get("last-event-id", "") if follow else "", token, tail)
        if follow:
            return following.respond(view.look, view.find_end, closing)
        return asking.respond(await view.read_page(limit))

    return routes


class Viewed:
    """One view that somebody reads, page by page."""

    def __init__(
        self,
        text: AttemptLogs,
        find_attempt: FindAttempt,
        key: AttemptKey,
        roles: tuple[str, ...],
        wanted: choosing.Wanted,
    ) -> None:
        self._text, self._find_attempt, self._key = text, find_attempt, key
        self._roles, self._wanted = roles, wanted
        self._readings: dict[str, Reading] = {}
        self._tail: int | None = None

    def begin(self, last_event: str, token: str, tail: int | None) -> None:
        """Go on after an event or a token, else begin at the tail. Raise `InvalidArgument`."""
        if last_event or token:
            self._readings = cursors.read(last_event or token)
        else:
            self._tail = tail

    async def check(self) -> None:
        """Raise `NotFound` where neither the attempt nor a log of it is there."""
        if not await self._text.list_files(self._key):
            logs.get_known(await self._find())

    async def find_end(self) -> str:
        """Return the phase in which the attempt has ended, empty while it lives."""
        seen = await self._find()
        return (seen.phase or "UNDEFINED") if seen.ended else ""

    async def read_page(self, limit: int) -> answers.LinePage:
        """Return the next page."""
        seen = await self._find()  # Before the logs: what an attempt that has ended wrote is all there.
        return await self._read(limit, began=seen.began, ended=seen.ended)

    async def look(self, whole: bool) -> following.Told | None:
        """Return what is new, None if nothing is."""
        page = await self._read(FOLLOWED_LINES, began=(await self._find()).began, ended=whole)
        return following.Told("lines", page, page.token) if page.lines or not page.at_end else None

    async def _read(self, limit: int, *, began: clock.Micros, ended: bool) -> answers.LinePage:
        files = [file for file in await self._text.list_files(self._key) if self._takes(file)]
        view = merging.View(self._text, self._key, self._wanted, whole=ended)
        if self._tail is not None:
            page = await view.read_tail(files, self._tail, began=began)
            self._tail = None
        else:
            readings = {file.role: self._readings.get(file.role, Reading(at=began)) for file in files}
            page = await view.read_page([file.role for file in files], {**self._readings, **readings}, limit)
        self._readings = page.readings
        return answers.LinePage([_told(line) for line in page.lines], cursors.write(page.readings), page.at_end, ended)

    def _takes(self, file: LogFile) -> bool:
        return not self._roles or file.role in self._roles or logs.kind_of(file.role) in self._roles

    async def _find(self) -> Attempt:
        return await attempts.find(self._find_attempt, self._key)


def _told(line: Line) -> answers.LogLine:
    at = clock.to_datetime(line.at)
    return answers.LogLine(line.role, at, line.timed, line_heads.name(line.level), line.offset, line.text)  # type: ignore[arg-type]
