"""What the suites of the stores store: a small plan, runs of it, and states on their way."""

from __future__ import annotations

from typing import Any

import msgspec
from flyteidl.core import identifier_pb2

from dayfly.base.clock import SECOND, Micros
from dayfly.model.events import AbortRequested, AttemptProgressed, Launched
from dayfly.model.identifiers import START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, FailureKind, NodePhase
from dayfly.model.plan import Plan, PlanNode
from dayfly.model.run import AttemptState, Failure, NodeState, RunOptions, RunState
from dayfly.ports.runs import NewRun

START = Micros(1_700_000_000 * SECOND)
STORAGE = "file:///store"
WORKFLOW = EntityId(int(identifier_pb2.WORKFLOW), "p", "d", "flows.train", "v1")
LAUNCH_PLAN = EntityId(int(identifier_pb2.LAUNCH_PLAN), "p", "d", "flows.train", "v1")
TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "tasks.fit", "v1")
N0, N1 = NodeId("n0"), NodeId("n1")


def at(seconds: float) -> Micros:
    """Return a moment, counted from the start of the story."""
    return Micros(START + int(seconds * SECOND))


def make_plan(count: int = 2) -> Plan:
    nodes = {}
    for number in range(count):
        upstream = NodeId(f"n{number - 1}") if number else START_NODE
        node = NodeId(f"n{number}")
        nodes[node] = PlanNode(
            node, target=TASK, document=b"node", upstream=(upstream,), name="fit", task_type="python-task"
        )
    return Plan(
        workflow=WORKFLOW,
        digest=f"plan of {count}",
        nodes=nodes,
        end_document=b"end",
        interface=b"interface",
    )


def execution(name: str = "one", *, domain: str = "d") -> ExecutionId:
    return ExecutionId("p", domain, name)


def new_run(name: str = "one", *, seconds: float = 0, **changes: Any) -> NewRun:
    run = NewRun(
        id=execution(name),
        spec=b"spec of " + name.encode(),
        workflow=WORKFLOW,
        plan=make_plan(),
        launch_plan=LAUNCH_PLAN,
        task=None,
        created_at=at(seconds),
        storage=STORAGE,
        user="ann",
    )
    return msgspec.structs.replace(run, **changes)


def launched(seconds: float = 0) -> Launched:
    return Launched(at(seconds), RunOptions())


def abort(seconds: float = 1) -> AbortRequested:
    return AbortRequested(at(seconds), "changed my mind", "bob")


def progressed(node: NodeId = N0, attempt: int = 0, seconds: float = 2) -> AttemptProgressed:
    return AttemptProgressed(at(seconds), node, attempt, AttemptPhase.RUNNING)


def failure(message: str = "it broke") -> Failure:
    return Failure(FailureKind.USER, "USER:ValueError", message, at(9))


def attempt(number: int = 0, phase: AttemptPhase = AttemptPhase.QUEUED, **fields: Any) -> AttemptState:
    return AttemptState(number, phase, queued_at=at(1 + number), **fields)


def node(phase: NodePhase = NodePhase.QUEUED, *attempts: AttemptState, **fields: Any) -> NodeState:
    return NodeState(phase, queued_at=at(1), attempts=attempts, **fields)


def named(name: str, state: NodeState) -> NodeState:
    """Return the state as that of the plan's node of this name; for one object always the same other one."""
    kept = _NAMED.setdefault((name, id(state)), (state, msgspec.structs.replace(state, spec_id=NodeId(name))))
    return kept[1]


_NAMED: dict[tuple[str, int], tuple[NodeState, NodeState]] = {}


def running(**nodes: NodeState) -> RunState:
    """Return the state of a run that has started, with these nodes."""
    return RunState(
        ExecutionPhase.RUNNING,
        launched_at=at(0),
        started_at=at(1),
        updated_at=at(1),
        nodes={NodeId(name): named(name, state) for name, state in nodes.items()},
    )


def ended(state: RunState, phase: ExecutionPhase, seconds: float = 10, **fields: Any) -> RunState:
    return msgspec.structs.replace(state, phase=phase, ended_at=at(seconds), updated_at=at(seconds), **fields)
