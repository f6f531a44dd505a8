"""Records in files, one beside the logs of each attempt. Implements `ports.records.Records`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
from pathlib import Path
from typing import Any, NamedTuple

from dayfly.executors.dask.recorder import reading, summing
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import records
from dayfly.ports.records import ClusterRecord

MAX_PLACES = 200
"""Records that somebody reads on in, whose places are remembered."""


class _Place(NamedTuple):
    """Where somebody has stopped reading."""

    file: int
    """Its number in the file system."""
    at: int
    """In bytes, after a whole frame."""
    t: float
    """Of that frame."""
    names: dict[int, str]
    """Told until there."""


class RecordFiles:
    """Records below the folder of the logs."""

    def __init__(self, log_folder: Path) -> None:
        self._root = log_folder.resolve()
        self._places: dict[AttemptKey, _Place] = {}

    async def frames(
        self,
        key: AttemptKey,
        *,
        since: float = 0.0,
        limit: int = 1000,
        every_seconds: float = 0.0,
        most_tasks: int | None = None,
    ) -> list[dict[str, Any]]:
        """Return at most `limit` frames made after `since`, oldest first."""
        if not every_seconds and most_tasks is None:
            return await asyncio.to_thread(self._frames, key, since, limit)
        return await asyncio.to_thread(self._coarse, key, since, limit, every_seconds, most_tasks)

    async def summary(self, key: AttemptKey) -> ClusterRecord | None:
        """Return the record summed up; None where there is none."""
        return await asyncio.to_thread(self._summary, key)

    async def reports(self, key: AttemptKey) -> dict[str, int]:
        """Return the sizes of Dask's own reports."""
        return await asyncio.to_thread(self._reports, key)

    async def report(self, key: AttemptKey, name: str) -> bytes | None:
        """Return one of Dask's own reports."""
        return await asyncio.to_thread(self._raw, key, name) or None if name in records.REPORTS else None

    def _reports(self, key: AttemptKey) -> dict[str, int]:
        sizes = {}
        for name in records.REPORTS:
            with contextlib.suppress(OSError):
                sizes[name] = self._root.joinpath(key, name).stat().st_size
        return sizes

    def _frames(self, key: AttemptKey, since: float, limit: int) -> list[dict[str, Any]]:
        """Return frames as they are; who asks for what follows them is not made to wait until all before is read."""
        raw, file = self._raw_of(key)
        place = self._places.get(key)
        if place is None or place.file != file or place.t > since or place.at > len(raw):
            place = _Place(file, 0, 0.0, {})
        names, at, last, found = dict(place.names), place.at, place.t, []
        for end, frame in itertools.islice(reading.read_on(raw[place.at :], names, since=since), limit):
            at, last = place.at + end, frame["t"]
            found.append(frame)
        self._places[key] = _Place(file, at, last, names)
        while len(self._places) > MAX_PLACES:
            self._places.pop(next(iter(self._places)), None)
        return found

    def _coarse(
        self, key: AttemptKey, since: float, limit: int, every_seconds: float, most_tasks: int | None
    ) -> list[dict[str, Any]]:
        frames = reading.read_coarsely(self._raw(key), since=since, every_seconds=every_seconds, most_tasks=most_tasks)
        return list(itertools.islice(frames, limit))

    def _summary(self, key: AttemptKey) -> ClusterRecord | None:
        raw = self._raw(key)
        return summing.sum_up(reading.read_busy(raw)) if raw else None

    def _raw(self, key: AttemptKey, name: str = records.FILE_NAME) -> bytes:
        return self._raw_of(key, name)[0]

    def _raw_of(self, key: AttemptKey, name: str = records.FILE_NAME) -> tuple[bytes, int]:
        """Return a file's content, and which file it was: one that is thinned takes the place of another."""
        path = self._root.joinpath(key, name).resolve()
        if not path.is_relative_to(self._root):
            return b"", 0
        try:
            with path.open("rb") as file:
                return file.read(), os.fstat(file.fileno()).st_ino
        except OSError:
            return b"", 0
