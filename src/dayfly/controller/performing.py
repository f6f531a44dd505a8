"""Carries out what was committed. Every command may come twice.

Called by `leasing` after each turn. Its results are events, appended in the same commit that marks the command done.
A platform error leaves the command undone, to be tried again; a user's error becomes the node's failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from dayfly.base import errors, logs
from dayfly.model import commands, events, layout, phases
from dayfly.model.identifiers import ROOT
from dayfly.model.plan import NodeKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dayfly.base.clock import Clock
    from dayfly.controller.attempts import Attempts
    from dayfly.controller.caching import Caching
    from dayfly.controller.kinds.dynamic import Growing
    from dayfly.controller.kinds.launch_plan import LaunchPlans
    from dayfly.controller.kinds.working import Kind
    from dayfly.controller.recovering import Recovering
    from dayfly.controller.resolving import Resolver
    from dayfly.model.commands import Command
    from dayfly.model.plan import Plan
    from dayfly.ports.runs import Run, Runs

MAX_TRIES = 60
"""Times that a command for a node meets a platform error, some seconds apart, before the node fails."""

_NodeCommand: TypeAlias = (
    "commands.PrepareNode | commands.WriteOutputs | commands.StopChild | commands.Grow | commands.LookUpCache"
    " | commands.FillCache | commands.LeaveCache | commands.RecoverNode"
)

_log = logs.get("controller.performing")


class Performer:
    """Carries out commands. `kinds` are the kinds of nodes that are no tasks."""

    def __init__(
        self,
        runs: Runs,
        resolver: Resolver,
        attempts: Attempts,
        kinds: Mapping[NodeKind, Kind],
        launch_plans: LaunchPlans,
        growing: Growing,
        caching: Caching,
        recovering: Recovering,
        clock: Clock,
    ) -> None:
        self._runs, self._resolver, self._attempts, self._kinds = runs, resolver, attempts, kinds
        self._launch_plans, self._growing, self._caching = launch_plans, growing, caching
        self._recovering, self._clock = recovering, clock
        self._tries: dict[tuple[str, str], int] = {}

    async def perform(self, run: Run) -> bool:
        """Carry out all undone commands of `run`; one node's in order, nodes side by side. Say whether any were."""
        by_node: dict[str, list[Command]] = {}
        undone = await self._runs.undone(run.id)
        if undone and undone[0].version != run.version:
            # Another platform has committed since: its commands are about nodes that this run does not know.
            run, _ = await self._runs.load(run.id)
        for item in undone:
            by_node.setdefault(getattr(item.command, "node", ""), []).append(item.command)
        done = await asyncio.gather(*(self._in_order(run, some) for some in by_node.values()), return_exceptions=True)
        failures = [each for each in done if isinstance(each, BaseException)]
        if failures:
            raise failures[0]
        return bool(by_node)

    async def _in_order(self, run: Run, some: Sequence[Command]) -> None:
        stopped = {command.attempt for command in some if isinstance(command, commands.StopAttempt)}
        is_stopped = any(isinstance(command, commands.StopChild) for command in some)
        for command in some:
            if isinstance(command, commands.StartAttempt) and command.attempt in stopped:
                # It was aborted before anybody said that he had started it: what there is of it, the stop below ends.
                await self._attempts.find(run, command)
            elif isinstance(command, commands.StartAttempt):
                await self._attempts.start(run, command)
            elif isinstance(command, commands.StopAttempt):
                await self._attempts.stop(run, command)
            elif isinstance(command, commands.PrepareNode) and is_stopped:
                await self._runs.mark_done(run.id, command)  # likewise
            elif isinstance(command, (commands.SetTimer, commands.CancelTimer)):
                pass  # done by the commit itself
            else:
                await self._do(run, command)

    async def _do(self, run: Run, command: _NodeCommand) -> None:
        state = run.state.nodes.get(command.node)
        if command.node != ROOT and state is None and not isinstance(command, commands.LeaveCache):
            await self._runs.mark_done(run.id, command)  # an array's element that has ended meanwhile
            return
        tries = (str(run.id), command.key)
        try:
            plan, told = await self._carry_out(run, command)
        except errors.UserError as error:
            code = getattr(error, "code", "BindingResolutionError")
            plan, told = None, [self._failed(command, phases.FailureKind.USER, code, str(error))]
        except errors.PlatformError as error:
            self._tries[tries] = self._tries.get(tries, 0) + 1
            if self._tries[tries] < MAX_TRIES:
                raise
            _log.error("given up", execution=str(run.id), command=command.key, error=str(error))
            plan, told = None, [self._failed(command, phases.FailureKind.SYSTEM, type(error).__name__, str(error))]
        self._tries.pop(tries, None)
        await self._runs.mark_done(run.id, command, events=told, plan=plan)

    async def _carry_out(self, run: Run, command: _NodeCommand) -> tuple[Plan | None, list[events.Event]]:
        if isinstance(command, commands.PrepareNode):
            return None, [await self._kinds[run.state.nodes[command.node].kind].prepare(run, command.node)]
        if isinstance(command, commands.WriteOutputs):
            return None, [await self._write_outputs(run, command)]
        if isinstance(command, commands.StopChild):
            # A child whose launch was not even begun is not launched any more: see `_in_order`.
            return None, await self._launch_plans.stop(run, command)
        if isinstance(command, commands.Grow):
            plan = await self._growing.grow(run, command.node, command.attempt)
            return plan, [events.Grown(self._clock.now(), command.node, command.attempt, plan.digest)]
        if isinstance(command, commands.LookUpCache):
            return None, [await self._caching.look_up(run, command.node, command.look)]
        if isinstance(command, commands.FillCache):
            return None, [await self._caching.fill(run, command.node)]
        if isinstance(command, commands.LeaveCache):
            await self._caching.leave(run, command.node)
            return None, []
        return None, [await self._recovering.recover(run, command.node)]

    async def _write_outputs(self, run: Run, command: commands.WriteOutputs) -> events.Event:
        if command.node == ROOT:
            outputs = await self._resolver.resolve(run, ROOT, run.plan.end_document)
            await self._resolver.write(layout.execution_outputs_uri(run.storage, run.id), outputs)
            return events.OutputsWritten(self._clock.now())
        kind = run.state.nodes[command.node].kind
        # What a dynamic task made ends like a sub-workflow.
        maker = self._kinds[NodeKind.SUB_WORKFLOW if kind is NodeKind.TASK else kind]
        outputs = await maker.outputs(run, command.node)
        await self._resolver.write(layout.outputs_uri(run.storage, run.id, command.node, command.round), outputs)
        return events.OutputsWritten(self._clock.now(), command.node, command.round)

    def _failed(self, command: _NodeCommand, kind: phases.FailureKind, code: str, message: str) -> events.Event:
        at = self._clock.now()
        if isinstance(command, commands.WriteOutputs):
            return events.OutputsRejected(at, kind, code, message, command.node, command.round)
        return events.NodeFailed(at, command.node, kind, code, message)
