"""How a run or node stands, in a sentence: what it waits for, what it does, how it ended. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flyteidl.core import catalog_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base.clock import SECOND
from dayfly.client import watching
from dayfly.console import wording
from dayfly.console.run.subject import Subject
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE

FAULTS = {
    "USER": "The task's own error.",
    "SYSTEM": "Not the task's error: it is retried for free.",
}

ATTEMPT = {
    "UNDEFINED": "Its attempt is about to begin.",
    "QUEUED": "Waits for its turn",
    "WAITING_FOR_RESOURCES": "Waits for room",
    "INITIALIZING": "Gets its environment ready",
    "RUNNING": "Runs",
}

NODE = {
    "QUEUED": "Waits for its turn: the nodes before it have ended, and its inputs are being read.",
    "RUNNING": "Goes on.",
    "PAUSED": "Waits for a person.",
    "SKIPPED": "Was skipped: the branch took another way.",
    "RECOVERED": "Was taken over from the run that this one recovers.",
    "DYNAMIC_RUNNING": "Goes on with the nodes that it made.",
}

RUN = {
    "QUEUED": "Waits for its turn: the platform has not begun with it.",
    "RUNNING": "Runs.",
    "SUCCEEDING": "Has all its outputs, and ends.",
    "FAILING": "Has failed, and ends what still goes on.",
    "ABORTING": "Was told to end, and ends what still goes on.",
    "PAUSED": "Waits for a person.",
}


def fault(kind: str) -> str:
    """Return whose error it is, and what that means for retries."""
    return FAULTS.get(kind, "")


def tell(subject: Subject) -> tuple[str, str]:
    """Return the sentence of what has no error, with the phase that gives its colour."""
    phase, one = subject.phase, subject.execution if subject.node is None else subject.node
    over = one.closure.phase in (TERMINAL_EXECUTION if subject.node is None else TERMINAL_NODE)
    started, ended = watching.span(one.closure, over)
    took = f" in {wording.duration((ended - started) / SECOND)}" if started is not None and ended is not None else ""
    if phase == "SUCCEEDED":
        return phase, f"Succeeded{took}{_cached(subject)}."
    if phase == "ABORTED":
        return phase, f"Was aborted{_because(subject)}."
    if subject.node is None:
        return phase, RUN.get(phase, wording.phase(phase) + ".")
    if subject.attempt is not None and not over:
        return phase, doing(subject.attempts[-1])
    if phase == "RUNNING" and subject.node.metadata.is_parent_node:
        return phase, "Goes on with the nodes inside it."
    return phase, NODE.get(phase, wording.phase(phase) + ".")


def of_nodes(going_on: int, attempts: Sequence[Any]) -> str:
    """Return how a run stands by its nodes that go on, and the last attempts of some: what it waits for, if it does."""
    if len(attempts) == going_on and not any(phase_of(one) == "RUNNING" for one in attempts):
        return "; ".join(f"{one.id.task_id.name.rpartition('.')[2]}: {doing(one)}" for one in attempts)
    return f"Runs: {wording.count(going_on, 'node')} {'goes' if going_on == 1 else 'go'} on."


def phase_of(attempt: Any) -> str:
    """Return the name of an attempt's phase (admin.TaskExecution)."""
    return str(phases_pb2.TaskExecution.Phase.Name(attempt.closure.phase))


def doing(attempt: Any) -> str:
    """Return what an attempt does (admin.TaskExecution): `Waits for room: 2 of 4 CPUs`."""
    closure = attempt.closure
    phase = phase_of(attempt)
    told = ATTEMPT.get(phase, wording.phase(phase))
    number = attempt.id.retry_attempt
    again = f" (attempt {number})" if number else ""
    return f"{told}{again}: {closure.reason}" if closure.reason else f"{told.rstrip('.')}{again}."


def _cached(subject: Subject) -> str:
    if subject.node is None or not subject.node.closure.HasField("task_node_metadata"):
        return ""
    status = subject.node.closure.task_node_metadata.cache_status
    return ": its outputs were in the cache" if status == catalog_pb2.CACHE_HIT else ""


def _because(subject: Subject) -> str:
    told = subject.execution.closure.abort_metadata
    by = f" by {told.principal}" if told.principal else ""
    return f"{by}: {told.cause.rstrip('.')}" if told.cause else by
