"""Records in files, one beside the logs of each attempt. Implements `ports.records.Records`."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from pathlib import Path
from typing import Any

from dayfly.executors.dask.recorder import reading, summing
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import records
from dayfly.ports.records import ClusterRecord


class RecordFiles:
    """Records below the folder of the logs."""

    def __init__(self, log_folder: Path) -> None:
        self._root = log_folder.resolve()

    async def frames(self, key: AttemptKey, *, since: float = 0.0, limit: int = 1000) -> list[dict[str, Any]]:
        """Return at most `limit` frames made after `since`, oldest first."""
        return await asyncio.to_thread(self._frames, key, since, limit)

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
        later = (frame for frame in reading.read(self._raw(key)) if frame["t"] > since)
        return list(itertools.islice(later, limit))

    def _summary(self, key: AttemptKey) -> ClusterRecord | None:
        raw = self._raw(key)
        return summing.sum_up(reading.read(raw)) if raw else None

    def _raw(self, key: AttemptKey, name: str = records.FILE_NAME) -> bytes:
        path = self._root.joinpath(key, name).resolve()
        if not path.is_relative_to(self._root):
            return b""
        try:
            return path.read_bytes()
        except OSError:
            return b""
