"""What the engine needs to know of a workflow: the compiler writes it, the engine and the controller read it.

A plan is derived from registered documents and never changes; `digest` names it. Bindings stay the `flyteidl`
messages they were registered as, in bytes: only `controller.performing` opens them.
"""

from __future__ import annotations

import msgspec

from dayfly.model.identifiers import EntityId, NodeId
from dayfly.model.phases import FailurePolicy


class PlanNode(msgspec.Struct, frozen=True):
    """One task node."""

    id: NodeId
    task: EntityId
    document: bytes
    """The compiled `flyteidl.core.Node`: bindings, metadata, overrides."""
    upstream: tuple[NodeId, ...]
    """Ids of the nodes that must have succeeded first, sorted; `start-node` when there is no other."""
    name: str = ""
    """What people call it: the node's metadata name, else the task's."""
    task_type: str = ""
    """The task template's type, by which an executor is chosen."""
    max_attempts: int = 1
    """Attempts the user allows in all: retries of the node, else of the task, plus one."""
    attempt_timeout_seconds: float = 0.0
    """From the attempt's RUNNING to its end; 0 is no limit."""
    active_deadline_seconds: float = 0.0
    """From the node's first QUEUED to its end, over all attempts; 0 is no limit."""
    interruptible: bool | None = None
    """The node's own wish; None inherits the execution's, then the workflow's."""


class Plan(msgspec.Struct, frozen=True):
    """One workflow, ready to run."""

    workflow: EntityId
    digest: str
    nodes: dict[NodeId, PlanNode]
    """Task nodes only, in registered order; start and end node are implied."""
    end_document: bytes
    """The end node's `flyteidl.core.Node`, whose inputs are the workflow's output bindings."""
    interface: bytes
    """The workflow's `flyteidl.core.TypedInterface`."""
    on_failure: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY
    interruptible: bool = False
    """Default for nodes that say nothing."""
    unrunnable: tuple[str, ...] = ()
    """The nodes that this version's engine does not run, in words: they are not among `nodes`."""

    @property
    def downstream(self) -> dict[NodeId, tuple[NodeId, ...]]:
        """Return, for each node with any, the nodes that wait for it, in registered order."""
        waiting: dict[NodeId, list[NodeId]] = {}
        for node in self.nodes.values():
            for upstream in node.upstream:
                waiting.setdefault(upstream, []).append(node.id)
        return {upstream: tuple(nodes) for upstream, nodes in waiting.items()}


def encode(plan: Plan) -> bytes:
    """Return the plan as bytes (msgpack)."""
    return msgspec.msgpack.encode(plan)


def decode(raw: bytes) -> Plan:
    """Return the plan that `encode` wrote."""
    return msgspec.msgpack.decode(raw, type=Plan)
