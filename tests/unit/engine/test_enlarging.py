"""How often a node has run out of memory goes with the order for its next attempt."""

from __future__ import annotations

from dayfly.model import events
from dayfly.model.commands import StartAttempt
from dayfly.model.phases import FailureKind
from tests.property.arbitrary import node, plan_of


def test_each_attempt_knows_how_often_memory_ran_out_before(launch):
    run = launch(plan_of(node("n", max_attempts=5)))
    codes = ("OOMKilled", "ValueError", "DaskWorkerOutOfMemory", "DaskSchedulerOutOfMemory")
    for attempt, code in enumerate(codes):
        run.tell(events.AttemptFailed, "n", attempt, FailureKind.USER, code, "it broke", True)
    starts = [command for command in run.commands if isinstance(command, StartAttempt)]
    assert [command.out_of_memory for command in starts] == [0, 1, 1, 2, 3]
