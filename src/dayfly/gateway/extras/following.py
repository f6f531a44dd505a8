"""Server-sent events: a log that is followed while it grows, until its attempt has ended or the platform ends.

Form: https://html.spec.whatwg.org/multipage/server-sent-events.html. Each event's id is where to go on, which
browsers send back by themselves (`Last-Event-ID`) when the connection was lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, NamedTuple

import fastapi
import msgspec

from dayfly.base import errors

POLL_SECONDS = 0.25
"""Files tell nobody that they have grown."""

QUIET_POLLS = 4
"""After so many looks that found nothing, it is asked whether the attempt has ended."""

ALIVE_SECONDS = 15.0
"""After so long without news a comment is sent, so that proxies keep the connection."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}

MEDIA_TYPE = "text/event-stream"


class Told(NamedTuple):
    """One event."""

    event: str
    data: Any
    """Anything msgspec writes as JSON."""
    id: str = ""


class Ending(msgspec.Struct, frozen=True):
    """The last event: nothing will follow."""

    phase: str
    """Of what was followed; empty where the platform ends or the log cannot be read any more."""
    error: str = ""


Look = Callable[[bool], Awaitable[Told | None]]
"""Returns what is new, None if nothing is. True says that the attempt has ended: a line without an end is told too."""

FindEnd = Callable[[], Awaitable[str]]
"""Returns the phase in which the attempt has ended, empty while it lives."""


def respond(look: Look, find_end: FindEnd, closing: asyncio.Event) -> fastapi.Response:
    """Return the answer that goes on until the attempt has ended, or `closing` is set."""
    return fastapi.responses.StreamingResponse(_stream(look, find_end, closing), media_type=MEDIA_TYPE, headers=HEADERS)


async def _stream(look: Look, find_end: FindEnd, closing: asyncio.Event) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    try:
        async for told in _events(look, find_end, closing):
            yield _encode(told) if told is not None else b": alive\n\n"
    except errors.DayflyError as error:
        yield _encode(Told("end", Ending("", str(error))))


async def _events(look: Look, find_end: FindEnd, closing: asyncio.Event) -> AsyncIterator[Told | None]:
    phase = await find_end()
    quiet = 0
    while not closing.is_set():
        news = await look(bool(phase))
        if news is not None:
            quiet = 0
            yield news
        elif phase:
            break
        else:
            quiet += 1
            if quiet % QUIET_POLLS == 0:
                phase = await find_end()
            if quiet % round(ALIVE_SECONDS / POLL_SECONDS) == 0:
                yield None
            await _pause(closing)
    yield Told("end", Ending(phase))


async def _pause(closing: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(closing.wait(), POLL_SECONDS)
    except (asyncio.TimeoutError, TimeoutError):
        return


def _encode(told: Told) -> bytes:
    number = f"id: {told.id}\n".encode() if told.id else b""
    return number + f"event: {told.event}\ndata: ".encode() + msgspec.json.encode(told.data) + b"\n\n"
