"""Local files. Small ones are read and written in place, which is faster than a hop to a thread; large ones in one.

A file is written beside its place under a name that no list shows and then moved there, so that readers see all of it
or nothing. Data is not forced to the disk: what a power cut takes, a retry of the task makes again.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from dayfly.base import errors, ids
from dayfly.blobs import addressing
from dayfly.blobs.checking import Check
from dayfly.ports.blobs import BlobInfo

INLINE_BYTES = 64 * 1024
"""Up to this size a file is read or written on the event loop: tens of microseconds, less than a thread's hop."""

CHUNK_BYTES = 1024 * 1024

_PART = ".part~"
"""Begins the names of files that are still being written."""


class LocalFiles:
    """What `Blobs` does, for `file://` addresses that were checked before."""

    async def find(self, uri: str, limit_bytes: int | None) -> bytes | None:
        """Return the bytes, None if there is no such file."""
        with _telling(uri):
            file = _open(uri)
            if file is None:
                return None
            with file:
                size = os.fstat(file.fileno()).st_size
                if limit_bytes is not None and size > limit_bytes:
                    raise too_large(uri, size, limit_bytes)
                return file.read() if size <= INLINE_BYTES else await asyncio.to_thread(file.read)

    async def stat(self, uri: str) -> BlobInfo | None:
        """Return the size, None if there is no such file. Files keep no checksum."""
        with _telling(uri):
            try:
                known = os.stat(addressing.path_of(uri))
            except (FileNotFoundError, NotADirectoryError):
                return None
            return BlobInfo(known.st_size) if stat.S_ISREG(known.st_mode) else None

    async def put(self, uri: str, data: bytes) -> None:
        """Write the file whole."""
        if len(data) <= INLINE_BYTES:
            _write(uri, data)
        else:
            await asyncio.to_thread(_write, uri, data)

    async def put_stream(self, uri: str, chunks: AsyncIterator[bytes], check: Check) -> int:
        """Write the stream whole, if it passes the check."""
        path = addressing.path_of(uri)
        part = _part_path(path)
        try:
            with _telling(uri):
                file = _create(part)
            try:
                # What the sender's side raises is not the disk's fault, hence not told as such.
                async for chunk in chunks:
                    check.see(chunk)
                    with _telling(uri):
                        await asyncio.to_thread(file.write, chunk)
                with _telling(uri):
                    await asyncio.to_thread(file.close)
            finally:
                # Where a write has failed, which is told, this one fails again.
                with suppress(OSError):
                    file.close()
            check.finish()
            with _telling(uri):
                os.replace(part, path)
        except BaseException:
            _discard(part)
            raise
        return check.seen_bytes

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        """Yield the file in chunks. Raises `NotFound`."""
        with _telling(uri):
            file = _open(uri)
            if file is None:
                raise not_found(uri)
            with file:
                while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                    yield chunk

    async def copy(self, source: str, target: str) -> None:
        """Copy a file. Raises `NotFound`."""
        await asyncio.to_thread(_copy, source, target)

    async def list(self, folder: str) -> list[str]:
        """Return the addresses of all files below the folder, sorted."""
        with _telling(folder):
            return await asyncio.to_thread(_walk, folder)

    async def delete_tree(self, folder: str) -> None:
        """Remove the folder and all below it."""
        with _telling(folder):
            await asyncio.to_thread(_remove, addressing.path_of(folder))


def prepare_root(root: str) -> None:
    """Make the root folder if there is none. Raises `BlobUnavailable`."""
    with _telling(root):
        os.makedirs(addressing.path_of(root), exist_ok=True)


def not_found(uri: str) -> errors.NotFound:
    """Return the error for a blob that is not there."""
    return errors.NotFound(f"{uri} does not exist.")


def too_large(uri: str, size: int, limit_bytes: int) -> errors.ResourceExhausted:
    """Return the error for a blob above a limit."""
    return errors.ResourceExhausted(
        f"{uri} has {size} bytes, more than the {limit_bytes} that can be handled here.",
        remedy="Pass large data as a file, directory or dataset instead of a plain value.",
    )


def _open(uri: str) -> IO[bytes] | None:
    try:
        return open(addressing.path_of(uri), "rb", opener=_open_file)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None


def _open_file(path: str, flags: int) -> int:
    """Open a file only: a pipe would wait for its writer, and the event loop with it."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FileNotFoundError(path)
    opened = os.open(path, flags | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(opened).st_mode):  # It was replaced meanwhile.
        os.close(opened)
        raise FileNotFoundError(path)
    return opened


def _write(uri: str, data: bytes) -> None:
    path = addressing.path_of(uri)
    part = _part_path(path)
    with _telling(uri):
        try:
            with _create(part) as file:
                file.write(data)
            os.replace(part, path)
        except BaseException:
            _discard(part)
            raise


def _copy(source: str, target: str) -> None:
    path = addressing.path_of(target)
    part = _part_path(path)
    with _telling(target):
        try:
            with open(addressing.path_of(source), "rb", opener=_open_file) as read, _create(part) as write:
                shutil.copyfileobj(read, write, CHUNK_BYTES)
            os.replace(part, path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            _discard(part)
            raise not_found(source) from None
        except BaseException:
            _discard(part)
            raise


def _walk(folder: str) -> list[str]:
    found = []
    top = addressing.path_of(folder)
    for place, _, names in os.walk(top):
        found += [f"{folder}{place[len(top) :]}/{name}" for name in names if not name.startswith(_PART)]
    return sorted(found)


def _remove(path: str) -> None:
    try:
        shutil.rmtree(path)
    except (FileNotFoundError, NotADirectoryError):
        return  # nothing below it, which is what was asked for


def _part_path(path: str) -> str:
    return f"{os.path.dirname(path)}/{_PART}{ids.unique()}"


def _create(path: str) -> IO[bytes]:
    """Open a new file, and make its folder only where it lacks: most files have neighbours."""
    try:
        return open(path, "xb")
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return open(path, "xb")


def _discard(part: str) -> None:
    try:
        os.unlink(part)
    except OSError:
        return  # it was never made, or the disk that failed to write fails to remove as well


@contextmanager
def _telling(uri: str) -> Iterator[None]:
    """Translate what the file system says."""
    try:
        yield
    except OSError as error:
        raise errors.BlobUnavailable(
            f"storage: {uri}: {error.strerror or error}.", remedy="Check the disk's space and the folder's permissions."
        ) from error
