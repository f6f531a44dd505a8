"""Sums up the frames of a record: each worker's peaks and end, each prefix's tasks, what happened. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from dayfly.ports.records import ClusterRecord, RecordedPrefix, RecordedRole, RecordedWorker

MAX_EVENTS = 2_000
"""Events kept: the last ones, which tell of an end."""


def sum_up(frames: Iterable[Mapping[str, Any]]) -> ClusterRecord:
    """Return the whole record, summed up; of frames as `reading.read_busy` yields them."""
    began_at = ended_at = 0.0
    workers: dict[str, dict[str, Any]] = {}
    prefixes: dict[str, RecordedPrefix] = {}
    events: list[dict[str, Any]] = []
    roles: dict[str, RecordedRole] = {}
    dropped = memory_peak = 0
    for frame in frames:
        ended_at = frame["t"]
        began_at = began_at or ended_at
        for name, row in frame.get("workers", {}).items():
            _see(workers, name, row, ended_at)
        for name, row in frame.get("prefixes", {}).items():
            prefixes[name] = RecordedPrefix(name, row["done"], row["erred"], row["seconds"])
        for name, seconds in frame.get("busy", {}).items():
            _worker(workers, name, ended_at)["busy_seconds"] += seconds
        for name, (peak, limit) in frame.get("roles", {}).items():
            roles[name] = RecordedRole(name, peak, limit)
        for event in frame.get("events", ()):
            _note(workers, event)
            events.append(event)
        dropped += frame.get("events_dropped", 0)
        memory_peak = max(memory_peak, sum(one["memory_last"] for one in workers.values() if one["gone_at"] is None))
        for one in workers.values():
            if one["gone_at"] is None:
                one["last_seen"] = ended_at
    dropped += max(0, len(events) - MAX_EVENTS)
    return ClusterRecord(
        began_at=began_at,
        ended_at=ended_at,
        workers=tuple(RecordedWorker(**one) for one in workers.values()),
        prefixes=tuple(prefixes.values()),
        events=tuple(events[-MAX_EVENTS:]),
        events_dropped=dropped,
        memory_peak=memory_peak,
        roles=tuple(roles.values()),
    )


def _worker(workers: dict[str, dict[str, Any]], name: str, now: float) -> dict[str, Any]:
    blank = {
        "name": name,
        "first_seen": now,
        "last_seen": now,
        "gone_at": None,
        "memory_peak": 0,
        "memory_last": 0,
        "spilled_peak": 0,
        "busy_seconds": 0.0,
    }
    return workers.setdefault(name, blank)


def _see(workers: dict[str, dict[str, Any]], name: str, row: Mapping[str, Any], now: float) -> None:
    worker = _worker(workers, name, now)
    worker["threads"], worker["memory_limit"] = row["threads"], row["memory_limit"]
    worker["memory_last"] = row["memory"]
    worker["memory_peak"] = max(worker["memory_peak"], row["memory"])
    worker["spilled_peak"] = max(worker["spilled_peak"], row["spilled"])


def _note(workers: dict[str, dict[str, Any]], event: Mapping[str, Any]) -> None:
    name = event.get("worker", "")
    if event["kind"] == "add-worker" and name:
        _worker(workers, name, event["t"])
    elif event["kind"] == "remove-worker" and name:
        worker = _worker(workers, name, event["t"])
        worker["gone_at"] = worker["last_seen"] = event["t"]
        worker["expected"], worker["cause"] = event.get("expected", False), event.get("cause", "")
        worker["processing"] = tuple(event.get("processing", ()))
        worker["lost"] = tuple(event.get("lost", ()))
