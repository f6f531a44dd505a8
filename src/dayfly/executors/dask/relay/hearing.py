"""What the roles of clusters of pods have told, by attempt: the facts of the moment, and flight records in their files.

Called with every line of their logs (`ports.pod_groups.LineTaker`), in any order between roles; a line may come again
after a break. Records are files as schedulers of this host write them (`roles/recording_frames.py`), and so are Dask's
own reports.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import msgspec

from dayfly.base import logs
from dayfly.base.clock import Micros
from dayfly.executors.dask import naming
from dayfly.executors.dask.recorder import reading
from dayfly.executors.dask.relay import splitting, told_frames, told_reports
from dayfly.executors.dask.roles import carried, recording_frames
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import records

FACTS, FRAME, REPORT = "facts", "frame", "report"
"""Kinds of what is told."""

MAX_WAITING = 1000
"""Frames of one record that wait for the disk, before others are dropped."""

_log = logs.get("executors.dask")


class Hearing:
    """Hears the clusters of one provider; `changed` is called with the attempt whose facts are others now."""

    def __init__(self, log_folder: Path, changed: Callable[[AttemptKey], None]) -> None:
        self._folder, self._changed = log_folder, changed
        self._attempts: dict[AttemptKey, _Attempt] = {}

    def take(self, key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        """Return what the log keeps of a line, None for nothing; see `ports.pod_groups.LineTaker`."""
        attempt = self._attempts.get(key)
        if attempt is None:
            return line
        if carried.CODE_VARIABLE.encode() in line:
            return None  # Dask says which program it loads: ours, which nobody has written.
        kept, told = attempt.splitters.setdefault(role, splitting.Splitter()).split(line)
        if told is not None and told.kind == FACTS:
            self._take_facts(key, attempt, role, told.body)
        elif told is not None and told.kind == FRAME and role == naming.SCHEDULER:
            self._take_frame(key, attempt, told.body)
        elif told is not None and told.kind == REPORT and role == naming.SCHEDULER:
            self._take_report(attempt, told.body)
        return kept

    def begin(self, key: AttemptKey) -> None:
        """Hear a cluster from now on."""
        self._attempts.setdefault(key, _Attempt(self._folder / key))

    def differing(self, key: AttemptKey) -> dict[str, Any]:
        """Return the record's event of the first role whose packages differ from the scheduler's; empty: none does."""
        attempt = self._attempts.get(key)
        return attempt.differing if attempt is not None else {}

    def facts(self, key: AttemptKey, role: str) -> dict[str, Any]:
        """Return what a role has told last; empty before."""
        attempt = self._attempts.get(key)
        return attempt.facts.get(role, {}) if attempt is not None else {}

    async def settle(self, key: AttemptKey) -> None:
        """Return when everything that was told is in the record's file."""
        attempt = self._attempts.get(key)
        while attempt is not None and attempt.writing is not None:
            await asyncio.wait({attempt.writing})

    async def end(self, key: AttemptKey, driver_limit_bytes: int) -> None:
        """Complete the record of a cluster that has ended, with what its driver has held of so much."""
        await self.settle(key)
        attempt = self._attempts.get(key)
        if attempt is not None:
            await asyncio.to_thread(attempt.record.end, driver_limit_bytes)

    async def forget(self, key: AttemptKey) -> None:
        """Let go of a cluster, its record complete."""
        await self.settle(key)
        attempt = self._attempts.pop(key, None)
        if attempt is not None:
            attempt.record.close()

    async def close(self) -> None:
        """Let go of all clusters; another platform may hear them."""
        for key in tuple(self._attempts):
            await self.forget(key)

    def _take_facts(self, key: AttemptKey, attempt: _Attempt, role: str, body: bytes) -> None:
        # What is nested too deep to be read or compared is none of ours either.
        with contextlib.suppress(msgspec.MsgspecError, TypeError, ValueError, RecursionError):
            told = msgspec.json.decode(body)
            if isinstance(told, dict) and told != attempt.facts.get(role):
                if role == naming.DRIVER:
                    attempt.record.driver_peak_bytes = msgspec.convert(told, _OfDriver).peak_bytes
                attempt.facts[role] = told
                if role != naming.DRIVER:
                    self._changed(key)

    def _take_frame(self, key: AttemptKey, attempt: _Attempt, body: bytes) -> None:
        found = told_frames.find_differing(body)
        if found is not None:
            attempt.differing = attempt.differing or msgspec.to_builtins(found)
            self._changed(key)
        if len(attempt.waiting) < MAX_WAITING:
            attempt.waiting.append(body)
        attempt.begin_writing()

    def _take_report(self, attempt: _Attempt, body: bytes) -> None:
        report = told_reports.read(body)
        if report is not None:
            attempt.reports[report.name] = report
            attempt.begin_writing()


class _Attempt:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = Record(folder / records.FILE_NAME)
        self.splitters: dict[str, splitting.Splitter] = {}
        self.facts: dict[str, dict[str, Any]] = {}
        self.differing: dict[str, Any] = {}
        self.waiting: list[bytes] = []
        self.reports: dict[str, told_reports.Report] = {}
        """Those that wait for the disk."""
        self.writing: asyncio.Task[None] | None = None

    def begin_writing(self) -> None:
        """Have written what waits."""
        if self.writing is None:
            self.writing = asyncio.create_task(self._write(), name="flight record")

    async def _write(self) -> None:
        try:
            while self.waiting or self.reports:
                bodies, self.waiting = self.waiting, []
                told, self.reports = self.reports, {}
                # On a thread: where a record has reached its limit, thinning it takes a moment.
                await asyncio.to_thread(self.record.add, bodies)
                await asyncio.to_thread(told_reports.write, self.folder, told.values())
        finally:
            self.writing = None


class _OfDriver(msgspec.Struct, frozen=True):
    """What a driver tells as facts."""

    peak_bytes: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0


class Record:
    """One flight record at home; frames that it has already are passed over."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: recording_frames.Writer | None = None
        self._last = 0.0
        self._again = False
        """An earlier platform has brought frames, and they may come again."""
        self._failed = False
        self.driver_peak_bytes = 0
        """Most that the driver has held; 0 is not known."""

    def end(self, driver_limit_bytes: int) -> None:
        """Append what the driver has held, as a scheduler of one host does at the end."""
        peak, self.driver_peak_bytes = self.driver_peak_bytes, 0
        self._again = False
        if peak and self._writer is not None:
            roles = {naming.DRIVER: (peak >> 20, driver_limit_bytes >> 20)}
            self.add([recording_frames.pack({"t": self._last + 0.001, "roles": roles})])

    def add(self, bodies: list[bytes]) -> None:
        """Append frames. A disk that is full is said once."""
        try:
            for body in bodies:
                self._add(body)
        except OSError as error:
            if not self._failed:
                _log.warning("a flight record has gaps", record=str(self._path), error=str(error))
            self._failed = True

    def close(self) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _add(self, body: bytes) -> None:
        at = told_frames.read_moment(body)
        if at is None:
            return  # Nothing that a recorder has made.
        if self._writer is None:
            self._open()
        if self._writer is None or (self._again and at <= self._last):
            return
        self._writer.append_packed(body)
        self._again, self._last = False, at  # Later frames may say that they are older: clocks are set.

    def _open(self) -> None:
        """Open the file, and find out what an earlier platform has brought."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            whole = 0
            for end, frame in reading.split(self._path.read_bytes()):
                whole, self._last, self._again = end, float(frame.get("t", 0.0)), True
            os.truncate(self._path, whole)  # what a full disk has left of a frame would hide all that follow
        self._writer = recording_frames.Writer(str(self._path))
