"""Bytes under addresses: the object store, or local files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class BlobInfo(msgspec.Struct, frozen=True):
    """What is known of a stored blob."""

    size_bytes: int
    md5: bytes | None = None
    """16 raw bytes, where the store keeps them."""


class Blobs(Protocol):
    """A store of bytes. Addresses are URIs (`file:///...`, `s3://...`); every one lies below a known root.

    An absolute path stands for the local file's URI: flytekit writes, and reads, local files by their paths.

    Raises `BlobUnavailable` where the store does not answer or refuses, `InvalidArgument` for an address that leaves
    its roots (`..`, another bucket).
    """

    @property
    def root(self) -> str:
        """Return the prefix for everything the platform writes, without a trailing slash."""
        ...

    async def find(self, uri: str, *, limit_bytes: int | None = None) -> bytes | None:
        """Return the bytes, None if there is no such blob. Raise `ResourceExhausted` above `limit_bytes`."""
        ...

    async def stat(self, uri: str) -> BlobInfo | None:
        """Return what is known of the blob, None if there is none."""
        ...

    async def put(self, uri: str, data: bytes) -> None:
        """Store `data` whole or not at all; a reader never sees half of it."""
        ...

    async def put_stream(
        self, uri: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None, md5: bytes | None
    ) -> int:
        """Store a stream whole or not at all and return its size.

        Raise `InvalidArgument` when it is shorter or longer than `size_bytes` or its MD5 is not `md5` (raw bytes);
        then nothing is kept.
        """
        ...

    def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        """Yield the blob in chunks. Raise `NotFound` if there is none."""
        ...

    async def copy(self, source: str, target: str) -> None:
        """Copy a blob within the store. Raise `NotFound` if there is none."""
        ...

    async def list(self, prefix: str) -> list[str]:
        """Return the addresses of all blobs below `prefix`, sorted."""
        ...

    async def delete_tree(self, prefix: str) -> None:
        """Delete all blobs below `prefix`; none there is fine."""
        ...
