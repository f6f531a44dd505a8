"""Executions: creating them, driving them (inbox, state, outbox, timers), and reading what clients see of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import AttemptKey, EntityId, ExecutionId, NodeId
from dayfly.model.plan import Plan
from dayfly.model.run import NodeState, RunState
from dayfly.ports.definitions import Listed, Page


class ParentNode(msgspec.Struct, frozen=True):
    """The node that launched an execution, and is told of its end."""

    execution: ExecutionId
    node: NodeId


class NewRun(msgspec.Struct, frozen=True):
    """Everything CreateExecution settles."""

    id: ExecutionId
    spec: bytes
    """flyteidl.admin.ExecutionSpec, as clients read it back."""
    workflow: EntityId
    plan: Plan
    launch_plan: EntityId | None
    task: EntityId | None
    """Set for single-task executions."""
    created_at: Micros
    storage: str
    """Prefix of the store that the run's files lie in, by which `model.layout` finds them."""
    mode: int = 0
    user: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    """Labels as (key, value), tags as (tag, ""): indexed for filters."""
    inputs: tuple[tuple[str, str], ...] = ()
    """Inputs that executions are found by, as (name, value): indexed for filters."""
    parent: ParentNode | None = None
    at_once: int = 0
    """How many executions of launch plans of this name may be under way, this one included; 0 is no limit."""


class Run(msgspec.Struct, frozen=True):
    """What a turn works with."""

    id: ExecutionId
    plan: Plan
    state: RunState
    version: int
    """Grows by one with each commit; a commit must name the version it read."""
    spec: bytes
    storage: str
    workflow: EntityId
    grown: Mapping[str, Plan] = {}
    """The plans that its dynamic nodes made, by digest, those of unread events included."""


class UnreadEvent(msgspec.Struct, frozen=True):
    """An event of the inbox."""

    sequence: int
    event: Event


class UndoneCommand(msgspec.Struct, frozen=True):
    """A command of the outbox that nobody has reported done."""

    execution: ExecutionId
    command: Command
    version: int
    """Of the run as it is stored now: who works with an older one reads it again before he carries this out."""


class LiveHandle(msgspec.Struct, frozen=True):
    """An attempt that was handed to an executor and has not ended yet."""

    key: AttemptKey
    executor: str
    handle: bytes


class ExecutionRow(msgspec.Struct, frozen=True):
    """What clients read of an execution."""

    id: ExecutionId
    spec: bytes
    closure: bytes
    """flyteidl.admin.ExecutionClosure."""
    state: int
    """0 active, 1 archived."""
    storage: str
    phase: str
    """Upper-case name, as filters compare it."""
    created_at: Micros


class NodeRow(msgspec.Struct, frozen=True):
    """What clients read of a node execution."""

    execution: ExecutionId
    node: NodeId
    spec_node_id: str
    input_uri: str
    closure: bytes
    """flyteidl.admin.NodeExecutionClosure."""
    metadata: bytes
    """flyteidl.admin.NodeExecutionMetaData."""


class AttemptRow(msgspec.Struct, frozen=True):
    """What clients read of a task execution."""

    execution: ExecutionId
    node: NodeId
    attempt: int
    task: EntityId
    input_uri: str
    closure: bytes
    """flyteidl.admin.TaskExecutionClosure."""
    phase_version: int = 0
    """Grows with each report of the same phase."""


class ElementRow(msgspec.Struct, frozen=True):
    """What is known of one attempt of an array's element, or of an element that took none."""

    element: int
    attempt: int
    phase: str
    """Of the attempt: an upper-case name."""
    ended: bool
    """Whether the element itself has come to its end, with this attempt."""
    succeeded: bool
    resource: bytes
    """flyteidl.event.ExternalResourceInfo."""


