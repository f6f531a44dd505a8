"""What a node's failure means to the execution, by the workflow's failure policy.

The abort message is Flyte's own (flytepropeller/pkg/controller/workflow/executor.go in flyteorg/flyte).
"""

from __future__ import annotations

from msgspec import structs

from dayfly.engine import aborting
from dayfly.engine.drafting import Draft
from dayfly.model.phases import ExecutionPhase, FailurePolicy, NodePhase
from dayfly.model.run import Failure

AUTO_ABORT = "Some node execution failed, auto-abort."


def apply_policy(draft: Draft) -> None:
    """Look at the nodes that failed in this step: fail at once, or remember the last one's error for the end."""
    for node in draft.ended_nodes:
        state = draft.state.nodes[node]
        if state.phase not in (NodePhase.FAILED, NodePhase.TIMED_OUT) or state.failure is None:
            continue
        if draft.state.phase is ExecutionPhase.RUNNING:
            failure = structs.replace(state.failure, node=node)
            if draft.plan.on_failure is FailurePolicy.FAIL_IMMEDIATELY:
                fail(draft, failure)
            else:
                draft.edit(failure=failure)


def fail(draft: Draft, failure: Failure) -> None:
    """Fail the execution with this error; what still runs is stopped first."""
    draft.move(ExecutionPhase.FAILING, failure=failure)
    aborting.stop_all(draft, failure.kind, AUTO_ABORT)
