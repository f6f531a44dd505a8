"""Arbitrary plans, options and events, small enough that everything meets everything else."""

from __future__ import annotations

from hypothesis import strategies as st

from dayfly.base.clock import SECOND, Micros
from dayfly.model import events
from dayfly.model.identifiers import START_NODE, EntityId, NodeId
from dayfly.model.phases import AttemptPhase, FailureKind, FailurePolicy
from dayfly.model.plan import Plan, PlanNode
from dayfly.model.run import LogLink, RunOptions

TASK = EntityId(1, "flytesnacks", "development", "a.task", "v1")
WORKFLOW = EntityId(2, "flytesnacks", "development", "a.workflow", "v1")
MOST_NODES = 7


def node(name: str, *upstream: str, **rules: object) -> PlanNode:
    """Return a node that waits for `upstream`, or for the start node."""
    waits = tuple(NodeId(one) for one in sorted(upstream)) or (START_NODE,)
    return PlanNode(NodeId(name), TASK, upstream=waits, **rules)  # type: ignore[arg-type]


def plan_of(*nodes: PlanNode, **rules: object) -> Plan:
    """Return a plan of these nodes, in this order."""
    return Plan(workflow=WORKFLOW, digest="digest", nodes={one.id: one for one in nodes}, **rules)  # type: ignore[arg-type]


@st.composite
def plans(draw: st.DrawFn, *, timeouts: bool = True, policy: FailurePolicy | None = None) -> Plan:
    """Any acyclic plan: upstreams point to smaller numbers, registered order is any."""
    size = draw(st.integers(0, MOST_NODES))
    limit = st.sampled_from([0.0, 0.0, 4.0]) if timeouts else st.just(0.0)
    nodes = []
    for place in range(size):
        upstream = draw(st.integers(0, 2**place - 1))
        nodes.append(
            node(
                f"n{place}",
                *(f"n{bit}" for bit in range(place) if upstream >> bit & 1),
                max_attempts=draw(st.integers(1, 3)),
                attempt_timeout_seconds=draw(limit),
                active_deadline_seconds=draw(limit) * 3,
                interruptible=draw(st.sampled_from([None, True, False])),
            )
        )
    return plan_of(
        *draw(st.permutations(nodes)),
        on_failure=draw(st.sampled_from(FailurePolicy)) if policy is None else policy,
        interruptible=draw(st.booleans()),
    )


def options() -> st.SearchStrategy[RunOptions]:
    """Any options, narrow ones included."""
    return st.builds(
        RunOptions,
        max_parallelism=st.integers(0, 3),
        interruptible=st.sampled_from([None, True, False]),
        system_retries=st.integers(0, 3),
    )


def storms(plan: Plan) -> st.SearchStrategy[list[events.Event]]:
    """Events that no sane world would send: any time, any attempt, any order, unknown names."""
    names = st.sampled_from([*plan.nodes, NodeId("unknown")])
    times = st.integers(0, 20).map(lambda seconds: Micros(seconds * SECOND))
    numbers = st.integers(0, 3)
    texts = st.sampled_from(["", "one", "two"])
    links = st.sampled_from([(), (LogLink("a", "1"),), (LogLink("a", "2"), LogLink("b", "1"))])
    timers = st.builds(lambda node, number: f"attempt/{node}/{number}", names, numbers) | st.builds(
        "node/{}".format, names
    )
    return st.lists(
        st.one_of(
            st.builds(events.AttemptProgressed, times, names, numbers, st.sampled_from(AttemptPhase), texts, links),
            st.builds(events.AttemptSucceeded, times, names, numbers, st.booleans()),
            st.builds(
                events.AttemptFailed, times, names, numbers, st.sampled_from(FailureKind), texts, texts, st.booleans()
            ),
            st.builds(events.AttemptStopped, times, names, numbers),
            st.builds(events.TimerFired, times, timers | st.sampled_from(["", "node", "attempt/", "attempt/n0/x"])),
            st.builds(events.AbortRequested, times, texts, texts),
            st.builds(events.OutputsWritten, times),
            st.builds(events.OutputsRejected, times, st.sampled_from(FailureKind), texts, texts),
            st.builds(events.Launched, times, options()),
        ),
        max_size=30,
    )
