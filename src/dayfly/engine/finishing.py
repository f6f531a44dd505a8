"""How what runs inside a workflow ends: outputs first if all succeeded; else as soon as nothing of it is live any more.

A workflow that failed runs its failure node before it ends. What its end means is for its owner: see `settling`.
"""

from __future__ import annotations

from dayfly.engine import caching, failing, readying, stopping
from dayfly.engine.drafting import Draft
from dayfly.model.commands import WriteOutputs
from dayfly.model.events import NodeFailed, OutputsRejected, OutputsWritten
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import FailureKind, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import Failure

_WRITERS = (NodeKind.BRANCH, NodeKind.LAUNCH_PLAN, NodeKind.GATE, NodeKind.ARRAY)
"""Kinds whose outputs are put together, and inside of which no graph runs."""

UNREACHABLE = "NodesUnreachable"
"""Code of an execution whose plan has nodes that can never start; the compiler lets no such plan through."""


def child_ended(draft: Draft, owner: NodeId, node: NodeId) -> None:
    """Count a node inside `owner` out, and let happen what follows from its end."""
    scope, state = draft.scope(owner), draft.state.nodes[node]
    draft.edit_scope(owner, live=scope.live - 1)
    if scope.phase is ScopePhase.HANDLING:
        _handled(draft, owner, node)
    elif state.phase in readying.SUCCEEDED:
        draft.edit_scope(owner, succeeded=scope.succeeded + 1)
        if scope.phase is ScopePhase.OPEN:
            readying.succeeded(draft, owner, state.spec_id)
    elif state.phase in (NodePhase.FAILED, NodePhase.TIMED_OUT):
        failing.apply_policy(draft, owner, node)


def check(draft: Draft, owner: NodeId) -> None:
    """End what runs inside `owner`, or begin to, if nothing of it is live and nothing waits."""
    scope = draft.scope(owner)
    if scope.live or any(one == owner for one, _, _ in draft.starting):
        return
    if scope.phase is ScopePhase.OPEN and not readying.waits(draft, owner):
        _all_done(draft, owner)
        scope = draft.scope(owner)
    if scope.phase is ScopePhase.FAILING:
        handler = draft.graph(owner).failure_node
        if handler is not None:
            draft.move_scope(owner, ScopePhase.HANDLING)
            readying.want(draft, owner, handler)
        else:
            draft.move_scope(owner, ScopePhase.ENDED)
    elif scope.phase is ScopePhase.ABORTING:
        draft.move_scope(owner, ScopePhase.ENDED)


def outputs_written(draft: Draft, event: OutputsWritten) -> None:
    """Succeed, unless something else happened meanwhile."""
    if _is_writing(draft, event.node, event.round):
        draft.move_scope(event.node, ScopePhase.ENDED)
    elif _is_writer(draft, event.node):
        draft.move_node(event.node, NodePhase.SUCCEEDED)


def outputs_rejected(draft: Draft, event: OutputsRejected) -> None:
    """Fail: all went well inside, but the results don't make the outputs."""
    failure = Failure(event.kind, event.code, event.message, event.at)
    if _is_writing(draft, event.node, event.round):
        failing.fail(draft, event.node, failure)
    elif _is_writer(draft, event.node):
        draft.move_node(event.node, NodePhase.FAILED, failure=failure)


def node_failed(draft: Draft, event: NodeFailed) -> None:
    """Fail a node that could not even begin, or that made nodes which cannot run."""
    state = draft.find(event.node)
    if state is None:
        return
    failure = Failure(event.kind, event.code, event.message, event.at)
    if state.kind is NodeKind.TASK:
        begins = caching.is_looking(draft, event.node) or (state.dynamic and state.inner is None)
    else:
        begins = state.phase is NodePhase.QUEUED
    if begins and state.stopping is not None:
        stopping.end_stopped(draft, event.node)
    elif begins:
        draft.move_node(event.node, NodePhase.FAILED, failure=failure)


def _is_writing(draft: Draft, owner: NodeId, round: int) -> bool:
    if owner != ROOT and draft.find(owner) is None:
        return False
    scope = draft.scope(owner)
    return scope.phase is ScopePhase.WRITING and scope.round == round


def _is_writer(draft: Draft, node: NodeId) -> bool:
    state = draft.find(node)
    return state is not None and state.kind in _WRITERS and state.writing


def _all_done(draft: Draft, owner: NodeId) -> None:
    scope = draft.scope(owner)
    if scope.failure is not None:
        failing.fail(draft, owner, scope.failure)
        return
    missing = len(draft.graph(owner).nodes) - scope.succeeded
    if missing:
        message = f"{missing} node(s) of {draft.plan.workflow} wait for nodes that cannot succeed before them."
        failing.fail(draft, owner, Failure(FailureKind.SYSTEM, UNREACHABLE, message, draft.at))
        return
    draft.move_scope(owner, ScopePhase.WRITING)
    draft.command(WriteOutputs(owner, scope.round))


def _handled(draft: Draft, owner: NodeId, node: NodeId) -> None:
    """End after the failure node: with the error that it was run for, or its own if it failed itself."""
    failure = draft.find_failure(node)
    if failure is not None:
        draft.edit_scope(owner, failure=failure)
    draft.move_scope(owner, ScopePhase.ENDED)
