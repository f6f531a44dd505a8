"""Turns what executors see into events, after reading the files the task left: error.pb first, then outputs.pb.

Started by `assembly`, one `follow` per executor. An end is forgotten by its executor only after its event is stored,
so that a crash in between shows it again; the engine ignores what it knows.
Order of the files: flyteplugins' ioutils and flytepropeller/pkg/controller/nodes/task/handler.go in flyteorg/flyte.
"""

from __future__ import annotations

import asyncio
import functools
import signal
from typing import TYPE_CHECKING

from flyteidl.core import errors_pb2
from google.protobuf import message as protobuf

from dayfly.base import errors, logs
from dayfly.controller import checking, eager_children, explaining, sweeping, taking_back
from dayfly.engine import stopping
from dayfly.model import commands, events, identifiers, layout, phases
from dayfly.ports import executors

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Mapping

    from flyteidl.core import interface_pb2

    from dayfly.base.clock import Clock
    from dayfly.base.settings import EngineSettings
    from dayfly.controller.templates import Templates
    from dayfly.controller.unsaid import Unsaid
    from dayfly.model.identifiers import AttemptKey, ExecutionId
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.executors import Executor, Observation
    from dayfly.ports.runs import LiveHandle, Runs

MAX_ERROR_BYTES = 64 * 1024 * 1024
"""An error.pb above this is not read; of a long message, only beginning and end are kept."""

MAX_CHECKED_AT_ONCE_BYTES = 64 * 1024
"""Larger outputs are checked on a thread."""

STORE_PAUSE_SECONDS = 1.0
"""Between tries while database or object store do not answer."""

AWAY_PAUSE_SECONDS = 2.0
"""Between tries to take back what an executor has that is away."""

_PROGRESS = {
    executors.ObservationKind.QUEUED: phases.AttemptPhase.WAITING_FOR_RESOURCES,
    executors.ObservationKind.INITIALIZING: phases.AttemptPhase.INITIALIZING,
    executors.ObservationKind.RUNNING: phases.AttemptPhase.RUNNING,
}

_log = logs.get("controller.observing")


