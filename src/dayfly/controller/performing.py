"""Carries out what was committed: starts and stops attempts, writes outputs. Every command may come twice.

Called by `leasing` after each turn. Its results are events, appended in the same commit that marks the command done.
A platform error leaves the command undone, to be tried again; a user's error becomes the attempt's failure.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.admin import matchable_resource_pb2, task_pb2
from flyteidl.core import literals_pb2, tasks_pb2, workflow_pb2

from dayfly.base import errors, logs
from dayfly.controller import overriding, preparing
from dayfly.model import commands, events, identifiers, layout, phases, promises
from dayfly.ports import executor_parts
from dayfly.ports.attributes import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from dayfly.base.clock import Clock
    from dayfly.model.commands import Command, StartAttempt, StopAttempt
    from dayfly.model.identifiers import EntityId, NodeId
    from dayfly.ports.attributes import Attributes
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.definitions import Definitions
    from dayfly.ports.executors import Executor
    from dayfly.ports.runs import Run, Runs

MAX_TRIES = 5
"""Times a start meets a platform error before it becomes a system failure of the attempt, which has a budget."""

TEMPLATES_KEPT = 2_000
"""Parsed task templates kept in memory; they never change."""

_log = logs.get("controller.performing")


class Performer:
    """Carries out commands. `by_type` maps task types to executor names, `ANY_TYPE` for all others."""

    def __init__(
        self,
        runs: Runs,
        definitions: Definitions,
        blobs: Blobs,
        by_name: Mapping[str, Executor],
        by_type: Mapping[str, str],
        clock: Clock,
        *,
        public_url: str,
        grace_seconds: float,
        platform_env: Mapping[str, str],
        sizing: preparing.Sizing | None = None,
        attributes: Attributes | None = None,
        claims: Mapping[str, Callable[[str], Awaitable[bool]]] | None = None,
    ) -> None:
        self._claims = claims or {}
        self._runs, self._definitions, self._blobs, self._clock = runs, definitions, blobs, clock
        self._executors, self._by_type = by_name, by_type
        self._public_url, self._grace_seconds, self._platform_env = public_url, grace_seconds, platform_env
        self._sizing, self._attributes = sizing or preparing.Sizing(), attributes
        self._templates: dict[EntityId, tasks_pb2.TaskTemplate] = {}
        self._tries: dict[str, int] = {}

    async def perform(self, run: Run) -> None:
        """Carry out all undone commands of `run`; one node's in order, nodes side by side."""
        by_node: dict[str, list[Command]] = {}
        for undone in await self._runs.undone(run.id):
            by_node.setdefault(getattr(undone.command, "node", ""), []).append(undone.command)
        done = await asyncio.gather(*(self._in_order(run, some) for some in by_node.values()), return_exceptions=True)
        failures = [each for each in done if isinstance(each, BaseException)]
        if failures:
            raise failures[0]

    async def _in_order(self, run: Run, some: Sequence[Command]) -> None:
        stopped = {command.attempt for command in some if isinstance(command, commands.StopAttempt)}
        for command in some:
            if isinstance(command, commands.StartAttempt) and command.attempt in stopped:
                # It was aborted before anybody had started it: the stop below answers for it.
                await self._runs.mark_done(run.id, command)
            elif isinstance(command, commands.StartAttempt) and _is_over(run, command):
                # A platform started it, saw it end and died before it could say here that it was started.
                key = identifiers.attempt_key(run.id, command.node, command.attempt)
                name = await self._executor_of(run.plan.nodes[command.node].task_type)
                await self._executors[name].forget(key, b"")
                await self._runs.mark_done(run.id, command)
            elif isinstance(command, commands.StartAttempt):
                await self._start(run, command)
            elif isinstance(command, commands.StopAttempt):
                await self._stop(run, command)
            elif isinstance(command, commands.WriteOutputs):
                await self._write_outputs(run, command)

    async def _start(self, run: Run, command: StartAttempt) -> None:
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        try:
            rules = run.plan.nodes[command.node]
            template, notes = overriding.apply(await self._template(rules.task), rules.document)
            inputs = await self._inputs(run, command)
            spec = preparing.build_spec(
                run,
                command.node,
                command.attempt,
                template,
                inputs,
                interruptible=command.interruptible,
                public_url=self._public_url,
                platform_env=self._platform_env,
                sizing=await self._sizing_for(run),
                out_of_memory=command.out_of_memory,
                notes=notes,
            )
            if preparing.uses_task_template(template):
                await self._blobs.put(preparing.task_template_uri(run, command.node), spec.template)
            name = await self._executor_of(template.type)
            handle = await self._executors[name].start(spec)
        except errors.UserError as error:
            code = getattr(error, "code", "BadTaskSpecification")
            await self._fail(run, command, phases.FailureKind.USER, code, str(error), recoverable=False)
        except errors.PlatformError as error:
            tries = self._tries[key] = self._tries.get(key, 0) + 1
            if tries < MAX_TRIES:
                raise
            code = type(error).__name__
            await self._fail(run, command, phases.FailureKind.SYSTEM, code, str(error), recoverable=True)
        else:
            told = [self._tell(command, note) for note in spec.notes]
            await self._runs.mark_done(run.id, command, executor=name, handle=handle, events=told)
        self._tries.pop(key, None)

    def _tell(self, command: StartAttempt, note: str) -> events.Event:
        phase = phases.AttemptPhase.QUEUED
        return events.AttemptProgressed(self._clock.now(), command.node, command.attempt, phase, note)

    async def _sizing_for(self, run: Run) -> preparing.Sizing:
        """Return the sizes that hold for the run's workflow: the platform's, and attributes laid over."""
        kind, place = matchable_resource_pb2.TASK_RESOURCE, Place(run.id.project, run.id.domain, run.workflow.name)
        found = await self._attributes.matching(kind, place) if self._attributes is not None else []
        if not found:
            return self._sizing
        told = matchable_resource_pb2.MatchingAttributes.FromString(found[0].document)
        return preparing.sizing_for(self._sizing, told.task_resource_attributes)

    async def _executor_of(self, task_type: str) -> str:
        if task_type not in self._by_type:
            for name, claims in self._claims.items():
                if await claims(task_type):
                    return name
        return self._by_type.get(task_type, self._by_type[executor_parts.ANY_TYPE])

    async def _fail(
        self, run: Run, command: StartAttempt, kind: phases.FailureKind, code: str, message: str, *, recoverable: bool
    ) -> None:
        failed = events.AttemptFailed(
            self._clock.now(), command.node, command.attempt, kind, code, message, recoverable
        )
        await self._runs.mark_done(run.id, command, events=[failed])

    async def _stop(self, run: Run, command: StopAttempt) -> None:
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        live = await self._runs.find_handle(key)
        if live is None or not live.executor:
            never_ran = events.AttemptStopped(self._clock.now(), command.node, command.attempt)
            return await self._runs.mark_done(run.id, command, events=[never_ran])
        await self._executors[live.executor].stop(key, live.handle, grace_seconds=self._grace_seconds)
        await self._runs.mark_done(run.id, command)
        return None

    async def _write_outputs(self, run: Run, command: commands.WriteOutputs) -> None:
        try:
            outputs = await self._resolve(run, run.plan.end_document)
        except errors.UserError as error:
            code = getattr(error, "code", "BindingResolutionError")
            rejected = events.OutputsRejected(self._clock.now(), phases.FailureKind.USER, code, str(error))
            return await self._runs.mark_done(run.id, command, events=[rejected])
        await self._blobs.put(layout.execution_outputs_uri(run.storage, run.id), _serialize(outputs))
        await self._runs.mark_done(run.id, command, events=[events.OutputsWritten(self._clock.now())])
        return None

    async def _inputs(self, run: Run, command: StartAttempt) -> literals_pb2.LiteralMap:
        """Resolve the node's inputs on its first attempt; later ones read what that one stored."""
        uri = layout.node_inputs_uri(run.storage, run.id, command.node)
        if command.attempt and (stored := await self._blobs.find(uri)) is not None:
            return literals_pb2.LiteralMap.FromString(stored)
        inputs = await self._resolve(run, run.plan.nodes[command.node].document)
        await self._blobs.put(uri, _serialize(inputs))
        return inputs

    async def _resolve(self, run: Run, document: bytes) -> literals_pb2.LiteralMap:
        bindings = workflow_pb2.Node.FromString(document).inputs
        needed = sorted({node for binding in bindings for node in promises.upstream_nodes(binding.binding)})
        read = await asyncio.gather(*(self._outputs(run, identifiers.NodeId(node)) for node in needed))
        by_node = dict(zip(needed, read, strict=True))

        def lookup(node: str, variable: str) -> literals_pb2.Literal | None:
            found: literals_pb2.Literal | None = by_node[node].literals.get(variable)
            return found

        return promises.resolve_inputs(bindings, lookup)

    async def _outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        attempt = 0
        if node in run.state.nodes:
            attempt = run.state.nodes[node].attempts[-1].number
        uri = layout.outputs_uri(run.storage, run.id, node, attempt)
        raw = await self._blobs.find(uri)
        if raw is None:
            raise errors.BlobUnavailable(
                f"the outputs of node {node} of {run.id} are gone from {uri}.",
                remedy="Was the storage cleaned up, or the platform started with another --storage?",
            )
        return literals_pb2.LiteralMap.FromString(raw)

    async def _template(self, task: EntityId) -> tasks_pb2.TaskTemplate:
        if task not in self._templates:
            found = await self._definitions.find(task)
            if found is None:
                raise errors.NotFound(f"{task} is not registered any more.", remedy="Register it again.")
            if len(self._templates) >= TEMPLATES_KEPT:
                self._templates.clear()
            self._templates[task] = task_pb2.TaskClosure.FromString(found.document).compiled_task.template
        return self._templates[task]


def _is_over(run: Run, command: StartAttempt) -> bool:
    return not run.state.nodes[command.node].attempts[command.attempt].live


def _serialize(values: literals_pb2.LiteralMap) -> bytes:
    serialized: bytes = values.SerializeToString(deterministic=True)
    return serialized