class Runs(Protocol):
    """Executions in the database. Raises `StoreUnavailable`."""

    # -- doors ------------------------------------------------------------------------------------------------------
    async def create(self, run: NewRun, launched: Event) -> None:
        """Commit run, projection and first event together.

        Raise `AlreadyExists` for the name, and where `at_once` are under way already, with nothing changed.
        """
        ...

    async def append(self, execution: ExecutionId, events: Sequence[Event]) -> None:
        """Add events to the inbox and wake whoever drives the execution. Raise `NotFound`."""
        ...

    async def request_abort(self, execution: ExecutionId, event: Event, *, principal: str, cause: str) -> None:
        """Append the abort and show ABORTING at once, in one commit.

        Raise `NotFound`, `FailedPrecondition` if ended.
        """
        ...

    async def set_archived(self, execution: ExecutionId, *, archived: bool, principal: str, at: Micros) -> None:
        """Archive or bring back. Raise `NotFound`."""
        ...

    # -- controller -------------------------------------------------------------------------------------------------
    async def lease_unread(self, owner: str, *, lease_seconds: float, limit: int) -> list[ExecutionId]:
        """Take executions that have unread events or undone commands and no live lease of another; oldest first."""
        ...

    async def release(self, execution: ExecutionId, owner: str) -> None:
        """Give the lease back; harmless if it was lost."""
        ...

    async def load(self, execution: ExecutionId) -> tuple[Run, list[UnreadEvent]]:
        """Return the run and its unread events in order. Raise `NotFound`."""
        ...

    async def commit(
        self,
        run: Run,
        after: RunState,
        read: Sequence[UnreadEvent],
        commands: Sequence[Command],
        folded: Mapping[NodeId, NodeState] = {},
    ) -> Run:
        """Store state, projections, commands, timers and `read` marks in one transaction; return the run as it is now.

        `folded` are elements of arrays that ended on the way. Where the run ends, the node that launched it is told.
        Raise `VersionClash` when `run.version` is not the stored one any more, with nothing changed.
        """
        ...

    async def undone(self, execution: ExecutionId) -> list[UndoneCommand]:
        """Return the execution's undone commands, oldest first."""
        ...

    async def mark_done(
        self,
        execution: ExecutionId,
        command: Command,
        *,
        executor: str = "",
        handle: bytes = b"",
        events: Sequence[Event] = (),
        plan: Plan | None = None,
    ) -> bool:
        """Mark a command done, with what it made, keep the `plan` that grew, and append `events`, in one commit.

        Return False where somebody else had done it, with nothing changed. Raise `NotFound`.
        """
        ...

    async def live_handles(self) -> list[LiveHandle]:
        """Return the handles of all attempts that were started and have not ended in the stored state."""
        ...

    async def find_handle(self, key: AttemptKey) -> LiveHandle | None:
        """Return the handle of one attempt, ended or not."""
        ...

    async def fire_timers(self, now: Micros, *, limit: int) -> tuple[int, Micros | None]:
        """Turn due timers into events; return how many, and when the next one is due."""
        ...

    async def wait_until_woken(self, timeout_seconds: float) -> None:
        """Return when something was appended since the last call, or after the timeout."""
        ...

    # -- readers ----------------------------------------------------------------------------------------------------
    async def find_execution(self, execution: ExecutionId) -> ExecutionRow | None:
        """Return one execution, None if unknown."""
        ...

    async def list_executions(self, project: str, domain: str, page: Page) -> Listed[ExecutionRow]:
        """Return executions by Flyte's filter fields; archived ones only where a filter names `state`."""
        ...

    async def find_node(self, execution: ExecutionId, node: NodeId) -> NodeRow | None:
        """Return one node execution, None if unknown."""
        ...

    async def list_nodes(self, execution: ExecutionId, parent: NodeId | None, page: Page) -> Listed[NodeRow]:
        """Return node executions directly below `parent`, top-level ones for None."""
        ...

    async def find_attempt(self, execution: ExecutionId, node: NodeId, attempt: int) -> AttemptRow | None:
        """Return one task execution, None if unknown."""
        ...

    async def list_attempts(self, execution: ExecutionId, node: NodeId, page: Page) -> Listed[AttemptRow]:
        """Return the task executions of a node, first attempt first unless sorted otherwise."""
        ...

    async def list_elements(self, execution: ExecutionId, array: NodeId) -> list[ElementRow]:
        """Return all attempts of an array's elements, by element and attempt."""
        ...

    async def find_element(self, execution: ExecutionId, element: NodeId) -> ElementRow | None:
        """Return the last attempt of one element, None if it is unknown."""
        ...

    async def list_events(self, execution: ExecutionId) -> list[UnreadEvent]:
        """Return the whole log of the execution, read or not, in order."""
        ...
