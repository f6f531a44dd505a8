"""Frames of flight records as a scheduler's log tells them: whether they are what a recorder makes. Pure.

Users' code writes to the same log, and may write what looks alike. A frame that does not have the form
(`roles/recording_frames.py`) would break whoever reads the record, long after it was told.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from dayfly.executors.dask.recorder import reading

DIFFER = "versions-differ"
"""Kind of an event."""

_Form = TypeVar("_Form")

_Number = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]

_Amount = Annotated[float, msgspec.Meta(ge=-(2.0**53), le=2.0**53)]
"""Also excludes what is no number."""

_Moment = Annotated[float, msgspec.Meta(ge=0.0, le=1e11)]
"""In seconds since the epoch."""

_Prefix = tuple[_Amount, _Amount, _Amount, _Amount, _Amount, _Amount]

_Worker = tuple[_Amount, _Amount, _Amount, _Amount, _Amount, _Amount, _Amount, _Amount, _Amount, _Amount]


class Differing(msgspec.Struct, frozen=True):
    """The event of a role whose packages differ: there, and at the scheduler."""

    kind: str
    worker: str
    differ: dict[str, tuple[str, str]]


class _Tasks(msgspec.Struct, frozen=True):
    origin: _Moment = msgspec.field(default=0.0, name="from")
    prefix: list[_Number] = []
    worker: list[_Number] = []
    start: list[_Amount] = []
    took: list[_Amount] = []
    action: list[_Number] = []
    dropped: _Number = 0

    def is_even(self) -> bool:
        """Say whether all columns have one length."""
        return len({len(one) for one in (self.prefix, self.worker, self.start, self.took, self.action)}) == 1


class _Event(msgspec.Struct, frozen=True):
    kind: str
    t: _Moment
    worker: str = ""
    expected: bool = False
    cause: str | UnsetType = UNSET
    processing: list[str] = []
    lost: list[str] = []
    key: str | UnsetType = UNSET
    error: str | UnsetType = UNSET
    traceback: str | UnsetType = UNSET
    told: str | UnsetType = UNSET
    paused: bool | UnsetType = UNSET
    computing: dict[str, Annotated[list[str], msgspec.Meta(min_length=1)]] | UnsetType = UNSET
    differ: dict[str, tuple[str, str]] = {}


class _Frame(msgspec.Struct, frozen=True):
    t: _Moment
    names: dict[int, str] = {}
    prefixes: dict[int, _Prefix] = {}
    workers: dict[int, _Worker] = {}
    tasks: _Tasks = _Tasks()
    roles: dict[str, tuple[_Number, _Number]] = {}
    events: list[_Event] = []
    events_dropped: _Number = 0
    frames_dropped: _Number = 0


class _Events(msgspec.Struct, frozen=True):
    events: list[Any] = []


_NEEDED = {
    "task-erred": ("key", "error", "traceback", "cause"),
    "unfinished": ("told", "paused", "computing"),
    "unrunnable": ("told",),
    "paused": ("told",),
}
"""Fields that events of a kind have beside those of all: who reads the record asks for them."""


def read_moment(body: bytes) -> float | None:
    """Return when a frame was made; None for what is no frame."""
    frame = _decode(body, _Frame)
    if frame is None or not frame.tasks.is_even():
        return None
    lacking = (getattr(event, name) is UNSET for event in frame.events for name in _NEEDED.get(event.kind, ()))
    return None if any(lacking) else frame.t


def find_differing(body: bytes) -> Differing | None:
    """Return the first event of a role whose packages differ; None for a frame without one."""
    if DIFFER.encode() not in body:
        return None
    frame = _decode(body, _Events)
    for event in frame.events if frame is not None else ():
        try:
            found = msgspec.convert(event, Differing)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            continue
        if found.kind == DIFFER:
            return found
    return None


def _decode(body: bytes, form: type[_Form]) -> _Form | None:
    if int.from_bytes(body[: reading.LENGTH_BYTES], "big") != len(body) - reading.LENGTH_BYTES:
        return None
    try:
        return msgspec.msgpack.decode(body[reading.LENGTH_BYTES :], type=form)
    # Texts that are no texts, keys that cannot be keys, and what is nested without end.
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError):
        return None
