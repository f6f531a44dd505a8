"""A platform that comes back: what is wrong with the record of one attempt is no matter of the others."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock, Micros
from dayfly.base.settings import EngineSettings
from dayfly.controller import observing, templates, unsaid
from dayfly.model import events
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.runs import LiveHandle
from tests.fakes.blobs import MemoryBlobs

FIRST, BAD, LAST = (AttemptKey(f"p/d/x{number}/n0/0") for number in range(3))


class Runs:
    """As much of `ports.runs` as taking attempts back asks for."""

    def __init__(self, *live: LiveHandle) -> None:
        self.live = {one.key: one for one in live}
        self.appended: dict[str, list[events.Event]] = {}

    async def live_handles(self) -> list[LiveHandle]:
        return list(self.live.values())

    async def find_handle(self, key: AttemptKey) -> LiveHandle | None:
        return self.live[key]

    async def undone(self, execution: Any) -> list[Any]:
        return []

    async def append(self, execution: Any, appended: list[events.Event]) -> None:
        self.appended.setdefault(execution.name, []).extend(appended)


class Executor:
    """Reads handles as JSON, and knows of nothing but what runs."""

    def __init__(self) -> None:
        self.forgotten: list[tuple[AttemptKey, bytes]] = []
        self.broken: Exception | None = None

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        msgspec.json.decode(handle)
        if self.broken is not None and key == BAD:
            raise self.broken
        return Observation(key, ObservationKind.RUNNING, Micros(1))

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        if handle:
            msgspec.json.decode(handle)
        self.forgotten.append((key, handle))


def observer(runs: Runs, executor: Executor) -> observing.Observer:
    known: Any = templates.Templates(None)  # type: ignore[arg-type]
    stored: Any = runs
    by_name: Any = {"pods": executor}
    return observing.Observer(
        stored, known, unsaid.Unsaid(), MemoryBlobs(), by_name, EngineSettings(), ManualClock(Micros(7))
    )


def platform(bad: bytes) -> tuple[Runs, Executor]:
    handles = {FIRST: b"{}", BAD: bad, LAST: b"{}"}
    return Runs(*(LiveHandle(key, "pods", handle) for key, handle in handles.items())), Executor()


@pytest.mark.parametrize(
    ("handle", "broken", "told"),
    [
        (b"no handle at all", None, "(DecodeError: JSON is malformed: invalid character (byte 4)); its log says more."),
        (b"{}", KeyError("spec"), "(KeyError: 'spec'); its log says more."),
        (b"{}", errors.InvalidArgument("Kubernetes says no."), "(InvalidArgument: Kubernetes says no);"),
    ],
)
async def test_a_record_that_cannot_be_read_ends_its_own_attempt(
    handle: bytes, broken: Exception | None, told: str
) -> None:
    runs, executor = platform(handle)
    executor.broken = broken
    assert await observer(runs, executor).recover(()) == 3
    (bad,) = runs.appended["x1"]
    assert isinstance(bad, events.AttemptFailed)
    assert (bad.at, bad.kind, bad.code, bad.recoverable) == (7, FailureKind.SYSTEM, "CannotBeTakenBack", True)
    assert bad.message.startswith("The platform came back and cannot take this attempt back")
    assert told in bad.message
    assert [type(runs.appended[name][0]) for name in ("x0", "x2")] == [events.AttemptProgressed] * 2
    # What was made for it is found without what is kept of it.
    assert executor.forgotten == [(BAD, b"{}" if broken else b"")]


async def test_one_whose_end_cannot_be_recorded_stops_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    runs, executor = platform(b"{}")

    async def append(execution: Any, appended: list[events.Event]) -> None:
        if execution.name == "x1":
            raise AttributeError("nobody has foreseen this")
        runs.appended[execution.name] = appended

    monkeypatch.setattr(runs, "append", append)
    assert await observer(runs, executor).recover(()) == 3
    assert runs.appended.keys() == {"x0", "x2"}


async def test_a_place_that_does_not_answer_ends_nothing() -> None:
    runs, executor = platform(b"{}")
    executor.broken = errors.ExecutorUnavailable("Kubernetes does not answer.")
    with pytest.raises(errors.ExecutorUnavailable):
        await observer(runs, executor).recover(())
    assert executor.forgotten == []
