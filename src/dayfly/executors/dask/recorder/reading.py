"""Frames of a record's file, with their names in place of numbers. The form: `roles/recording_frames.py`.

The roles' modules run in users' environments and are not imported here: the form is what both sides keep to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from dayfly.executors.dask.recorder import coarsening

LENGTH_BYTES = 4

WORKER_FIELDS = (
    "memory",
    "managed",
    "spilled",
    "cpu",
    "running",
    "waiting",
    "incoming",
    "outgoing",
    "threads",
    "memory_limit",
)
PREFIX_FIELDS = ("done", "erred", "in_memory", "processing", "waiting", "seconds")
ACTIONS = ("compute", "transfer", "disk-read", "disk-write", "deserialize")
FAILED = "failed"


def read(raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield the frames of a file; one that a kill has cut off is left out.

    Each has `t`, and where something happened: `workers` and `prefixes` as {name: {field: figure}}, `events`, and
    `tasks` as rows {prefix, worker, start (seconds since the epoch), took (seconds), action}.
    """
    for _, frame in read_on(raw, {}):
        yield frame


def read_on(raw: bytes, names: dict[int, str], *, since: float = 0.0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the frames that were made after `since`, and where each ends, of a file or of what follows a place in it.

    `names` are those that were told before that place; those that are told are added.
    """
    for end, frame in split(raw):
        names.update(frame.pop("names", {}))
        if frame["t"] > since:
            yield end, _named(frame, names)


def read_coarsely(
    raw: bytes, *, since: float, every_seconds: float, most_tasks: int | None
) -> Iterator[dict[str, Any]]:
    """Yield frames that each stand for all of so many seconds; of the tasks the longest are told."""
    names: dict[int, str] = {}

    def later() -> Iterator[dict[str, Any]]:
        for _, frame in split(raw):
            names.update(frame.pop("names", {}))
            if frame["t"] > since:
                yield frame

    for gathered in coarsening.coarsen(later(), every_seconds=every_seconds):
        frame = _named(gathered.to_frame(most_tasks), names)
        for number, high in gathered.highest.items():
            row = frame["workers"][names.get(number, "?")]
            if high > row["memory"]:
                row[coarsening.HIGHEST] = high
        yield frame


def read_busy(raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield the frames of a file, with the seconds that each worker computed as `busy` instead of all tasks."""
    names: dict[int, str] = {}
    for _, frame in split(raw):
        names.update(frame.pop("names", {}))
        tasks = frame.pop("tasks", {})
        busy: dict[int, float] = {}
        parts = (tasks.get(name, ()) for name in ("worker", "took", "action"))
        for worker, took, action in zip(*parts, strict=False):
            if action <= 0:  # Computed, or failed.
                busy[worker] = busy.get(worker, 0) + took
        named = _named(frame, names)
        if busy:
            named["busy"] = {names.get(worker, "?"): took / 1000 for worker, took in busy.items()}
        yield named


def split(raw: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield where each frame of a file ends, and the frame as it lies there."""
    at = 0
    while at + LENGTH_BYTES <= len(raw):
        end = at + LENGTH_BYTES + int.from_bytes(raw[at : at + LENGTH_BYTES], "big")
        if end > len(raw):
            return
        try:
            frame = msgspec.msgpack.decode(raw[at + LENGTH_BYTES : end])
        except msgspec.DecodeError:
            return  # A disk that was full has left a piece of a frame: what comes after it cannot be told apart.
        if isinstance(frame, dict):
            yield end, frame
        at = end


def _named(frame: dict[str, Any], names: dict[int, str]) -> dict[str, Any]:
    named: dict[str, Any] = {key: value for key, value in frame.items() if key not in ("workers", "prefixes", "tasks")}
    for kind, fields in (("workers", WORKER_FIELDS), ("prefixes", PREFIX_FIELDS)):
        if kind in frame:
            named[kind] = {
                names.get(number, "?"): dict(zip(fields, row, strict=False)) for number, row in frame[kind].items()
            }
    if "tasks" in frame:
        named["tasks"] = list(_rows(frame["tasks"], names))
        if dropped := frame["tasks"].get("dropped"):
            named["tasks_dropped"] = dropped
    return named


def _rows(columns: dict[str, Any], names: dict[int, str]) -> Iterator[dict[str, Any]]:
    origin = columns.get("from", 0.0)
    parts = (columns.get(name, ()) for name in ("prefix", "worker", "start", "took", "action"))
    for prefix, worker, start, took, action in zip(*parts, strict=False):
        yield {
            "prefix": names.get(prefix, "?"),
            "worker": names.get(worker, "?"),
            "start": origin + start / 1000,
            "took": took / 1000,
            "action": ACTIONS[action] if 0 <= action < len(ACTIONS) else FAILED,
        }
