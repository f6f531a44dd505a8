"""Beginnings of stored files, for who looks at inputs and outputs: rows of a table, a text's head, a list of files.

Bounded in bytes, rows and time, whatever the file says of itself. What kind of file it is, decides `previewing`; rows
of Parquet are read by a process of their own (`table_head`), which a malformed file may break alone.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable
from typing import Annotated, TypeVar

import fastapi
import msgspec

from dayfly.base import errors, logs
from dayfly.gateway.extras import answers, asking, describing, examples, previewing
from dayfly.ports.blobs import BlobInfo, Blobs

log = logs.get("dayfly.gateway")

SECONDS = 15.0
"""What takes longer is not shown."""

MAX_TABLE_BYTES = 64 * 1024 * 1024
"""Of a Parquet file, which can only be read as a whole here."""

MAX_ROWS = 200

MAX_FILES = 200
"""Of a folder."""

AT_ONCE = 2
"""Tables that are read at the same time; each is a process."""

Uri = Annotated[str, fastapi.Query(min_length=1, max_length=4096, description="Address of a file, folder or dataset.")]
Rows = Annotated[int, fastapi.Query(ge=1, le=MAX_ROWS, description="Rows of a table at most.")]

Result = TypeVar("Result")


def router(blobs: Blobs) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(tags=["data"])
    reader = Reader(blobs)

    @routes.get(
        "/previews",
        summary="The beginning of a stored file, folder or dataset",
        description="What can be read is what a link for downloads can be made for. Pickles are never loaded.",
        responses=describing.answer("What it is, and how it begins.", examples.PREVIEW),
    )
    async def read_preview(uri: Uri, rows: Rows = 20) -> fastapi.Response:
        return asking.respond(await _in_time(reader.read(uri, rows), uri))

    return routes


class Reader:
    """Reads beginnings."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs, self._places = blobs, asyncio.Semaphore(AT_ONCE)

    async def read(self, uri: str, rows: int) -> answers.Preview:
        """Return how it begins. Raise `NotFound`."""
        info = await self._blobs.stat(uri)
        return await (self._folder(uri, rows) if info is None else self._file(uri, info.size_bytes, rows))

    async def _folder(self, uri: str, rows: int) -> answers.Preview:
        files = await self._blobs.list(uri.rstrip("/"))
        shown = files[:MAX_FILES]
        stats = await asyncio.gather(*(self._stat(one) for one in shown))
        listed = [
            answers.PreviewFile(one, stat.size_bytes)
            for one, stat in zip(shown, stats, strict=True)
            if stat is not None
        ]
        if not listed:
            raise errors.NotFound(
                f"There is nothing at {uri[:300]}.", remedy="It was removed since, or was never written to the end."
            )
        total = len(files) - (len(shown) - len(listed))
        folder = answers.Preview(uri, "folder", files=listed, total_files=total)
        # A dataset is a folder of parts: the first one stands for it.
        first = await self._first_part(listed, rows)
        if first is None:
            return folder
        total_rows = first.total_rows if total == 1 else None
        return msgspec.structs.replace(first, uri=uri, files=listed, total_files=total, total_rows=total_rows)

    async def _stat(self, uri: str) -> BlobInfo | None:
        """Return what is known of a file of a folder; None for what is none, as a pipe or a link that leads out."""
        try:
            return await self._blobs.stat(uri)
        except errors.InvalidArgument:
            return None

    async def _first_part(self, files: list[answers.PreviewFile], rows: int) -> answers.Preview | None:
        """Return the beginning of the first file, if it is a table; None for any other folder."""
        if not previewing.may_be_table(files[0].uri):
            return None
        found = await self._file(files[0].uri, files[0].size_bytes, rows)
        return found if found.kind == "table" else None

    async def _file(self, uri: str, size: int, rows: int) -> answers.Preview:
        head = await self._head(uri)
        found = previewing.look(uri, head, size, rows)
        if found.kind != "table" or found.columns:
            return found
        if size > MAX_TABLE_BYTES:
            told = f"It is too large for its rows to be shown here: only up to {MAX_TABLE_BYTES >> 20} MiB are read."
            return msgspec.structs.replace(found, told=told)
        async with self._places:
            return msgspec.structs.replace(found, **await self._rows(uri, rows))

    async def _head(self, uri: str) -> bytes:
        head = b""
        async for chunk in self._blobs.read_stream(uri):
            head += chunk[: previewing.HEAD_BYTES - len(head)]
            if len(head) >= previewing.HEAD_BYTES:
                break
        return head

    async def _rows(self, uri: str, rows: int) -> previewing.Table:
        raw = await self._blobs.find(uri, limit_bytes=MAX_TABLE_BYTES)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "dayfly.gateway.extras.table_head", str(rows)),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            told, _ = await child.communicate(raw or b"")
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return previewing.read_table(told)


async def _in_time(reading: Awaitable[Result], uri: str) -> Result:
    try:
        return await asyncio.wait_for(reading, SECONDS)
    except (asyncio.TimeoutError, TimeoutError) as error:
        raise errors.PlatformError(
            f"{uri[:300]} could not be read within {SECONDS:g} s.", remedy="Download it instead, or try again later."
        ) from error
