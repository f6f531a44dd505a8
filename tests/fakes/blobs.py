"""Blobs in a dict: what doors and controller are tested with."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

from dayfly.base import errors
from dayfly.ports.blobs import BlobInfo


class MemoryBlobs:
    """`ports.blobs.Blobs` in memory. `unavailable` makes every call fail as a store does that is away."""

    def __init__(self, root: str = "memory://store") -> None:
        self.root = root
        self.stored: dict[str, bytes] = {}
        self.unavailable = False

    async def find(self, uri: str, *, limit_bytes: int | None = None) -> bytes | None:
        self._check(uri)
        data = self.stored.get(uri)
        if data is not None and limit_bytes is not None and len(data) > limit_bytes:
            raise errors.ResourceExhausted(f"{uri} has {len(data)} bytes, more than {limit_bytes}.")
        return data

    async def stat(self, uri: str) -> BlobInfo | None:
        self._check(uri)
        data = self.stored.get(uri)
        return None if data is None else BlobInfo(len(data), hashlib.md5(data).digest())

    async def put(self, uri: str, data: bytes) -> None:
        self._check(uri)
        self.stored[uri] = bytes(data)

    async def put_stream(
        self, uri: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None, md5: bytes | None
    ) -> int:
        self._check(uri)
        data = b"".join([chunk async for chunk in chunks])
        if size_bytes not in (None, len(data)) or md5 not in (None, hashlib.md5(data).digest()):
            raise errors.InvalidArgument(f"{uri}: {len(data)} bytes came, not what was declared.")
        self.stored[uri] = data
        return len(data)

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        self._check(uri)
        data = self._get(uri)
        for at in range(0, len(data), 1024):
            yield data[at : at + 1024]

    async def copy(self, source: str, target: str) -> None:
        self._check(source)
        self._check(target)
        self.stored[target] = self._get(source)

    async def list(self, prefix: str) -> list[str]:
        folder = prefix.rstrip("/")
        if folder != self.root:
            self._check(folder)
        return sorted(uri for uri in self.stored if uri.startswith(f"{folder}/"))

    async def delete_tree(self, prefix: str) -> None:
        self._check(prefix.rstrip("/"))
        for uri in await self.list(prefix):
            del self.stored[uri]

    def _get(self, uri: str) -> bytes:
        if uri not in self.stored:
            raise errors.NotFound(f"{uri} does not exist.")
        return self.stored[uri]

    def _check(self, uri: str) -> None:
        if self.unavailable:
            raise errors.BlobUnavailable(f"{uri}: the store is away.")
        if not uri.startswith(f"{self.root}/") or ".." in uri.split("/"):
            raise errors.InvalidArgument(f"{uri} lies outside {self.root}.")
