from __future__ import annotations

import pytest

from dayfly.model import events
from dayfly.model.phases import FailureKind, NodePhase
from tests.property.arbitrary import node, plan_of

WHY = (FailureKind.USER, "Boom", "it broke", True)


@pytest.mark.parametrize("has_deck", [True, False])
def test_the_deck_of_the_last_attempt_is_the_nodes(launch, has_deck):
    run = launch(plan_of(node("n", max_attempts=2)))
    run.tell(events.AttemptFailed, "n", 0, *WHY, not has_deck)
    assert not run.node("n").has_deck, "the next attempt has none yet"
    run.tell(events.AttemptFailed, "n", 1, *WHY, has_deck)
    assert (run.node("n").phase, run.node("n").has_deck) == (NodePhase.FAILED, has_deck)
