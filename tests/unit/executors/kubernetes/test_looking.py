"""How it is with a cluster."""

from __future__ import annotations

import pytest

from dayfly.base.clock import ManualClock
from dayfly.executors.kubernetes import looking


class FakeGroups:
    """As much of `ports.pod_groups.PodGroups` as is looked at; an answer takes `took` seconds."""

    def __init__(self, clock: ManualClock, *, took: float = 0.0, known: bool = True) -> None:
        self._clock, self._took, self._known = clock, took, known

    async def look(self) -> str:
        self._clock.advance(self._took)
        return "Kubernetes v1.29.0"

    async def serves(self, kind: str) -> bool:
        assert kind == "FlyteWorkflow"
        return self._known


@pytest.mark.parametrize(
    ("took", "known", "operates", "state", "told", "remedy"),
    [
        (0.012, True, True, "well", "Kubernetes v1.29.0 answered in 12 ms.", ""),
        (0.012, False, False, "well", "Kubernetes v1.29.0 answered in 12 ms.", ""),
        (0.012, False, True, "warning", "kubectl shows none of them", "dayfly deploy kubernetes --crd"),
        (1.5, True, True, "warning", "answered in 1500 ms.", "It is slow"),
    ],
)
async def test_how_it_is(took: float, known: bool, operates: bool, state: str, told: str, remedy: str) -> None:
    clock = ManualClock()
    groups = FakeGroups(clock, took=took, known=known)
    seen = await looking.Look(groups, clock, operates=operates).now()  # type: ignore[arg-type]
    assert seen.state == state
    assert told in seen.told
    assert remedy in seen.remedy
    assert bool(remedy) == bool(seen.remedy)
