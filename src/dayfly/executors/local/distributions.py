"""Unpacks fast-registered code once for each address; each attempt gets a copy of its own.

Called by executors before a group is started. The cache is filled under another name and renamed, so that nobody sees
half of it.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import shutil
import tarfile
import zlib
from pathlib import Path, PurePosixPath

from dayfly.base import errors, ids
from dayfly.ports.blobs import Blobs


class Distributions:
    """The unpacked code below one folder."""

    def __init__(self, blobs: Blobs, folder: Path) -> None:
        self._blobs, self._folder = blobs, folder
        self._locks: dict[str, asyncio.Lock] = {}
        self._known: set[str] = set()

    async def unpack(self, uri: str) -> str:
        """Return the folder that holds the code at `uri`: a `.tar.gz` is unpacked, anything else lies there as it is.

        Raises `NotFound`, `InvalidArgument` for an archive that is broken or reaches out of its folder,
        `BlobUnavailable`, `ExecutorUnavailable` when it cannot be written.
        """
        target = self._folder / hashlib.sha256(uri.encode()).hexdigest()[:32]
        if uri in self._known:
            return str(target)
        async with self._locks.setdefault(uri, asyncio.Lock()):
            if not await asyncio.to_thread(target.is_dir):
                await self._fill(uri, target)
            self._known.add(uri)
        self._locks.pop(uri, None)
        return str(target)

    async def _fill(self, uri: str, target: Path) -> None:
        draft = self._folder / f"{target.name}.{ids.unique()}"
        try:
            draft.mkdir(parents=True)
            file = draft / PurePosixPath(uri).name
            with file.open("wb") as written:
                async for chunk in self._blobs.read_stream(uri):
                    written.write(chunk)
            if file.name.endswith(".tar.gz"):
                await asyncio.to_thread(_unpack, file, draft)
                file.unlink()
            draft.rename(target)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise errors.InvalidArgument(
                f"The code at {uri} cannot be unpacked: {error}.", remedy="Register the workflow again."
            ) from error
        except OSError as error:
            # Another platform process may have put it there in the same moment; its copy is as good.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise errors.ExecutorUnavailable(
                    f"The code at {uri} cannot be unpacked to {target}: {error.strerror or error}.",
                    remedy="Free some space on that disk, or make the folder writable.",
                ) from error
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _unpack(archive: Path, target: Path) -> None:
    with tarfile.open(archive, "r:gz") as tar:
        if hasattr(tarfile, "data_filter"):
            tar.extractall(target, filter="data")
        else:
            _check(tar)
            tar.extractall(target)


def _check(tar: tarfile.TarFile) -> None:
    """Refuse what Python's own filter refuses, where it has none yet. Raises `tarfile.TarError`."""
    for member in tar.getmembers():
        names = [member.name]
        if member.issym():
            names.append(os.path.join(os.path.dirname(member.name), member.linkname))
        elif member.islnk():
            names.append(member.linkname)
        outside = any(os.path.isabs(name) or os.path.normpath(name).split("/")[0] == ".." for name in names)
        if outside or os.path.isabs(member.linkname) or member.isdev():
            raise tarfile.TarError(f"{member.name} is a device or leaves its folder")
