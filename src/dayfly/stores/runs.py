"""Executions in SQL. Implements `ports.runs.Runs`: each verb is one transaction of the modules beside this one.

The run that a turn committed last is kept in memory, so that the next turn reads only its version and its events.
Who waits for work is woken through `waking`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from dayfly.base.clock import Clock, Micros
from dayfly.model.commands import Command
from dayfly.model.events import Event
from dayfly.model.identifiers import AttemptKey, ExecutionId, NodeId
from dayfly.model.plan import Plan
from dayfly.model.run import Abort, NodeState, RunState
from dayfly.ports.definitions import Listed, Page
from dayfly.ports.runs import (
    AttemptRow,
    ElementRow,
    ExecutionRow,
    LiveHandle,
    NewRun,
    NodeRow,
    Run,
    UndoneCommand,
    UnreadEvent,
)
from dayfly.stores import run_acting, run_driving, run_elements, run_opening, run_reading, server_time
from dayfly.stores.connections import Connections
from dayfly.stores.waking import Waking

KEPT_RUNS = 128
"""Runs kept decoded in memory, the least recently used dropped first."""


_NOTHING: Mapping[NodeId, NodeState] = {}


class SqlRuns:
    """`Runs` over a database."""

    def __init__(self, connections: Connections, clock: Clock, waking: Waking) -> None:
        self._connections, self._clock, self._waking = connections, clock, waking
        self._kept: OrderedDict[ExecutionId, Run] = OrderedDict()

    # -- doors --------------------------------------------------------------------------------------------------------
    async def create(self, run: NewRun, launched: Event) -> None:
        """Commit run, projection and first event together. Raise `AlreadyExists`, with nothing changed."""
        await self._connections.write(lambda connection: run_opening.create(connection, run, launched))
        self._waking.wake()

    async def append(self, execution: ExecutionId, events: Sequence[Event]) -> None:
        """Add events to the inbox and wake whoever drives the execution. Raise `NotFound`."""
        await self._connections.write(lambda connection: run_opening.append(connection, execution, events))
        self._waking.wake()

    async def request_abort(self, execution: ExecutionId, event: Event, *, principal: str, cause: str) -> None:
        """Append the abort and show ABORTING at once, in one commit.

        Raise `NotFound`, `FailedPrecondition` if ended.
        """
        abort = Abort(cause, principal, event.at)
        await self._connections.write(lambda connection: run_opening.request_abort(connection, execution, event, abort))
        self._waking.wake()

    async def set_archived(self, execution: ExecutionId, *, archived: bool, principal: str, at: Micros) -> None:
        """Archive or bring back. Raise `NotFound`."""
        await self._connections.write(
            lambda connection: run_opening.set_archived(
                connection, execution, archived=archived, principal=principal, at=at
            )
        )

    # -- controller ---------------------------------------------------------------------------------------------------
    async def lease_unread(self, owner: str, *, lease_seconds: float, limit: int) -> list[ExecutionId]:
        """Take executions that have unread events or undone commands and no live lease of another; oldest first."""
        return await self._connections.write(
            lambda connection: run_driving.lease_unread(
                connection,
                owner,
                now=server_time.now(connection, self._clock),
                lease_seconds=lease_seconds,
                limit=limit,
            )
        )

    async def release(self, execution: ExecutionId, owner: str) -> None:
        """Give the lease back; harmless if it was lost."""
        await self._connections.write(lambda connection: run_driving.release(connection, execution, owner))

    async def load(self, execution: ExecutionId) -> tuple[Run, list[UnreadEvent]]:
        """Return the run and its unread events in order. Raise `NotFound`."""
        kept = self._kept.get(execution)
        run, unread = await self._connections.read(lambda connection: run_driving.load(connection, execution, kept))
        self._keep(run)
        return run, unread

    async def commit(
        self,
        run: Run,
        after: RunState,
        read: Sequence[UnreadEvent],
        commands: Sequence[Command],
        folded: Mapping[NodeId, NodeState] = _NOTHING,
    ) -> Run:
        """Store state, projections, commands, timers and `read` marks in one transaction; return the run as it is now.

        Raise `VersionClash` when `run.version` is not the stored one any more, with nothing changed.
        """
        new = await self._connections.write(
            lambda connection: run_driving.commit(connection, run, after, read, commands, folded)
        )
        self._keep(new)
        if after.ended:
            self._waking.wake()  # whoever launched it has an event now
        return new

    async def undone(self, execution: ExecutionId) -> list[UndoneCommand]:
        """Return the execution's undone commands, oldest first."""
        return await self._connections.read(lambda connection: run_acting.undone(connection, execution))

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
        """Mark a command done, with what it made, and append `events`, in one commit.

        Return False where somebody else had done it, with nothing changed. Raise `NotFound`.
        """
        now = self._clock.now()
        marked = await self._connections.write(
            lambda connection: run_acting.mark_done(
                connection, execution, command, at=now, executor=executor, handle=handle, new=events, plan=plan
            )
        )
        if events:
            self._waking.wake()
        return marked

    async def live_handles(self) -> list[LiveHandle]:
        """Return the handles of all attempts that were started and have not ended in the stored state."""
        return await self._connections.read(run_acting.live_handles)

    async def find_handle(self, key: AttemptKey) -> LiveHandle | None:
        """Return the handle of one attempt, ended or not."""
        return await self._connections.read(lambda connection: run_acting.find_handle(connection, key))

    async def fire_timers(self, now: Micros, *, limit: int) -> tuple[int, Micros | None]:
        """Turn due timers into events; return how many, and when the next one is due."""
        # Looking costs a read; the write that would make every poll of an idle platform touch the disk is spared.
        upcoming = await self._connections.read(run_acting.next_timer)
        if upcoming is None or upcoming > now:
            return 0, upcoming
        fired = await self._connections.write(lambda connection: run_acting.fire_timers(connection, now, limit=limit))
        self._waking.wake()
        return fired

    def wake(self) -> None:
        """Say that something was appended by another store over the same database."""
        self._waking.wake()

    async def wait_until_woken(self, timeout_seconds: float) -> None:
        """Return when something was appended since the last call, or after the timeout."""
        await self._waking.wait(timeout_seconds)

    # -- readers ------------------------------------------------------------------------------------------------------
    async def find_execution(self, execution: ExecutionId) -> ExecutionRow | None:
        """Return one execution, None if unknown."""
        return await self._connections.read(lambda connection: run_reading.find_execution(connection, execution))

    async def list_executions(self, project: str, domain: str, page: Page) -> Listed[ExecutionRow]:
        """Return executions by Flyte's filter fields; archived ones only where a filter names `state`."""
        listing = run_reading.executions(project, domain, page)
        return await self._connections.read(lambda connection: run_reading.list_executions(connection, listing))

    async def find_node(self, execution: ExecutionId, node: NodeId) -> NodeRow | None:
        """Return one node execution, None if unknown."""
        return await self._connections.read(lambda connection: run_reading.find_node(connection, execution, node))

    async def list_nodes(self, execution: ExecutionId, parent: NodeId | None, page: Page) -> Listed[NodeRow]:
        """Return node executions directly below `parent`, top-level ones for None."""
        listing = run_reading.nodes(execution, parent, page)
        return await self._connections.read(lambda connection: run_reading.list_nodes(connection, execution, listing))

    async def find_attempt(self, execution: ExecutionId, node: NodeId, attempt: int) -> AttemptRow | None:
        """Return one task execution, None if unknown."""
        return await self._connections.read(
            lambda connection: run_reading.find_attempt(connection, execution, node, attempt)
        )

    async def list_attempts(self, execution: ExecutionId, node: NodeId, page: Page) -> Listed[AttemptRow]:
        """Return the task executions of a node, first attempt first unless sorted otherwise."""
        listing = run_reading.attempts(execution, node, page)
        return await self._connections.read(
            lambda connection: run_reading.list_attempts(connection, execution, listing)
        )

    async def list_elements(self, execution: ExecutionId, array: NodeId) -> list[ElementRow]:
        """Return all attempts of an array's elements, by element and attempt."""
        return await self._connections.read(lambda connection: run_elements.list_elements(connection, execution, array))

    async def find_element(self, execution: ExecutionId, element: NodeId) -> ElementRow | None:
        """Return the last attempt of one element, None if it is unknown."""
        return await self._connections.read(
            lambda connection: run_elements.find_element(connection, execution, element)
        )

    async def list_events(self, execution: ExecutionId) -> list[UnreadEvent]:
        """Return the whole log of the execution, read or not, in order."""
        return await self._connections.read(lambda connection: run_reading.list_events(connection, execution))

    def _keep(self, run: Run) -> None:
        kept = self._kept.pop(run.id, None)
        if kept is not None and kept.version > run.version:
            run = kept  # an older view, read before a commit that has ended since
        if run.state.ended:
            return
        self._kept[run.id] = run
        if len(self._kept) > KEPT_RUNS:
            self._kept.popitem(last=False)
