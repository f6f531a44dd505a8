"""Lines of an attempt's logs, over Dayfly's own HTTP API: page by page, or as they are written.

Following survives a lost connection and a platform that is started anew: it goes on after the last event it got.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from dayfly.base import errors
from dayfly.client import extras
from dayfly.model.identifiers import AttemptKey

PAGE = 1000
"""Lines asked for at once."""

RANGE_BYTES = 1024 * 1024
"""Of a log's text, passed on at once."""

RETRIES = 30
RETRY_SECONDS = 1.0
"""How often, and how soon, a lost connection is made anew."""

SILENT_SECONDS = 60.0
"""A stream that sends not even a comment for so long is lost."""


class LineView(msgspec.Struct, frozen=True):
    """One line as clients see it."""

    role: str
    at: datetime
    level: str
    text: str


class Choice(msgspec.Struct, frozen=True):
    """Which lines are wanted. Empty fields say nothing."""

    roles: tuple[str, ...] = ()
    level: str = ""
    search: str = ""
    tail: int | None = None
    """Begin with the last lines, so many."""

    def query(self) -> dict[str, Any]:
        """Return what is asked for."""
        asked = {"role": list(self.roles), "level": self.level, "search": self.search, "tail": self.tail}
        return {name: value for name, value in asked.items() if value}


class _Page(msgspec.Struct):
    lines: list[LineView]
    token: str
    at_end: bool


class _Log(msgspec.Struct):
    role: str


class _Refusal(msgspec.Struct):
    error: str
    code: str


class _Logs(msgspec.Struct):
    logs: list[_Log]
    token: str


class Logs:
    """The logs of one server. Every method raises as `extras.call` does. `pause` waits so many seconds."""

    def __init__(self, address: str, *, pause: Callable[[float], Any] = asyncio.sleep) -> None:
        self.address, self._pause = address, pause
        self._http = httpx.AsyncClient(
            base_url=f"http://{address}{extras.PREFIX}",
            timeout=httpx.Timeout(extras.CALL_SECONDS, read=SILENT_SECONDS),
            limits=httpx.Limits(max_connections=None),  # Who follows much holds many at once.
            trust_env=False,
        )

    async def __aenter__(self) -> Logs:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def list_roles(self, key: AttemptKey) -> list[str]:
        """Return the processes of an attempt that have logs. Raise `NotFound` for an attempt that is not there."""
        roles: list[str] = []
        query: dict[str, Any] = {"limit": PAGE}
        while True:
            page = msgspec.json.decode(await self._get(f"{_path(key)}/logs", query), type=_Logs)
            roles += [log.role for log in page.logs]
            if not page.token:
                return roles
            query["token"] = page.token

    async def read(self, key: AttemptKey, choice: Choice) -> AsyncIterator[list[LineView]]:
        """Yield the lines that are there, merged by time."""
        query = {"limit": PAGE, **choice.query()}
        while True:
            page = msgspec.json.decode(await self._get(f"{_path(key)}/lines", query), type=_Page)
            yield page.lines
            if page.at_end:
                return
            query.pop("tail", None)
            query["token"] = page.token

    async def read_text(self, key: AttemptKey, role: str) -> AsyncIterator[bytes]:
        """Yield the text of one log, whole and as it is."""
        async with self._told(), self._stream(f"{_path(key)}/logs/{role}", {}, {}) as answer:
            async for chunk in answer.aiter_bytes(RANGE_BYTES):
                yield chunk

    async def follow(self, key: AttemptKey, choice: Choice) -> AsyncIterator[list[LineView]]:
        """Yield lines as they are written, until the attempt has ended."""
        last, failed = "", 0
        while True:
            why = "The platform ends."
            try:
                async for event in self._events(f"{_path(key)}/lines", choice.query(), last):
                    if event["event"] == "end":
                        ending = msgspec.json.decode(event["data"])
                        if ending["phase"]:
                            return
                        why = ending["error"] or why
                    else:
                        last, failed = event["id"], 0
                        yield msgspec.json.decode(event["data"], type=_Page).lines
            except (httpx.TransportError, httpx.StreamError) as error:
                why = f"{type(error).__name__}: {error}"
            failed += 1
            if failed > RETRIES:
                raise errors.PlatformError(
                    f"The logs of {key} cannot be followed any more; {self.address} said last: {why}",
                    remedy="Start the platform again with `dayfly up`, then follow anew.",
                )
            await self._pause(RETRY_SECONDS)

    async def _events(self, path: str, query: dict[str, Any], last: str) -> AsyncIterator[dict[str, str]]:
        headers = {"Last-Event-ID": last} if last else {}
        async with self._stream(path, {**query, "follow": "true"}, headers) as answer:
            event: dict[str, str] = {}
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                if line:
                    event[name] = value
                elif "event" in event:
                    yield event
                    event = {}

    async def _get(self, path: str, query: dict[str, Any]) -> bytes:
        async with self._told(), self._stream(path, query, {}) as answer:
            return await answer.aread()

    @contextlib.asynccontextmanager
    async def _stream(self, path: str, query: dict[str, Any], headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        async with self._http.stream("GET", path, params=query, headers=headers) as answer:
            if answer.is_error:
                raise _refused(answer.status_code, await answer.aread())
            yield answer

    @contextlib.asynccontextmanager
    async def _told(self) -> AsyncIterator[None]:
        try:
            yield
        except httpx.HTTPError as error:
            raise errors.PlatformError(
                f"No server answers at {self.address}: {error}.",
                remedy="Start one with `dayfly up`, or name another address.",
            ) from error


def _refused(status: int, body: bytes) -> errors.DayflyError:
    try:
        told = msgspec.json.decode(body, type=_Refusal)
    except msgspec.DecodeError:
        return errors.PlatformError(f"The server answers with status {status}.")
    return extras.ERRORS.get(told.code, errors.PlatformError)(told.error)


def _path(key: AttemptKey) -> str:
    project, domain, name, node, attempt = key.split("/")
    return f"/executions/{project}/{domain}/{name}/nodes/{quote(node)}/attempts/{attempt}"
