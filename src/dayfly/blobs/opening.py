"""The way in: one object for all addresses below the roots. Implements `ports.blobs.Blobs`.

Checks each address, then hands it to local files or to the object store of its scheme, made at first use.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

from dayfly.blobs import addressing, local
from dayfly.blobs.checking import Check
from dayfly.ports.blobs import BlobInfo

if TYPE_CHECKING:
    from dayfly.blobs.remote import RemoteObjects

    Store = local.LocalFiles | RemoteObjects


class FsspecBlobs:
    """`Blobs` over local files and whatever fsspec knows."""

    def __init__(self, root: str, roots: tuple[str, ...]) -> None:
        self._root, self._roots = root, addressing.Roots(roots)
        self._local = local.LocalFiles()
        self._remote: dict[str, RemoteObjects] = {}

    @property
    def root(self) -> str:
        """Return the prefix for everything the platform writes, without a trailing slash."""
        return self._root

    async def find(self, uri: str, *, limit_bytes: int | None = None) -> bytes | None:
        """Return the bytes, None if there is no such blob. Raise `ResourceExhausted` above `limit_bytes`."""
        return await self._store(uri).find(uri, limit_bytes)

    async def stat(self, uri: str) -> BlobInfo | None:
        """Return what is known of the blob, None if there is none."""
        return await self._store(uri).stat(uri)

    async def put(self, uri: str, data: bytes) -> None:
        """Store `data` whole or not at all; a reader never sees half of it."""
        await self._store(uri).put(uri, data)

    async def put_stream(
        self, uri: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None, md5: bytes | None
    ) -> int:
        """Store a stream whole or not at all and return its size.

        Raise `InvalidArgument` when it is shorter or longer than `size_bytes` or its MD5 is not `md5` (raw bytes);
        then nothing is kept.
        """
        return await self._store(uri).put_stream(uri, chunks, Check(uri, size_bytes, md5))

    async def read_stream(self, uri: str) -> AsyncIterator[bytes]:
        """Yield the blob in chunks. Raise `NotFound` if there is none."""
        async for chunk in self._store(uri).read_stream(uri):
            yield chunk

    async def copy(self, source: str, target: str) -> None:
        """Copy a blob, from one store to another where need be. Raise `NotFound` if there is none."""
        reader, writer = self._store(source), self._store(target)
        if reader is writer:
            await reader.copy(source, target)
        else:
            await writer.put_stream(target, reader.read_stream(source), Check(target, None, None))

    async def list(self, prefix: str) -> list[str]:
        """Return the addresses of all blobs below `prefix`, sorted."""
        folder = self._roots.check_folder(prefix)
        return await self.store_of(folder).list(folder)

    async def delete_tree(self, prefix: str) -> None:
        """Delete all blobs below `prefix`; none there is fine. The roots themselves are refused."""
        folder = prefix.rstrip("/")
        await self._store(folder).delete_tree(folder)

    def _store(self, uri: str) -> Store:
        self._roots.check(uri)
        return self.store_of(uri)

    def store_of(self, uri: str) -> Store:
        """Return what holds the addresses of this scheme. Raise `InvalidArgument` where nothing can."""
        scheme = addressing.scheme_of(uri)
        if scheme == addressing.LOCAL:
            return self._local
        if scheme not in self._remote:
            # fsspec and what it loads are left out of processes that keep to local files.
            from dayfly.blobs.remote import RemoteObjects

            self._remote[scheme] = RemoteObjects(scheme)
        return self._remote[scheme]


def open(root_uri: str, *, extra_roots: Sequence[str] = ()) -> FsspecBlobs:
    """Open the store that `root_uri` names (`file:///FOLDER`, a path, `s3://BUCKET[/PREFIX]`); local folders are made.

    Addresses below `extra_roots` may be read and written too. Raises `InvalidArgument` for an address of no known kind
    and `BlobUnavailable` where a local folder cannot be made; an object store is first asked at first use.
    """
    roots = tuple(addressing.normalize_root(uri) for uri in (root_uri, *extra_roots))
    for root in roots:
        if addressing.scheme_of(root) == addressing.LOCAL:
            local.prepare_root(root)
    blobs = FsspecBlobs(roots[0], roots)
    for root in roots:
        blobs.store_of(root)
    return blobs
