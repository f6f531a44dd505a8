"""An attempt that is over before it is stored that it was started: its executor forgets it once, and not before."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dayfly.base.clock import ManualClock, Micros
from dayfly.base.settings import EngineSettings
from dayfly.controller import observing, templates, unsaid
from dayfly.model.commands import StartAttempt
from dayfly.model.identifiers import AttemptKey, NodeId
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.runs import LiveHandle, UndoneCommand
from tests.fakes.blobs import MemoryBlobs

KEY = AttemptKey("p/d/x/n0/0")
STOPPED = Observation(KEY, ObservationKind.STOPPED, Micros(1))


class Runs:
    """As much of `ports.runs` as an end asks for."""

    def __init__(self) -> None:
        self.handle: LiveHandle | None = None
        self.commands = [StartAttempt(NodeId("n0"), 0), StartAttempt(NodeId("n1"), 0)]

    async def find_handle(self, key: AttemptKey) -> LiveHandle | None:
        return self.handle

    async def undone(self, execution: Any) -> list[UndoneCommand]:
        return [UndoneCommand(execution, command, 1) for command in self.commands]

    async def append(self, execution: Any, events: Any) -> None: ...


class Forgetting:
    def __init__(self) -> None:
        self.forgotten: list[tuple[AttemptKey, bytes]] = []

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        self.forgotten.append((key, handle))


@pytest.fixture(autouse=True)
def no_children(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(*_: Any) -> None: ...

    monkeypatch.setattr(observing, "eager_children", SimpleNamespace(end=end))


def observer(runs: Runs, over: unsaid.Unsaid) -> observing.Observer:
    known: Any = templates.Templates(None)  # type: ignore[arg-type]
    stored: Any = runs
    return observing.Observer(stored, known, over, MemoryBlobs(), {}, EngineSettings(), ManualClock())


async def test_it_is_kept_for_whoever_stores_its_start() -> None:
    runs, over, executor = Runs(), unsaid.Unsaid(), Forgetting()
    await observer(runs, over).take(executor, STOPPED)  # type: ignore[arg-type]
    assert executor.forgotten == []
    assert over.take(KEY)
    assert not over.take(KEY)


@pytest.mark.parametrize("handle", [None, LiveHandle(KEY, "local", b"handle")])
async def test_it_is_forgotten_at_once_when_that_is_stored(handle: LiveHandle | None) -> None:
    runs, over, executor = Runs(), unsaid.Unsaid(), Forgetting()
    runs.handle, runs.commands = handle, runs.commands[1:]
    await observer(runs, over).take(executor, STOPPED)  # type: ignore[arg-type]
    assert executor.forgotten == [(KEY, handle.handle if handle else b"")]
    assert not over.take(KEY)
