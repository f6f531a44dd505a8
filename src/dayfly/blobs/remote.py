"""Object stores through fsspec, on threads: their clients have event loops of their own.

A put of an object store is whole or nothing by itself. A stream that fits into memory is put at once when it has been
checked; a longer one goes up in parts that are joined only when the check has passed, and thrown away when not.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any, TypeVar

import fsspec

from dayfly.base import errors, logs
from dayfly.blobs import local
from dayfly.blobs.checking import Check
from dayfly.ports.blobs import BlobInfo

T = TypeVar("T")

_log = logs.get("blobs")

PART_BYTES = 8 * 1024 * 1024
"""Streams up to this size are one put; longer ones go up in parts of it (S3 takes none under 5 MiB, and 10,000)."""

CHUNK_BYTES = 1024 * 1024

_EXTRAS = {"s3": "s3", "gs": "gcs", "gcs": "gcs", "abfs": "azure", "abfss": "azure", "az": "azure"}
"""Of this distribution, by the schemes for which they bring what is needed."""


class RemoteObjects:
    """What `Blobs` does, for one scheme's addresses that were checked before."""

    def __init__(self, scheme: str) -> None:
        try:
            # Cached listings would hide what tasks, other processes, have written since.
            self._files: Any = fsspec.filesystem(scheme, use_listings_cache=False, skip_instance_cache=True)
        except ImportError as error:
            raise errors.InvalidArgument(
                f"storage {scheme}:// needs a package that is not installed: {error}.",
                remedy=f'Install it: pip install "dayfly[{_EXTRAS[scheme]}]".' if scheme in _EXTRAS else "Install it.",
            ) from error
        except ValueError as error:
            raise errors.InvalidArgument(
                f"storage {scheme}:// is of no known kind: {error}.",
                remedy="Use file:///FOLDER, s3://BUCKET, gs://BUCKET or abfs://CONTAINER.",
            ) from error

    async def find(self, uri: str, limit_bytes: int | None) -> bytes | None:
        """Return the bytes, None if there is no such object."""
        if limit_bytes is not None:
            info = await self.stat(uri)
            if info is None:
                return None
            if info.size_bytes > limit_bytes:
                raise local.too_large(uri, info.size_bytes, limit_bytes)
        return await _ask(uri, lambda: _or_none(lambda: bytes(self._files.cat_file(uri))))

    async def stat(self, uri: str) -> BlobInfo | None:
        """Return the size, None if there is no such object. An ETag is no MD5 under some encryptions."""
        info = await _ask(uri, lambda: _or_none(lambda: self._files.info(uri)))
        return BlobInfo(int(info["size"])) if info is not None and info["type"] == "file" else None

    async def put(self, uri: str, data: bytes) -> None:
        """Store the object."""
        await _ask(uri, lambda: self._files.pipe_file(uri, data))

    async def put_stream(self, uri: str, chunks: AsyncIterator[bytes], check: Check) -> int:
        """Store the stream whole, if it passes the check."""
        held = bytearray()
        parts: Any = None
        try:
            async for chunk in chunks:
                check.see(chunk)
                held += chunk
                if len(held) >= PART_BYTES:
                    parts = parts or await _ask(uri, lambda: self._open_parts(uri))
                    await _ask(uri, _writing(parts, held))
                    held = bytearray()
            check.finish()
            if parts is None:
                await self.put(uri, bytes(held))
            else:
                await _ask(uri, _writing(parts, held))
                await _ask(uri, lambda: _join(parts))
        except BaseException:
            if parts is not None:
                await self._drop(uri, parts)
            raise
        return check.seen_bytes

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        """Yield the object in chunks. Raises `NotFound`."""
        # Asked first: some stores open folders, which have no size, without complaint.
        info = await self.stat(uri)
        if info is None:
            raise local.not_found(uri)
        options = {"block_size": CHUNK_BYTES, "cache_type": "none", "size": info.size_bytes}
        opened = await _ask(uri, lambda: self._files.open(uri, "rb", **options))
        try:
            while chunk := await _ask(uri, lambda: opened.read(CHUNK_BYTES)):
                yield chunk
        finally:
            opened.close()

    async def copy(self, source: str, target: str) -> None:
        """Copy an object. Raises `NotFound`."""
        done = await _ask(target, lambda: _or_none(lambda: (self._files.cp_file(source, target),)))
        if done is None:
            raise local.not_found(source)

    async def list(self, folder: str) -> list[str]:
        """Return the addresses of all objects below the folder, sorted."""
        found = await _ask(folder, lambda: _or_none(lambda: self._files.find(folder))) or []
        # Of an address that names an account too (`abfs://CONTAINER@ACCOUNT...`), the store's paths do not.
        inside = self._files._strip_protocol(folder)
        return sorted(f"{folder}{path[len(inside) :]}" for path in found if path.startswith(f"{inside}/"))

    async def delete_tree(self, folder: str) -> None:
        """Delete all objects below the folder."""
        found = await self.list(folder)
        if found:
            await _ask(folder, lambda: self._files.rm(found))

    async def _drop(self, uri: str, parts: Any) -> None:
        """Throw away what has gone up; where even that fails, why it is thrown away is what is told."""
        try:
            await _ask(uri, lambda: _throw_away(parts))
        except errors.BlobUnavailable as error:
            _log.warning("parts of an upload are left", uri=uri, error=str(error))

    def _open_parts(self, uri: str) -> Any:
        # `open` itself would note the file down for a transaction, and keep it for ever.
        return self._files._open(self._files._strip_protocol(uri), "wb", block_size=PART_BYTES, autocommit=False)


def _writing(parts: Any, held: bytearray) -> Callable[[], Any]:
    return lambda: parts.write(bytes(held))


def _join(parts: Any) -> None:
    parts.close()
    parts.commit()


def _throw_away(parts: Any) -> None:
    # Marked closed, it does not flush itself when it is collected.
    parts.closed = True
    parts.discard()


def _or_none(call: Callable[[], T]) -> T | None:
    try:
        return call()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None


async def _ask(uri: str, call: Callable[[], T]) -> T:
    try:
        return await asyncio.to_thread(call)
    except errors.DayflyError:
        raise
    # Every store's client has errors of its own, often no OSError: whatever it raises, the store did not do it.
    except Exception as error:
        raise errors.BlobUnavailable(
            f"storage: {uri}: {type(error).__name__}: {error}.",
            remedy="Check that the store can be reached, that the bucket exists, and the credentials.",
        ) from error
