"""Logs of attempts as text: whole, or the last lines."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO, Protocol

import fastapi

from dayfly.base import errors

PART = re.compile(r"[A-Za-z0-9._#-]+")
"""A name of something that has logs: `#` is in the ids of arrays' elements."""

CHUNK_BYTES = 64 * 1024
MAX_TAIL_LINES = 100_000


class LogFiles(Protocol):
    """Where logs lie."""

    def __call__(self, project: str, domain: str, execution: str, node: str, attempt: str, role: str) -> Path | None:
        """Return the file of one role (`task`, `scheduler`, `worker-0`) of an attempt, None if there is none."""
        ...


def below(root: Path) -> LogFiles:
    """Return `LogFiles` for `<root>/<project>/<domain>/<execution>/<node>/<attempt>/<role>.log`, never outside it."""

    def find(project: str, domain: str, execution: str, node: str, attempt: str, role: str) -> Path | None:
        found = root.joinpath(project, domain, execution, node, attempt, f"{role}.log").resolve()
        return found if found.is_relative_to(root.resolve()) and found.is_file() else None

    return find


def router(find: LogFiles) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(prefix="/api/dayfly/v1/logs", tags=["links"])

    @routes.get(
        "/{project}/{domain}/{execution}/{node}/{attempt}/{role}",
        summary="One log as text, whole or its last lines: where the links among an attempt's logs lead",
        operation_id="read_linked_log",
        response_class=fastapi.responses.PlainTextResponse,
    )
    async def read(
        project: str, domain: str, execution: str, node: str, attempt: str, role: str, tail: int | None = None
    ) -> fastapi.Response:
        parts = (project, domain, execution, node, attempt, role)
        for part in parts:
            if not PART.fullmatch(part) or part in (".", ".."):
                raise errors.InvalidArgument(f"{part!r} is not a name that a log can have.")
        if tail is not None and not 0 < tail <= MAX_TAIL_LINES:
            raise errors.InvalidArgument(f"tail={tail} is not between 1 and {MAX_TAIL_LINES} lines.")
        path = await asyncio.to_thread(find, *parts)
        if path is None:
            raise errors.NotFound(f"There is no log of {role} for attempt {attempt} of {execution}/{node}.")
        headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return fastapi.responses.StreamingResponse(
            _chunks(path, tail), headers=headers, media_type="text/plain; charset=utf-8"
        )

    return routes


async def _chunks(path: Path, tail: int | None) -> AsyncIterator[bytes]:
    # Opened here, not before: a client that is gone by now leaves no open file behind.
    file = await asyncio.to_thread(path.open, "rb")
    try:
        if tail is not None:
            await asyncio.to_thread(_seek_last_lines, file, tail)
        while chunk := await asyncio.to_thread(_read_on, file):
            yield chunk
    finally:
        file.close()


def _read_on(file: BinaryIO) -> bytes:
    """Return what comes next, without what a log that was too long had left out of its middle: zeros, in its file."""
    while chunk := file.read(CHUNK_BYTES):
        if text := chunk.strip(b"\0"):
            return text
        with contextlib.suppress(OSError):  # nothing but zeros behind it, or a file system that does not tell
            file.seek(os.lseek(file.fileno(), file.tell(), os.SEEK_DATA))
    return b""


def _seek_last_lines(file: BinaryIO, lines: int) -> None:
    """Leave the file at the start of its last `lines` lines, reading backwards."""
    at = end = file.seek(0, os.SEEK_END)
    wanted = lines
    while at > 0:
        start = max(0, at - CHUNK_BYTES)
        file.seek(start)
        chunk = file.read(at - start)
        if at == end and chunk.endswith(b"\n"):
            chunk = chunk[:-1]  # The newline that ends the file begins no line.
        found = chunk.count(b"\n")
        if found >= wanted:
            place = len(chunk)
            for _ in range(wanted):
                place = chunk.rindex(b"\n", 0, place)
            file.seek(start + place + 1)
            return
        wanted -= found
        at = start
    file.seek(0)
