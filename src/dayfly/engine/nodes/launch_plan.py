"""A node that launches another execution and ends when that does."""

from __future__ import annotations

from dayfly.engine import locating, stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import PrepareNode, WriteOutputs
from dayfly.model.events import ChildEnded, ChildLaunched
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import ExecutionPhase, FailureKind, NodePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import Failure

CHILD_FAILED = "RemoteChildWorkflowExecutionFailed"
"""Code of a node whose child was aborted (flytepropeller/pkg/controller/nodes/subworkflow/launchplan.go)."""


def begin(draft: Draft, node: NodeId) -> None:
    """Have the child launched."""
    draft.command(PrepareNode(node))


def launched(draft: Draft, event: ChildLaunched) -> None:
    """Note the child."""
    state = draft.find(event.node, NodeKind.LAUNCH_PLAN)
    if state is not None and state.child is None:
        draft.edit_node(event.node, child=event.child)
        if state.phase is NodePhase.QUEUED:
            draft.move_node(event.node, NodePhase.RUNNING)


def ended(draft: Draft, event: ChildEnded) -> None:
    """End as the child did; its outputs are this node's."""
    state = draft.find(event.node, NodeKind.LAUNCH_PLAN)
    if state is None or state.writing:
        return
    if state.child is None and event.child is not None:
        draft.edit_node(event.node, child=event.child)
    if state.stopping is not None:
        stopping.end_stopped(draft, event.node)
    elif event.phase is ExecutionPhase.SUCCEEDED:
        if state.phase is NodePhase.QUEUED:
            draft.move_node(event.node, NodePhase.RUNNING)
        draft.edit_node(event.node, writing=True)
        draft.command(WriteOutputs(event.node))
    else:
        draft.move_node(event.node, NodePhase.FAILED, failure=_failure(event))


def _failure(event: ChildEnded) -> Failure:
    which = f"execution {event.child}" if event.child is not None else "the execution it was to launch"
    if event.phase is ExecutionPhase.ABORTED or not event.code:
        return Failure(FailureKind.USER, CHILD_FAILED, f"{which} was aborted: {event.message}", event.at)
    where = locating.join(f"execution {event.child}" if event.child is not None else "", event.where)
    return Failure(event.kind, event.code, f"{which} failed: {event.message}", event.at, where=where)
