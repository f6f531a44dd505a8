"""Whether a failed attempt is followed by another, and whether that one may be interrupted.

Two budgets, counted apart, as flytepropeller does (flytepropeller/pkg/controller/nodes/executor.go in flyteorg/flyte):
the user's attempts, and the platform's own retries for failures that are nobody's fault. Retries are immediate.
"""

from __future__ import annotations

from msgspec import structs

from dayfly.model.phases import FailureKind
from dayfly.model.plan import Graph, PlanNode
from dayfly.model.run import Failure, NodeState, RunOptions

EXHAUSTED = "RetriesExhausted"
"""Clients tell an exhausted budget from a permanent failure by this prefix of the code."""


def find_final_failure(
    rules: PlanNode, options: RunOptions, before: NodeState, failure: Failure, *, recoverable: bool
) -> Failure | None:
    """Return the failure the node ends with, or None if it gets another attempt.

    `before` is the node as it was before this failure was counted.
    """
    if not recoverable:
        return failure
    if failure.kind is FailureKind.SYSTEM:
        done, allowed = before.system_failures, options.system_retries
    else:
        done, allowed = before.user_failures + 1, rules.max_attempts
    if done < allowed:
        return None
    return structs.replace(
        failure,
        kind=FailureKind.USER,
        code=f"{EXHAUSTED}|{failure.code}",
        message=f"[{done}/{allowed}] currentAttempt done. Last Error: {failure.kind.name}::{failure.message}",
    )


def tell(
    rules: PlanNode,
    options: RunOptions,
    before: NodeState,
    failure: Failure,
    final: Failure | None,
    *,
    recoverable: bool,
) -> str:
    """Say in words what follows a failed attempt, which budget pays for it, and what is left of that."""
    system = failure.kind is FailureKind.SYSTEM
    done = (before.system_failures if system else before.user_failures) + 1
    allowed = options.system_retries if system else rules.max_attempts - 1
    whose = "the platform's" if system else "the task's own"
    what = f"{failure.kind.name} failure {failure.code}"
    if final is None:
        return f"{what}: retry {done} of {allowed} of {whose} retries, {allowed - done} left"
    if recoverable:
        return f"{what}: not retried, {allowed} of {allowed} of {whose} retries are used"
    unused = allowed - done + 1
    if system or unused <= 0:
        return f"{what}: not retried, it is permanent"
    return (
        f"{what}: not retried though {unused} of {whose} retries are left: only FlyteRecoverableException asks for one"
    )


def interruptible(graph: Graph, rules: PlanNode, options: RunOptions, system_failures: int) -> bool:
    """Say whether the node's next attempt may run where it can be interrupted: never the last the platform grants."""
    if system_failures >= options.system_retries:
        return False
    if rules.interruptible is not None:
        return rules.interruptible
    return graph.interruptible if options.interruptible is None else options.interruptible
