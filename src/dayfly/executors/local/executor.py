"""Runs attempts of plain tasks: one forked process each, watched over by its group's supervisor.

Called by the controller. Fast-registered code is unpacked first; the command that it would run is then run directly,
with the code in the working folder already. `observing` says what a group's end means.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable

from flyteidl.core import tasks_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.executors.local import counting, log_files, observing, raw_containers
from dayfly.executors.local.settings import LocalSettings
from dayfly.model import entrypoint_args
from dayfly.model.identifiers import AttemptKey
from dayfly.model.run import LogLink
from dayfly.ports.environments import Environments
from dayfly.ports.executors import TERMINAL, AttemptSpec, Observation
from dayfly.ports.process_groups import GroupReport, GroupSpec, Preload, ProcessGroups, Role
from dayfly.ports.secrets import NoSecrets, Secrets

DRIVER = "driver"
"""The one role."""

FLYTEKIT = ("flytekit.bin.entrypoint",)


class LocalExecutor:
    """Implements `ports.executors.Executor` for every task that is a command."""

    def __init__(
        self,
        settings: LocalSettings,
        groups: ProcessGroups,
        environments: Environments,
        unpack: Callable[[str], Awaitable[str]],
        clock: Clock,
        secrets: Secrets | None = None,
    ) -> None:
        self._secrets = secrets or NoSecrets()
        self._settings, self._groups, self._environments = settings, groups, environments
        self._unpack, self._clock = unpack, clock
        self._last: dict[AttemptKey, Observation] = {}

    async def start(self, spec: AttemptSpec) -> bytes:
        """Start the attempt, or find it started. Raises `InvalidArgument` for one without a command."""
        if not spec.argv:
            raise errors.InvalidArgument(
                f"{spec.task} has no command to run, and no executor or connector here knows its type, "
                f"{spec.task_type!r}.",
                remedy="Install the flytekitplugins package that brings its connector beside Dayfly, "
                "or name a service that has it in DAYFLY_CONNECTORS__ENDPOINTS.",
            )
        entry = entrypoint_args.parse(spec.argv)
        distribution = await self._unpack(entry.distribution) if entry.distribution else ""
        spec = await self._secrets.deliver(spec)
        try:
            await self._groups.start(self._build(spec, entry, distribution))
        except errors.DayflyError:
            await self._secrets.withdraw(spec.key)
            raise
        return DRIVER.encode()

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Say how an attempt is that an earlier platform started, and watch it."""
        report = await self._groups.recover(key)
        return self._observe(report) if report is not None else observing.vanished(key, self._clock.now())

    async def watch(self) -> AsyncIterator[Observation]:
        """Yield what changes; an end always."""
        async for report in self._groups.watch():
            seen = self._observe(report)
            last = self._last.get(seen.key)
            if last is not None and seen.kind not in TERMINAL and (seen.kind, seen.reason) == (last.kind, last.reason):
                continue
            self._last[seen.key] = seen
            yield seen

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """SIGTERM, SIGKILL after the grace; STOPPED follows."""
        await self._groups.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Drop its record and its working folder."""
        self._last.pop(key, None)
        await self._groups.forget(key)
        await self._secrets.withdraw(key)

    async def close(self, *, grace_seconds: float) -> None:
        """End all attempts as interrupted; `watch` finishes after them."""
        await self._groups.close(grace_seconds=grace_seconds)

    def _build(self, spec: AttemptSpec, entry: entrypoint_args.EntryPoint, distribution: str) -> GroupSpec:
        working_dir = str(self._settings.data / "run" / "work" / spec.key.replace("/", "."))
        container = raw_containers.find(spec)
        if container is not None:
            python = self._environments.find(spec.image).python
            driver = raw_containers.role(spec, container, working_dir=working_dir, python=python, name=DRIVER)
            # Beside the command runs code of ours, in our own environment.
            preload = Preload(sys.executable, FLYTEKIT)
        else:
            driver = self._driver(spec, entry, distribution)
            preload = self._preload(spec, entry, distribution)
        cpu, memory_bytes = counting.count(spec, self._settings)
        return GroupSpec(
            spec.key,
            preload,
            (driver,),
            working_dir=working_dir,
            log_dir=str(log_files.folder(self._settings.data, spec.key)),
            cpu_request=cpu,
            memory_request_bytes=memory_bytes,
        )

    def _driver(self, spec: AttemptSpec, entry: entrypoint_args.EntryPoint, distribution: str) -> Role:
        return Role(
            DRIVER,
            "argv",
            argv=entry.inner if distribution else spec.argv,
            env=spec.env,
            env_files=spec.env_files,
            memory_limit_bytes=spec.memory_limit_bytes,
            cpu_limit=spec.cpu_limit or spec.cpu_request,
            main=True,
        )

    def _preload(self, spec: AttemptSpec, entry: entrypoint_args.EntryPoint, distribution: str) -> Preload:
        python = self._environments.find(spec.image).python
        if entry.inner_kind == entrypoint_args.OTHER:
            # A command runs as a program of its own: its image needs no flytekit.
            return Preload(python, (), distribution)
        if spec.volatile_env or spec.secrets or not entry.user_modules:
            return Preload(python, FLYTEKIT, distribution)
        container = tasks_pb2.TaskTemplate.FromString(spec.template).container
        own = {pair.key: pair.value for pair in container.env if spec.env.get(pair.key) == pair.value}
        return Preload(python, FLYTEKIT, distribution, entry.user_modules, tuple(sorted(own.items())))

    def _observe(self, report: GroupReport) -> Observation:
        key = AttemptKey(report.key)
        links = (LogLink(DRIVER, log_files.uri_for(self._settings.public_url, key, DRIVER)),)
        ended = report.state == "ended"
        tail = log_files.tail(log_files.path_for(self._settings.data, key, DRIVER)) if ended else ""
        return observing.observe(report, links, tail)
