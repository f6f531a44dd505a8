"""Events that no sane world would send: any time, any node, any attempt, any order, unknown names."""

from __future__ import annotations

from dayfly.base.clock import SECOND, Micros
from dayfly.model import events
from dayfly.model.events import Event
from dayfly.model.identifiers import ROOT, ExecutionId, NodeId
from dayfly.model.phases import TERMINAL_EXECUTION, AttemptPhase, CacheStatus, FailureKind
from dayfly.model.run import LogLink, RunOptions
from tests.property import arbitrary
from tests.property.chances import Chances
from tests.property.watch import Watch

CHILD = ExecutionId("flytesnacks", "development", "child")
_LINKS = ((), (LogLink("a", "1"),), (LogLink("a", "2"), LogLink("b", "1")))
_TEXTS = ("", "one", "two")


class Storm:
    """Makes events about an execution as it is, and about what it is not."""

    def __init__(self, watch: Watch, chance: Chances) -> None:
        self.watch, self.chance = watch, chance
        self.watch.grown["grown0"] = arbitrary.PlanDrawing(chance).plan("grown0", arbitrary.DEEPEST - 1)

    def __bool__(self) -> bool:
        return bool(self.chance)

    def event(self) -> Event:
        """Return the next event."""
        chance, at = self.chance, Micros(self.chance.pick(20) * SECOND)
        node, number = self._node(), chance.pick(3)
        kind, text, other = chance.choose(tuple(FailureKind)), chance.choose(_TEXTS), chance.choose(_TEXTS)
        yes = chance.one_in(2)
        made = (
            lambda: events.AttemptProgressed(
                at, node, number, chance.choose(tuple(AttemptPhase)), text, chance.choose(_LINKS)
            ),
            lambda: events.AttemptSucceeded(at, node, number, yes, chance.one_in(3)),
            lambda: events.AttemptFailed(at, node, number, kind, text, other, yes),
            lambda: events.AttemptStopped(at, node, number),
            lambda: events.TimerFired(at, self._timer(node, number)),
            lambda: events.InputsPrepared(at, node),
            lambda: events.BranchChosen(at, node, number),
            lambda: events.ArrayMeasured(at, node, number * 2),
            lambda: events.GateOpened(at, node),
            lambda: events.ChildLaunched(at, node, CHILD),
            lambda: events.ChildEnded(
                at, node, chance.choose(sorted(TERMINAL_EXECUTION)), kind, text, other, CHILD if yes else None
            ),
            lambda: events.NodeFailed(at, node, kind, text, other),
            lambda: events.Grown(at, node, number, "grown0" if yes else "unknown"),
            lambda: events.CacheHit(at, node),
            lambda: events.CacheMissed(at, node, chance.choose((CacheStatus.MISS, CacheStatus.LOOKUP_FAILURE))),
            lambda: events.CacheBusy(at, node, number),
            lambda: events.CacheFilled(at, node),
            lambda: events.NodeRecovered(at, node, yes),
            lambda: events.NothingRecovered(at, node, text, number if chance.one_in(4) else None),
            lambda: events.OutputsWritten(at, self._owner(node), 0 if yes else number),
            lambda: events.OutputsRejected(at, kind, text, other, self._owner(node), 0 if yes else number),
            lambda: events.SignalSet(at, chance.choose((*arbitrary.SIGNALS, "unknown"))),
            lambda: events.Launched(at, RunOptions(max_parallelism=number)),
            lambda: events.AbortRequested(at, text, other) if chance.one_in(4) else events.GateOpened(at, node),
        )
        return chance.choose(made)()

    def _node(self) -> NodeId:
        live = [name for name, node in self.watch.state.nodes.items() if not node.ended]
        if live and not self.chance.one_in(5):
            return self.chance.choose(live)
        return self.chance.choose([*self.watch.state.nodes, NodeId("unknown"), NodeId("n0#99"), ROOT])

    def _owner(self, node: NodeId) -> NodeId:
        return ROOT if self.chance.one_in(4) else node

    def _timer(self, node: NodeId, number: int) -> str:
        timers = (
            f"attempt/{node}/{number}",
            f"node/{node}",
            f"gate/{node}",
            f"cache/{node}/{number}",
            f"attempt/{node}/x",
            "attempt/",
            "node",
            "",
        )
        return self.chance.choose(timers)
