"""Logs of an attempt: which there are, the text of one in ranges, searched, followed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from urllib.parse import quote

import fastapi

from dayfly.base import clock, errors
from dayfly.gateway.extras import answers, asking, attempts, describing, examples, following, searching
from dayfly.gateway.extras.attempts import Attempt, FindAttempt
from dayfly.gateway.extras.searching import Place
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs, LogFile

RANGE_BYTES = 256 * 1024
"""Read at once; more is sent in several steps."""

MAX_CONTEXT = 50

TEXT = "text/plain; charset=utf-8"

Role = Annotated[
    str, fastapi.Path(description="Which process: as the list of logs says.", examples=["driver", "worker-0"])
]
From = Annotated[
    int | None, fastapi.Query(alias="from", description="Offset to begin at; -N is N bytes before the end.")
]
Most = Annotated[
    int | None, fastapi.Query(alias="bytes", ge=1, description="Bytes to send at most; the rest otherwise.")
]
Search = Annotated[str, fastapi.Query(max_length=1000, description="Text to find; letters A-Z stand for both cases.")]
Context = Annotated[int, fastapi.Query(ge=0, le=MAX_CONTEXT, description="Lines told before and behind each match.")]
Follow = Annotated[bool, fastapi.Query(description="Go on while the log grows: server-sent events.")]


def router(logs: AttemptLogs, find_attempt: FindAttempt, closing: asyncio.Event) -> fastapi.APIRouter:
    """Return the routes. `closing` ends what is followed."""
    routes = fastapi.APIRouter(tags=["logs"])

    @routes.get(
        asking.ATTEMPT + "/logs",
        summary="Which logs an attempt has",
        responses=describing.answer("A page of logs.", examples.LOG_LIST),
    )
    async def list_logs(key: asking.Key, limit: asking.Limit = 100, token: asking.Token = "") -> fastapi.Response:
        seen = await attempts.find(find_attempt, key)
        found = await logs.list_files(key)
        if not found:
            get_known(seen)
        first = asking.read_number(token)
        return asking.respond(
            answers.LogList(
                [_summary(key, file) for file in found[first : first + limit]],
                token=str(first + limit) if first + limit < len(found) else "",
                phase=seen.phase,
                ended=seen.ended,
                lines_url=f"{path_of(key)}/lines",
            )
        )

    @routes.get(
        asking.ATTEMPT + "/logs/{role}",
        summary="The text of one log, a search in it, or the log as it grows",
        description="Without `search` and `follow` the text itself. `search` answers a `SearchPage` of `limit` "
        "matches at most. `follow` sends an event `text` for whatever is added, and `end` when the attempt has ended.",
        responses={
            200: {
                "description": "The text, whose headers `X-Log-Start` and `X-Log-Size` say where it lies in the log; a "
                "`SearchPage`; or events.",
                "content": {
                    "text/plain": {"schema": {"type": "string"}, "example": "loading part 7\n"},
                    **describing.answer("", examples.SEARCH_PAGE)[200]["content"],
                    **describing.events(answers.LogText, answers.Ended),
                },
            },
            **describing.problems(),
        },
        response_class=fastapi.responses.PlainTextResponse,
    )
    async def read_log(
        request: fastapi.Request,
        key: asking.Key,
        role: Role,
        start: From = None,
        most: Most = None,
        search: Search = "",
        context: Context = 0,
        follow: Follow = False,
        limit: asking.Limit = 100,
        token: asking.Token = "",
    ) -> fastapi.Response:
        asking.check_names(role)
        if search and follow:
            raise errors.InvalidArgument(
                "A log is searched or followed, not both.",
                remedy="Follow the lines that have a text at .../lines?follow=true&search=TEXT.",
            )
        if follow:
            return await _follow(request, Followed(logs, find_attempt, key, role), start or 0, closing)
        file = await _look(logs, key, role)
        if search:
            place = _read_place(token) if token else Place(_absolute(start, file))
            return asking.respond(await _search(logs, key, role, search, place, limit, context))
        first = _absolute(start, file)
        last = file.size_bytes if most is None else min(file.size_bytes, first + most)
        headers = {**asking.HEADERS, "X-Log-Start": str(first), "X-Log-Size": str(file.size_bytes)}
        headers["Content-Length"] = str(last - first)
        return fastapi.responses.StreamingResponse(
            _chunks(logs, key, role, first, last), media_type=TEXT, headers=headers
        )

    return routes


def path_of(key: AttemptKey) -> str:
    """Return the path of everything of one attempt."""
    project, domain, name, node, attempt = key.split("/")
    return f"{describing.PREFIX}/executions/{project}/{domain}/{name}/nodes/{quote(node)}/attempts/{attempt}"


def get_known(seen: Attempt) -> Attempt:
    """Return an attempt that the database knows. Raise `NotFound`."""
    if seen.row is None:
        raise errors.NotFound(
            f"There is no attempt {seen.key}.",
            remedy="Attempts are numbered from 0; see the nodes and attempts of the execution.",
        )
    return seen


def kind_of(role: str) -> Literal["driver", "scheduler", "worker", "other"]:
    """Return what a process is, by its role's name."""
    if role == "driver":
        return "driver"
    if role == "scheduler":
        return "scheduler"
    return "worker" if role.startswith("worker") else "other"


