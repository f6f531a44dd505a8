"""Reads the logs of local processes in ranges. Implements `ports.attempt_logs.AttemptLogs`."""

from __future__ import annotations

import asyncio
import bisect
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.executors.local.forked import log_looks
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import LogFile, Mark, Piece

SUFFIX = ".log"

MAX_MARKS = 10_000
"""Told of one range."""

_NUMBERS = re.compile(r"(\d+)")


class LogFolder:
    """Logs at `<root>/<attempt key>/<role>.log`, and nothing outside of `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    async def list_files(self, key: AttemptKey) -> list[LogFile]:
        """Return the logs of an attempt by role; see `AttemptLogs.list_files`."""
        return await asyncio.to_thread(self._list, key)

    async def read(self, key: AttemptKey, role: str, start: int, limit_bytes: int) -> Piece:
        """Return a range of a log; see `AttemptLogs.read`."""
        return await asyncio.to_thread(self._read, key, role, start, limit_bytes)

    def _list(self, key: AttemptKey) -> list[LogFile]:
        try:
            with os.scandir(self._root / key) as entries:
                found = [entry.name.removesuffix(SUFFIX) for entry in entries if entry.name.endswith(SUFFIX)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise _unreadable(self._root / key, error) from error
        return [one for role in sorted(found, key=_by_number) if (one := self._look(key, role)) is not None]

    def _look(self, key: AttemptKey, role: str) -> LogFile | None:
        path = self._path(key, role)
        try:
            stat = path.stat() if path is not None else None
        except OSError:
            return None  # Removed while we looked.
        return LogFile(role, stat.st_size, Micros(stat.st_mtime_ns // 1000)) if stat is not None else None

    def _read(self, key: AttemptKey, role: str, start: int, limit_bytes: int) -> Piece:
        path = self._path(key, role)
        if path is None:
            raise errors.NotFound(
                f"Attempt {key} has no log of {role!r}.", remedy="The list of its logs says which there are."
            )
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                start, data = read_range(descriptor, start, limit_bytes)
                size_bytes = max(os.fstat(descriptor).st_size, start + len(data) if data else 0)
                marks = _read_marks(path.with_suffix(log_looks.SUFFIX), start, start + len(data)) if data else ()
                return Piece(start, data, size_bytes, marks)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise _unreadable(path, error) from error

    def _path(self, key: AttemptKey, role: str) -> Path | None:
        path = self._root.joinpath(key, f"{role}{SUFFIX}").resolve()
        return path if path.is_relative_to(self._root / key) and path.is_file() else None


def read_range(descriptor: int, start: int, limit_bytes: int) -> tuple[int, bytes]:
    """Return where a range of a file begins, behind a hole where `start` lies in one, and its bytes up to the next."""
    if _has_holes(descriptor):
        try:
            start = os.lseek(descriptor, start, os.SEEK_DATA)
            limit_bytes = min(limit_bytes, os.lseek(descriptor, start, os.SEEK_HOLE) - start)
        except OSError:
            pass  # nothing but the end behind `start`, or a file system that does not tell
    return start, os.pread(descriptor, limit_bytes, start)


def _has_holes(descriptor: int) -> bool:
    stat = os.fstat(descriptor)
    return stat.st_blocks * 512 < stat.st_size


def _read_marks(path: Path, start: int, end: int) -> tuple[Mark, ...]:
    """Return the looks that say when a range was written; none where there are no looks, which is no fault."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return ()
    try:
        looks = _Looks(descriptor)
        first = max(0, bisect.bisect_right(looks, start) - 1)
        last = min(len(looks), bisect.bisect_left(looks, end) + 1, first + MAX_MARKS)
        raw = os.pread(descriptor, (last - first) * log_looks.ENTRY.size, first * log_looks.ENTRY.size)
    except OSError:
        return ()
    finally:
        os.close(descriptor)
    whole = raw[: len(raw) - len(raw) % log_looks.ENTRY.size]
    return tuple(Mark(Micros(at), size_bytes) for at, size_bytes in log_looks.ENTRY.iter_unpack(whole))


class _Looks(Sequence[int]):
    """The sizes that a file of looks tells, read one by one, for a search in it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._count = os.fstat(descriptor).st_size // log_looks.ENTRY.size

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, place: Any) -> Any:
        raw = os.pread(self._descriptor, log_looks.ENTRY.size, place * log_looks.ENTRY.size)
        return log_looks.ENTRY.unpack(raw)[1]


def _by_number(role: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in _NUMBERS.split(role)]


def _unreadable(path: Path, error: OSError) -> errors.PlatformError:
    return errors.PlatformError(
        f"{path} cannot be read: {error.strerror}.", remedy="Check the permissions of the platform's data folder."
    )
