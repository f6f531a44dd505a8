"""The form of a flight record: frames, one after the other, each a length (4 bytes, big-endian) and a msgpack map.

    t          seconds since the epoch, when the frame was made
    names      {number: text}: prefixes and workers, named once and then by number
    prefixes   {prefix: (done, erred, in memory, processing, waiting, seconds computed)}, those that have changed
    workers    {worker: (memory, managed, spilled in MiB, CPU %, tasks running, waiting, KiB coming in, going out,
               threads, limit in MiB)}, those that have changed
    tasks      columns of what ended: `prefix`, `worker` (numbers), `start` (ms from `from`, which is in seconds),
               `took` (ms), `action` (index into ACTIONS, -1 for a failed task); and `dropped`, how many more there were
    roles      {role: (highest memory in MiB, its limit or 0)}: driver and scheduler, when the cluster ends
    events     [{t, kind, worker, ...}]: joins, ends, states, errors; `events_dropped`, how many more there were

When the file has reached a limit, the older half of its frames is thinned: tasks are summed up, workers told every
tenth time and whenever they hold more than ever before. Where that is not enough, one frame takes the place of the
oldest. Standard library and msgpack only.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import msgpack

ACTIONS = ("compute", "transfer", "disk-read", "disk-write", "deserialize")
"""What a worker's thread does for a task; others are left out."""

NUMBERS = {action: number for number, action in enumerate(ACTIONS)}

FAILED = -1

FAILED_NUMBERS = {**NUMBERS, "compute": FAILED}
"""The same for a task that has failed."""

MAX_BYTES = 16 * 1024 * 1024
"""A record above this is thinned."""

GATHERED_EVENTS = 200
"""Events kept of frames that one frame stands for."""

KEEP_EVERY = 10
"""Of the older frames' worker figures, one in so many stays."""


class Names:
    """Texts by number. `known` are names of workers by address, also of those that are gone."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._new: dict[int, str] = {}

    def number(self, text: str) -> int:
        """Return the text's number, a new one the first time."""
        found = self._numbers.get(text)
        if found is None:
            found = self._numbers[text] = len(self._numbers)
            self._new[found] = text
        return found

    def take_new(self) -> dict[int, str]:
        """Return the texts that got their numbers since the last call."""
        new, self._new = self._new, {}
        return new


class Writer:
    """Appends frames to a file, and thins it when it has grown to its limit."""

    def __init__(self, path: str, most_bytes: int = MAX_BYTES) -> None:
        self._path, self._most = path, most_bytes
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  closed by `close`
        self._size = self._file.tell()

    def append(self, frame: dict[str, Any]) -> None:
        """Write one frame."""
        self.append_packed(pack(frame))

    def append_packed(self, packed: bytes) -> None:
        """Write a frame that is packed, with one call to the kernel: a kill leaves it whole or not at all."""
        self._size += self._file.write(packed)
        if self._size > self._most:
            self._thin()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _thin(self) -> None:
        with open(self._path, "rb") as file:
            frames = list(unpack(file.read()))
        thinned = b"".join(fit(thin(frames), self._most * 3 // 4))
        beside = f"{self._path}.thin"
        with open(beside, "wb") as new:
            new.write(thinned)
        os.replace(beside, self._path)
        self._file.close()
        self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115  closed by `close`
        self._size = len(thinned)


def pack(frame: dict[str, Any]) -> bytes:
    """Return a frame as it lies in the file."""
    body: bytes = msgpack.packb(frame)
    return len(body).to_bytes(4, "big") + body


def unpack(raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield the frames of a file; one that is cut off at the end is left out."""
    at = 0
    while at + 4 <= len(raw):
        end = at + 4 + int.from_bytes(raw[at : at + 4], "big")
        if end > len(raw):
            return
        yield msgpack.unpackb(raw[at + 4 : end], strict_map_key=False)
        at = end


def thin(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the frames with their older half thinned; see above."""
    half = len(frames) // 2
    highest: dict[int, int] = {}
    thinned = []
    for place, frame in enumerate(frames[:half]):
        kept = dict(frame)
        if "tasks" in kept:
            kept["tasks"] = _summed(kept["tasks"])
        workers = kept.pop("workers", {})
        told = {
            number: row for number, row in workers.items() if place % KEEP_EVERY == 0 or row[0] > highest.get(number, 0)
        }
        highest.update((number, max(row[0], highest.get(number, 0))) for number, row in told.items())
        if told:
            kept["workers"] = told
        if len(kept) > 1:
            thinned.append(kept)
    return thinned + frames[half:]


def fit(frames: list[dict[str, Any]], most_bytes: int) -> list[bytes]:
    """Return the frames packed; where all are more than `most_bytes`, one takes the place of the oldest."""
    kept: list[bytes] = []
    size = 0
    for place, frame in enumerate(reversed(frames)):
        packed = pack(frame)
        size += len(packed)
        if size > most_bytes:
            kept.append(pack(_gathered(frames[: len(frames) - place])))
            break
        kept.append(packed)
    return kept[::-1]


def _gathered(frames: list[dict[str, Any]]) -> dict[str, Any]:
    """Return one frame for many: their names, each worker at its highest, each prefix at its last, the last events."""
    names: dict[int, str] = {}
    prefixes: dict[int, Any] = {}
    workers: dict[int, Any] = {}
    events: list[Any] = []
    for frame in frames:
        names.update(frame.get("names", {}))
        prefixes.update(frame.get("prefixes", {}))
        events += frame.get("events", ())
        for number, row in frame.get("workers", {}).items():
            if number not in workers or row[0] > workers[number][0]:
                workers[number] = row
    dropped = sum(frame.get("frames_dropped", 1) for frame in frames)
    told = {"names": names, "prefixes": prefixes, "workers": workers, "events": events[-GATHERED_EVENTS:]}
    lost = sum(frame.get("events_dropped", 0) for frame in frames) + max(0, len(events) - GATHERED_EVENTS)
    return {"t": frames[0]["t"], **told, "frames_dropped": dropped, "events_dropped": lost}


def _summed(tasks: dict[str, Any]) -> dict[str, Any]:
    """Return columns with one row for each prefix, worker and action: when the first began, and how long all took."""
    sums: dict[tuple[int, int, int], list[float]] = {}
    for prefix, worker, start, took, action in zip(
        *(tasks.get(name, ()) for name in ("prefix", "worker", "start", "took", "action")), strict=True
    ):
        row = sums.setdefault((prefix, worker, action), [start, 0.0])
        row[0] = min(row[0], start)
        row[1] += took
    summed = {name: value for name, value in tasks.items() if name in ("from", "dropped")}
    summed["prefix"] = [prefix for prefix, _, _ in sums]
    summed["worker"] = [worker for _, worker, _ in sums]
    summed["start"] = [row[0] for row in sums.values()]
    summed["took"] = [round(row[1], 1) for row in sums.values()]
    summed["action"] = [action for _, _, action in sums]
    summed["summed"] = True
    return summed