class Observer:
    """Watches executors and appends what they saw to the inboxes."""

    def __init__(
        self,
        runs: Runs,
        templates: Templates,
        unsaid: Unsaid,
        blobs: Blobs,
        by_name: Mapping[str, Executor],
        settings: EngineSettings,
        clock: Clock,
    ) -> None:
        self._runs, self._templates, self._unsaid, self._blobs = runs, templates, unsaid, blobs
        self._clock = clock
        self._linked: set[AttemptKey] = set()
        self._taken_back: set[AttemptKey] = set()
        self._executors, self._settings = by_name, settings

    async def recover(self, kept: Collection[AttemptKey]) -> int:
        """Take back every attempt that an earlier platform started; return how many.

        `kept` names what executors still keep: of these, what is recorded as over is ended and forgotten now, since
        that platform may have died before it could do so.
        """
        handles = await self._runs.live_handles()
        self._taken_back = {live.key for live in handles}
        for key in sorted(set(kept) - {live.key for live in handles}):
            await _alone(key, self._drop_if_over(key))
        for live in handles:
            executor = self._executors.get(live.executor)
            if executor is None:
                _log.error("no executor takes this attempt back", attempt=live.key, executor=live.executor)
                continue
            await _alone(live.key, self._take_back(executor, live))
        return len(handles)

    async def _take_back(self, executor: Executor, live: LiveHandle) -> None:
        while True:
            try:
                return await self.take(executor, await taking_back.recover(executor, live, self._clock.now()))
            except errors.ExecutorAway as error:
                _log.warning("an attempt cannot be taken back yet", attempt=live.key, error=str(error))
                await asyncio.sleep(AWAY_PAUSE_SECONDS)

    async def follow(self, name: str) -> None:
        """Take in what one executor sees until it is closed; reports of one attempt wait for each other."""
        executor = self._executors[name]
        last: dict[str, asyncio.Task[None]] = {}
        kept = sweeping.keeps(executor)
        sweep = asyncio.create_task(sweeping.sweep(kept, self._taken_back, self._drop_if_over)) if kept else None
        async for seen in executor.watch():
            before = last.get(seen.key)
            task = asyncio.create_task(self._take_after(before, executor, seen), name=f"observe {seen.key}")
            last[seen.key] = task
            task.add_done_callback(functools.partial(_drop, last, seen.key))
        if sweep is not None:
            sweep.cancel()
        await asyncio.gather(*last.values(), return_exceptions=True)

    async def _take_after(self, before: asyncio.Task[None] | None, executor: Executor, seen: Observation) -> None:
        if before is not None:
            await asyncio.wait({before})
        while True:
            try:
                return await self.take(executor, seen)
            except errors.PlatformError as error:
                _log.warning("cannot record what was seen", attempt=seen.key, error=str(error))
                await asyncio.sleep(STORE_PAUSE_SECONDS)

    async def take(self, executor: Executor, seen: Observation) -> None:
        """Record one observation, and let the executor forget an end once it is stored."""
        execution, _, _ = identifiers.parse_attempt_key(seen.key)
        event = await self._read(seen)
        if isinstance(event, events.AttemptStopped):
            await eager_children.end(self._runs, execution, seen.at)
            if explaining.explains(executor) and await self._took_too_long(event, execution):
                event = await explaining.explained_stop(executor, seen, event)
        if isinstance(event, events.AttemptFailed):
            event = await explaining.explained(executor, seen, event)
        await self._runs.append(execution, [*_last_figures(seen, linked=seen.key in self._linked), event])
        if seen.logs and seen.kind not in executors.TERMINAL:
            self._linked.add(seen.key)
        if seen.kind in executors.TERMINAL:
            self._linked.discard(seen.key)
            self._templates.drop_noted(seen.key)
            await self._forget(executor, seen.key)

    async def _forget(self, executor: Executor, key: AttemptKey) -> None:
        """Let the executor forget an end, unless somebody has yet to store that the attempt was started."""
        self._unsaid.note(key)
        found = await self._runs.find_handle(key)
        if found is None and await self._is_unsaid(key):
            return  # Who stores it lets the executor forget.
        self._unsaid.take(key)
        await taking_back.forget(executor, key, found.handle if found else b"")

    async def _is_unsaid(self, key: AttemptKey) -> bool:
        execution, node, attempt = identifiers.parse_attempt_key(key)
        which = commands.StartAttempt(node, attempt).key
        return any(undone.command.key == which for undone in await self._runs.undone(execution))

    async def _took_too_long(self, stopped: events.AttemptStopped, execution: ExecutionId) -> bool:
        """Say whether an attempt was stopped for a time limit, not for an abort."""
        run, _ = await self._runs.load(execution)
        node = run.state.nodes.get(stopped.node)
        if node is None or stopped.attempt >= len(node.attempts):
            return False
        why = node.attempts[stopped.attempt].stopping
        return why is not None and not stopping.is_aborted(why)

    async def _drop_if_over(self, key: AttemptKey) -> None:
        execution, node, attempt = identifiers.parse_attempt_key(key)
        try:
            run, _ = await self._runs.load(execution)
        except errors.NotFound:
            return  # It is of another database.
        state = run.state.nodes.get(node)
        if state is not None and (attempt >= len(state.attempts) or state.attempts[attempt].live):
            return  # It is yet to be said that it was started: whoever does that finds it.
        found = await self._runs.find_handle(key)
        handle = found.handle if found is not None else b""
        for name in [found.executor] if found is not None else self._executors:
            executor = self._executors.get(name)
            if executor is None:
                continue
            if (await executor.recover(key, handle)).kind in executors.TERMINAL:
                await executor.forget(key, handle)
            else:
                await executor.stop(key, handle, grace_seconds=0.0)  # `take` forgets it

    async def _read(self, seen: Observation) -> events.Event:
        execution, node, attempt = identifiers.parse_attempt_key(seen.key)
        if seen.kind in _PROGRESS:
            return events.AttemptProgressed(
                seen.at, node, attempt, _PROGRESS[seen.kind], seen.reason, seen.logs, seen.custom_info
            )
        if seen.kind is executors.ObservationKind.STOPPED:
            return events.AttemptStopped(seen.at, node, attempt)
        if seen.kind is executors.ObservationKind.FAILED:
            return events.AttemptFailed(
                seen.at, node, attempt, seen.failure_kind, seen.code, seen.message, seen.recoverable
            )
        prefix = layout.output_prefix(self._blobs.root, execution, node, attempt)
        failed = await self._read_error(prefix) or (describe_crash(seen) if seen.exit_code != 0 else None)
        grows = failed is None and await self._blobs.stat(f"{prefix}/futures.pb") is not None
        if failed is None and not grows:
            failed = await self._check_outputs(prefix, seen)
        has_deck = await self._blobs.stat(f"{prefix}/deck.html") is not None
        if failed is not None:
            kind, code, message, recoverable = failed
            return events.AttemptFailed(seen.at, node, attempt, kind, code, message, recoverable, has_deck)
        return events.AttemptSucceeded(seen.at, node, attempt, has_deck, grows)

    async def _read_error(self, prefix: str) -> tuple[phases.FailureKind, str, str, bool] | None:
        try:
            raw = await self._blobs.find(f"{prefix}/error.pb", limit_bytes=MAX_ERROR_BYTES)
        except errors.ResourceExhausted as error:
            return phases.FailureKind.SYSTEM, "ErrorFileBadFormat", str(error), True
        return None if raw is None else parse_error(raw, prefix)

    async def _check_outputs(self, prefix: str, seen: Observation) -> tuple[phases.FailureKind, str, str, bool] | None:
        limit = self._settings.max_output_bytes
        try:
            raw = await self._blobs.find(f"{prefix}/outputs.pb", limit_bytes=limit)
        except errors.ResourceExhausted:
            told = f"outputs.pb is larger than {limit} bytes; return large data as files, datasets or directories."
            return phases.FailureKind.USER, "OutputSizeExceeded", told, False
        known = await self._declared_outputs(seen.key)
        if raw is None:
            if known is not None and not known.variables:
                await self._blobs.put(f"{prefix}/outputs.pb", b"")  # the empty map, for whoever reads it later
                return None
            told = f"the task exited with 0 but wrote neither outputs.pb nor error.pb to {prefix}.{_tail(seen)}"
            return phases.FailureKind.USER, checking.NOT_FOUND, told, True
        declared = known.variables if known is not None else {}
        # Checking ten megabytes of numbers takes a second, in which everything else goes on.
        check = functools.partial(checking.find_fault, raw, declared, of_element=_is_element(seen.key))
        fault = await asyncio.to_thread(check) if len(raw) > MAX_CHECKED_AT_ONCE_BYTES else check()
        return None if fault is None else (phases.FailureKind.USER, fault[0], f"{fault[1]} It is at {prefix}.", False)

    async def _declared_outputs(self, key: AttemptKey) -> interface_pb2.VariableMap | None:
        """Return what the attempt's task declares, None where nobody knows: the task, or the attempt, is gone."""
        noted = self._templates.noted(key)
        if noted is not None:
            return noted.interface.outputs
        execution, node, _ = identifiers.parse_attempt_key(key)
        run, _ = await self._runs.load(execution)
        if node not in run.state.nodes:
            return None  # an array's element that is over: nobody waits for what it says
        try:
            return (await self._templates.of(run, node)).interface.outputs
        except errors.NotFound:
            return None


