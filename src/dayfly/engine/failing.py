"""What a node's failure means to the workflow it is part of, by that workflow's failure policy.

The abort message is Flyte's own (flytepropeller/pkg/controller/workflow/executor.go in flyteorg/flyte).
"""

from __future__ import annotations

from dayfly.engine import stopping
from dayfly.engine.drafting import Draft
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import FailurePolicy, ScopePhase
from dayfly.model.run import Failure

AUTO_ABORT = "Some node execution failed, auto-abort."


def apply_policy(draft: Draft, owner: NodeId, node: NodeId) -> None:
    """Look at a node inside `owner` that failed: fail at once, or remember the last one's error for the end."""
    failure = draft.find_failure(node)
    if failure is None or draft.scope(owner).phase is not ScopePhase.OPEN:
        return
    if draft.graph(owner).on_failure is FailurePolicy.FAIL_IMMEDIATELY:
        fail(draft, owner, failure)
    else:
        draft.edit_scope(owner, failure=failure)


def fail(draft: Draft, owner: NodeId, failure: Failure) -> None:
    """Fail what runs inside `owner` with this error; what still runs is stopped first."""
    draft.move_scope(owner, ScopePhase.FAILING, failure=failure, ready=())
    draft.unsettled.append(owner)
    why = Failure(failure.kind, stopping.ABORTED, AUTO_ABORT, draft.at)
    for node in draft.inside(owner):
        stopping.stop(draft, node, why)