class Followed:
    """One log that grows: what is new since the last look."""

    def __init__(self, logs: AttemptLogs, find_attempt: FindAttempt, key: AttemptKey, role: str) -> None:
        self._logs, self._find_attempt, self.key, self.role = logs, find_attempt, key, role
        self.offset = 0

    async def find_end(self) -> str:
        """Return the phase in which the attempt has ended, empty while it lives. Raise `NotFound`."""
        seen = await attempts.find(self._find_attempt, self.key)
        if seen.row is None and not await self.find_file():
            get_known(seen)
        return (seen.phase or "UNDEFINED") if seen.ended else ""

    async def find_file(self) -> LogFile | None:
        """Return the log as it is now, None while there is none."""
        return next((file for file in await self._logs.list_files(self.key) if file.role == self.role), None)

    async def look(self, whole: bool) -> following.Told | None:
        """Return what was added, never a part of a character."""
        try:
            piece = await self._logs.read(self.key, self.role, self.offset, RANGE_BYTES)
        except errors.NotFound:
            return None  # It has not been begun.
        data = piece.data if whole else piece.data[: len(piece.data) - _cut_off(piece.data)]
        if not data:
            return None
        start, self.offset = piece.start, piece.start + len(data)
        told = answers.LogText(start, self.offset, data.decode(errors="replace"))
        return following.Told("text", told, str(self.offset))


async def _follow(request: fastapi.Request, followed: Followed, start: int, closing: asyncio.Event) -> fastapi.Response:
    await followed.find_end()  # So that what is not there is refused, and not an empty stream.
    file = await followed.find_file()
    again = request.headers.get("last-event-id", "")
    followed.offset = asking.read_number(again) or (_absolute(start, file) if file is not None else max(0, start))
    return following.respond(followed.look, followed.find_end, closing)


async def _look(logs: AttemptLogs, key: AttemptKey, role: str) -> LogFile:
    for file in await logs.list_files(key):
        if file.role == role:
            return file
    raise errors.NotFound(f"Attempt {key} has no log of {role!r}.", remedy=examples.PROBLEM.remedy)


async def _search(
    logs: AttemptLogs, key: AttemptKey, role: str, search: str, place: Place, limit: int, context: int
) -> answers.SearchPage:
    result = await searching.search(logs, key, role, search, place, limit=limit, context=context)
    return answers.SearchPage(
        [answers.LogMatch(one.line, one.offset, one.text, one.before, one.after) for one in result.found],
        token="" if result.at_end else f"{result.then.offset}-{result.then.line}",
        scanned_bytes=result.scanned_bytes,
        size_bytes=result.size_bytes,
    )


async def _chunks(logs: AttemptLogs, key: AttemptKey, role: str, first: int, last: int) -> AsyncIterator[bytes]:
    while first < last:
        piece = await logs.read(key, role, first, min(RANGE_BYTES, last - first))
        if not piece.data:
            return  # It became shorter; the client sees that from the length that was promised.
        while first < min(piece.start, last):
            # Left out of the log, where it has its place all the same: the client asked for bytes by their offsets.
            blank = bytes(min(RANGE_BYTES, min(piece.start, last) - first))
            yield blank
            first += len(blank)
        yield piece.data[: last - first]
        first += len(piece.data)


def _summary(key: AttemptKey, file: LogFile) -> answers.LogSummary:
    changed_at = clock.to_datetime(file.changed_at)
    url = f"{path_of(key)}/logs/{file.role}"
    return answers.LogSummary(file.role, kind_of(file.role), file.size_bytes, changed_at, url)


def _absolute(start: int | None, file: LogFile) -> int:
    if start is None:
        return 0
    return min(start, file.size_bytes) if start >= 0 else max(0, file.size_bytes + start)


def _read_place(token: str) -> Place:
    offset, _, line = token.partition("-")
    return Place(asking.read_number(offset), asking.read_number(line) or 1)


def _cut_off(data: bytes) -> int:
    """Return how many bytes at the end are a character that is not all there."""
    for back in range(1, min(4, len(data) + 1)):
        byte = data[-back]
        if byte & 0b1100_0000 == 0b1000_0000:
            continue  # inside a character
        needed = 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2 if byte >= 0xC0 else 1
        return back if needed > back else 0
    return 0