async def _alone(key: AttemptKey, work: Awaitable[None]) -> None:
    """Do what is to be done for one attempt. Whatever is wrong with it, the platform begins and drives the others."""
    try:
        await work
    except errors.PlatformError:
        raise
    except Exception as error:  # noqa: BLE001
        _log.exception("an attempt was not taken back", attempt=key, error=str(error))


def _last_figures(seen: Observation, *, linked: bool) -> list[events.Event]:
    """Return what an end tells of the attempt's course, as the progress that it is: its readers may have been slow.

    `linked`: it was told before where the logs lie, which a task that is over in no time may not have been.
    """
    if seen.kind not in executors.TERMINAL or (not seen.custom_info and (linked or not seen.logs)):
        return []
    _, node, attempt = identifiers.parse_attempt_key(seen.key)
    phase = phases.AttemptPhase.INITIALIZING  # which leads back from nothing: how far it came is not told here
    return [events.AttemptProgressed(seen.at, node, attempt, phase, "", seen.logs, seen.custom_info)]


def _is_element(key: AttemptKey) -> bool:
    return identifiers.parse_element(identifiers.parse_attempt_key(key)[1]) is not None


def _drop(last: dict[str, asyncio.Task[None]], key: str, done: asyncio.Task[None]) -> None:
    if last.get(key) is done:
        del last[key]


def parse_error(raw: bytes, place: str) -> tuple[phases.FailureKind, str, str, bool]:
    """Read an error.pb: (kind, code, message, recoverable). What is none counts as the system's fault."""
    try:
        error = errors_pb2.ErrorDocument.FromString(raw).error
    except protobuf.DecodeError:
        error = errors_pb2.ContainerError()
    if not error.code and not error.message:
        return phases.FailureKind.SYSTEM, "ErrorFileBadFormat", f"{place}/error.pb holds no error document.", True
    kind = phases.FailureKind(error.origin) if error.origin else phases.FailureKind.USER
    return kind, error.code, error.message, error.kind == errors_pb2.ContainerError.RECOVERABLE


def describe_crash(seen: Observation) -> tuple[phases.FailureKind, str, str, bool]:
    """Tell a process that ended without error.pb in words.

    Flyte counts these as the system's fault and retries (flyteplugins' flytek8s/pod_helper.go: `Interrupted`).
    """
    if seen.signal is not None:
        try:
            name = signal.Signals(seen.signal).name
        except ValueError:
            name = "signal"
        told = f"the task's process was killed by {name} ({seen.signal}) and left no error.pb."
    else:
        told = f"the task's process ended with exit code {seen.exit_code} and left no error.pb."
    return phases.FailureKind.SYSTEM, "Interrupted", told + _tail(seen), True


def _tail(seen: Observation) -> str:
    return f" The end of its log:\n{seen.log_tail}" if seen.log_tail else ""
