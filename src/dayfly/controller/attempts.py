"""Starts and stops attempts of tasks: from a node and its inputs to an executor and the handle it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import matchable_resource_pb2

from dayfly.base import errors
from dayfly.controller import overriding, preparing
from dayfly.model import events, identifiers, layout, phases, placing
from dayfly.ports import executor_parts, executors
from dayfly.ports.attributes import Place

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from flyteidl.core import literals_pb2, tasks_pb2

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.controller.templates import Templates
    from dayfly.controller.unsaid import Unsaid
    from dayfly.model.commands import StartAttempt, StopAttempt
    from dayfly.ports.attributes import Attributes
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.executors import Executor
    from dayfly.ports.runs import Run, Runs

LONG_ARRAY = 200
"""Elements from which on each gets inputs of its own: to read those of ten thousand takes flytekit a tenth of a
second."""

MAX_TRIES = 5
"""Times a start meets a platform error before it becomes a system failure of the attempt, which has a budget."""


class Attempts:
    """Hands attempts to executors. `by_type` maps task types to executor names, `ANY_TYPE` for all others.

    `makes_pods`: executors make pods, so that nothing of a task's pod is left out.
    """

    def __init__(
        self,
        runs: Runs,
        blobs: Blobs,
        resolver: Resolver,
        templates: Templates,
        unsaid: Unsaid,
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
        makes_pods: bool = False,
    ) -> None:
        self._claims = claims or {}
        self._runs, self._blobs, self._resolver, self._templates = runs, blobs, resolver, templates
        self._executors, self._by_type, self._clock = by_name, by_type, clock
        self._public_url, self._grace_seconds, self._platform_env = public_url, grace_seconds, platform_env
        self._sizing, self._attributes = sizing or preparing.Sizing(), attributes
        self._unsaid = unsaid
        self._makes_pods = makes_pods
        self._tries: dict[str, int] = {}
        self._told_away: set[str] = set()
        """Attempts whose executor is away, as they have been told."""

    async def start(self, run: Run, command: StartAttempt) -> None:
        """Start the attempt, or say why it cannot be; a platform error may be tried again some times."""
        if self._is_over(run, command):
            return await self._forget(run, command)
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        try:
            rules = placing.rules_of(run, command.node)
            registered = await self._templates.of(run, command.node)
            self._templates.note(key, registered)
            applied = overriding.apply(registered, rules.document)
            template = applied.template
            inputs = await self._inputs(run, command)
            name = await self._executor_of(template.type)
            own_inputs_uri, alone = await self._store_own_inputs(run, command, template, inputs, name)
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
                notes=() if self._makes_pods else applied.left_out,
                pods=applied.pods,
                own_inputs_uri=own_inputs_uri,
                alone=alone,
            )
            if preparing.uses_task_template(template):
                await self._blobs.put(preparing.task_template_uri(run, command.node), spec.template)
            handle = await self._executors[name].start(spec)
        except errors.UserError as error:
            code = getattr(error, "code", "BadTaskSpecification")
            await self._fail(run, command, phases.FailureKind.USER, code, str(error), recoverable=False)
        except errors.ExecutorAway as error:
            await self._tell_once(run, command, key, error)
            raise
        except errors.PlatformError as error:
            tries = self._tries[key] = self._tries.get(key, 0) + 1
            if tries < MAX_TRIES:
                raise
            code = type(error).__name__
            await self._fail(run, command, phases.FailureKind.SYSTEM, code, str(error), recoverable=True)
        else:
            told = [self._tell(command, note) for note in spec.notes]
            marked = await self._runs.mark_done(run.id, command, executor=name, handle=handle, events=told)
            if not marked and not await self._is_wanted(run, command):
                await self._executors[name].stop(key, handle, grace_seconds=self._grace_seconds)
            elif self._unsaid.take(key):
                await self._executors[name].forget(key, handle)
        self._tries.pop(key, None)
        self._told_away.discard(key)
        if self._unsaid.take(key):  # It could not be started, as far as anybody here could see.
            await self._forget(run, command)
        return None

    async def find(self, run: Run, command: StartAttempt) -> None:
        """Find the attempt started by a platform that died before it could say so, or be done with its start."""
        if self._is_over(run, command):
            return await self._forget(run, command)
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        name = await self._executor(run, command)
        seen = await self._executors[name].recover(key, b"")
        if seen.kind in executors.TERMINAL:
            await self._forget(run, command)
        else:
            await self._runs.mark_done(run.id, command, executor=name)
        return None

    async def stop(self, run: Run, command: StopAttempt) -> None:
        """Have the attempt ended; one that nobody has started answers at once."""
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        live = await self._runs.find_handle(key)
        if live is None or not live.executor:
            never_ran = events.AttemptStopped(self._clock.now(), command.node, command.attempt)
            await self._runs.mark_done(run.id, command, events=[never_ran])
        else:
            await self._executors[live.executor].stop(key, live.handle, grace_seconds=self._grace_seconds)
            await self._runs.mark_done(run.id, command)

    async def _is_wanted(self, run: Run, command: StartAttempt) -> bool:
        """Say whether an attempt that another platform was at, too, shall go on.

        While this one was slow, that one may have taken it for never started and told its end, or seen it end.
        """
        if await self._runs.find_handle(identifiers.attempt_key(run.id, command.node, command.attempt)) is None:
            return False
        now, _ = await self._runs.load(run.id)
        return not self._is_over(now, command)

    def _is_over(self, run: Run, command: StartAttempt) -> bool:
        """Say whether a platform started it, saw it end and died before it could say that it had started it."""
        state = run.state.nodes.get(command.node)
        return state is None or not state.attempts[command.attempt].live

    async def _forget(self, run: Run, command: StartAttempt) -> None:
        key = identifiers.attempt_key(run.id, command.node, command.attempt)
        # An element that ended is not in the state any more, nor by what rules it ran.
        for name in self._executors if command.node not in run.state.nodes else [await self._executor(run, command)]:
            await self._executors[name].forget(key, b"")
        self._unsaid.take(key)
        self._told_away.discard(key)
        await self._runs.mark_done(run.id, command)

    async def _executor(self, run: Run, command: StartAttempt) -> str:
        return await self._executor_of(placing.rules_of(run, command.node).task_type)

    async def _inputs(self, run: Run, command: StartAttempt) -> literals_pb2.LiteralMap:
        """Resolve the node's inputs on its first attempt; later ones read what that one stored."""
        element = identifiers.parse_element(command.node)
        if element is not None:
            return await self._resolver.element_inputs(run, *element)
        uri = layout.node_inputs_uri(run.storage, run.id, command.node)
        if command.attempt and await self._blobs.stat(uri) is not None:
            return await self._resolver.stored_inputs(run, command.node)
        return await self._resolver.store_inputs(run, command.node)

    async def _store_own_inputs(
        self,
        run: Run,
        command: StartAttempt,
        template: tasks_pb2.TaskTemplate,
        inputs: literals_pb2.LiteralMap,
        executor: str,
    ) -> tuple[str, bool]:
        """Store what an array's element takes where somebody will read it, and return where; else nothing.

        With it comes whether that are lists of one.

        flytekit's own entry point takes the array's inputs, of which there is one file for all elements; of a long
        array each element gets a list of one, since flytekit makes an object of each value it reads. Nobody else knows
        of arrays: neither what runs elsewhere, nor a task that an array refers to.
        """
        element = identifiers.parse_element(command.node)
        if element is None:
            return "", False
        alone = False
        is_process = executor == self._by_type[executor_parts.ANY_TYPE]
        if is_process and preparing.finds_its_element(template):
            array = run.state.nodes[element[0]].array
            if array is None or array.size <= LONG_ARRAY:
                return "", False
            inputs, alone = await self._resolver.element_inputs(run, *element, as_lists=True), True
        uri = layout.element_inputs_uri(run.storage, run.id, *element)
        await self._resolver.write(uri, inputs)
        return uri, alone

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

    async def _tell_once(self, run: Run, command: StartAttempt, key: str, error: errors.ExecutorAway) -> None:
        if key not in self._told_away:
            self._told_away.add(key)
            await self._runs.append(run.id, [self._tell(command, f"It waits: {error}")])

    def _tell(self, command: StartAttempt, note: str) -> events.Event:
        phase = phases.AttemptPhase.QUEUED
        return events.AttemptProgressed(self._clock.now(), command.node, command.attempt, phase, note)

    async def _fail(
        self, run: Run, command: StartAttempt, kind: phases.FailureKind, code: str, message: str, *, recoverable: bool
    ) -> None:
        at, node, attempt = self._clock.now(), command.node, command.attempt
        failed = events.AttemptFailed(at, node, attempt, kind, code, message, recoverable)
        await self._runs.mark_done(run.id, command, events=[failed])
