"""Phases of executions, nodes and attempts, with Flyte's own numbers.

Numbers: flyteidl/protos/flyteidl/core/execution.proto in flyteorg/flyte. Which moves are legal, `engine.moves` says.
"""

from __future__ import annotations

from enum import IntEnum


class ExecutionPhase(IntEnum):
    """WorkflowExecution.Phase."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDING = 3
    SUCCEEDED = 4
    FAILING = 5
    FAILED = 6
    ABORTED = 7
    TIMED_OUT = 8
    ABORTING = 9


class NodePhase(IntEnum):
    """NodeExecution.Phase. UNDEFINED means: not started yet, and no row is shown."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILING = 4
    FAILED = 5
    ABORTED = 6
    SKIPPED = 7
    TIMED_OUT = 8
    DYNAMIC_RUNNING = 9
    RECOVERED = 10


class AttemptPhase(IntEnum):
    """TaskExecution.Phase."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    ABORTED = 4
    FAILED = 5
    INITIALIZING = 6
    WAITING_FOR_RESOURCES = 7
    RETRYABLE_FAILED = 8


class FailureKind(IntEnum):
    """ExecutionError.ErrorKind: whose fault."""

    UNKNOWN = 0
    USER = 1
    SYSTEM = 2


class ScopePhase(IntEnum):
    """How far the inside of a workflow is. Ours alone: clients see the phases of its node or execution."""

    CLOSED = 0
    OPEN = 1
    WRITING = 2
    """All children succeeded and the outputs are being put together."""
    FAILING = 3
    """What still runs is being stopped."""
    HANDLING = 4
    """The failure node runs."""
    ABORTING = 5
    ENDED = 6


class CacheStatus(IntEnum):
    """flyteidl.core.CatalogCacheStatus."""

    DISABLED = 0
    MISS = 1
    HIT = 2
    POPULATED = 3
    LOOKUP_FAILURE = 4
    PUT_FAILURE = 5
    SKIPPED = 6


class FailurePolicy(IntEnum):
    """WorkflowMetadata.OnFailurePolicy."""

    FAIL_IMMEDIATELY = 0
    FAIL_AFTER_EXECUTABLE_NODES_COMPLETE = 1


TERMINAL_EXECUTION = frozenset(
    {ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED, ExecutionPhase.TIMED_OUT}
)
TERMINAL_NODE = frozenset(
    {
        NodePhase.SUCCEEDED,
        NodePhase.FAILED,
        NodePhase.ABORTED,
        NodePhase.SKIPPED,
        NodePhase.TIMED_OUT,
        NodePhase.RECOVERED,
    }
)
TERMINAL_ATTEMPT = frozenset({AttemptPhase.SUCCEEDED, AttemptPhase.ABORTED, AttemptPhase.FAILED})
