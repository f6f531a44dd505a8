"""How a scheduler of a pod ends, and whether it says that it was told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from distributed import Scheduler

from dayfly.executors.dask.roles import settling

PATIENCE_SECONDS = 30


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Kubernetes keeps a container's last words: an empty file, which it has made."""
    made = tmp_path / "termination-log"
    made.touch()
    monkeypatch.setattr(settling, "PLACE", str(made))
    return made


@pytest.fixture
async def scheduler() -> AsyncIterator[Scheduler]:
    made = Scheduler(host="127.0.0.1", port=0, dashboard=False, dashboard_address="127.0.0.1:0", idle_timeout="100ms")
    async with made:
        yield made


async def test_one_that_is_idle_has_been_told_to_end(scheduler: Scheduler, place: Path) -> None:
    settled = settling.Settling(scheduler)
    for _ in range(3):
        scheduler.check_idle()
    assert scheduler.idle_timeout is None, "the task is still to begin, whatever time that takes"
    settled.begin()
    await asyncio.wait_for(scheduler.finished(), PATIENCE_SECONDS)
    settled.end()
    assert place.read_text() == settling.ASKED


@pytest.mark.parametrize(("reason", "told"), [("unknown", settling.ASKED), ("signal-15", "")])
async def test_one_that_a_signal_ends_has_not(scheduler: Scheduler, place: Path, reason: str, told: str) -> None:
    settled = settling.Settling(scheduler)
    settled.begin()
    await scheduler.close(reason=reason)
    settled.end()
    assert place.read_text() == told


async def test_one_whose_task_never_began_has_not(scheduler: Scheduler, place: Path) -> None:
    settled = settling.Settling(scheduler)
    await scheduler.close()
    settled.end()
    assert place.read_text() == ""


async def test_where_kubernetes_keeps_no_last_words_none_are_left(scheduler: Scheduler, place: Path) -> None:
    place.unlink()
    settled = settling.Settling(scheduler)
    settled.begin()
    await scheduler.close()
    settled.end()
    assert not place.exists()
