"""What an earlier platform has left of attempts that are over goes, whatever is wrong with some of it."""

from __future__ import annotations

import pytest

from dayfly.base import errors
from dayfly.controller import sweeping
from dayfly.model.identifiers import AttemptKey

TAKEN, OVER, BAD, LAST = (AttemptKey(f"p/d/{name}/n0/0") for name in ("taken", "over", "bad", "last"))


class Kept:
    """An executor that keeps attempts, and is away for so many times."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)

    async def list_kept(self) -> list[AttemptKey]:
        if self.answers:
            raise self.answers.pop(0)
        return [TAKEN, OVER, BAD, LAST]


class Dropping:
    """Takes down what is dropped."""

    def __init__(self) -> None:
        self.dropped: list[AttemptKey] = []

    async def drop(self, key: AttemptKey) -> None:
        if key == BAD:
            raise ValueError("of no attempt at all")
        self.dropped.append(key)


async def test_what_was_not_taken_back_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "AWAY_PAUSE_SECONDS", 0.0)
    dropping = Dropping()
    away = errors.ExecutorAway("Kubernetes does not answer.")
    await sweeping.sweep(Kept(away, away), {TAKEN}, dropping.drop)
    assert dropping.dropped == [OVER, LAST]


async def test_who_may_not_see_what_is_there_drops_nothing() -> None:
    dropping = Dropping()
    await sweeping.sweep(Kept(errors.InvalidArgument("forbidden")), set(), dropping.drop)
    assert dropping.dropped == []


def test_not_every_executor_keeps_attempts() -> None:
    kept, none = Kept(), object()
    assert sweeping.keeps(kept) is kept  # type: ignore[arg-type,comparison-overlap]
    assert sweeping.keeps(none) is None  # type: ignore[arg-type]
