"""Runs attempts of Dask tasks: each gets a cluster of its own, which ends with it.

Called by the controller, as any executor. What a task asks for, `spec` reads; what the host can give, `fitting` says;
the cluster itself is made by a provider, one for each kind of place.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from dayfly.base import errors
from dayfly.executors.dask import fitting, observing, versions
from dayfly.executors.dask import spec as specs
from dayfly.executors.dask.diagnosis import facts, rules
from dayfly.ports import executors
from dayfly.ports.records import ClusterRecord
from dayfly.ports.secrets import NoSecrets

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.clusters import ClusterProvider, ClusterReport, ClusterSpec
    from dayfly.ports.environments import Environments
    from dayfly.ports.executors import AttemptSpec, Explanation, Observation
    from dayfly.ports.records import Records
    from dayfly.ports.secrets import Secrets


class ClusterTooLarge(errors.InvalidArgument):
    """The host can never give what was asked for, and was told not to fit it."""

    code = "ClusterTooLarge"


class Handle(msgspec.Struct, frozen=True):
    """What outlives the platform: the provider's own handle, and what was said of the fitting."""

    cluster: bytes
    notes: tuple[str, ...] = ()


class DaskExecutor:
    """Implements `ports.executors.Executor` for task type `dask`.

    `records` are read to explain ends. `host` is what clusters are fitted to, None where they run elsewhere; with
    `strict` a cluster that does not fit is refused.
    """

    def __init__(
        self,
        provider: ClusterProvider,
        environments: Environments,
        clock: Clock,
        *,
        records: Records,
        host: fitting.HostCapacity | None = None,
        strict: bool = False,
        secrets: Secrets | None = None,
    ) -> None:
        self._secrets = secrets or NoSecrets()
        self._provider, self._environments, self._clock = provider, environments, clock
        self._records = records
        self._host, self._strict = host, strict
        self._notes: dict[AttemptKey, tuple[str, ...]] = {}
        self._last: dict[AttemptKey, Observation] = {}
        self._ends: dict[AttemptKey, ClusterReport] = {}

    async def start(self, spec: AttemptSpec) -> bytes:
        """Make the cluster. Raise `InvalidArgument`, `VersionMismatch` or `ClusterTooLarge` if not."""
        asked = specs.build(spec)
        await versions.check(asked, self._environments)
        cluster, notes = self._fit(asked)
        driver = await self._secrets.deliver(cluster.driver)
        self._notes[spec.key] = notes
        try:
            made = await self._provider.make(msgspec.structs.replace(cluster, driver=driver))
        except errors.DayflyError:
            self._drop(spec.key)
            await self._secrets.withdraw(spec.key)
            raise
        return msgspec.msgpack.encode(Handle(made, notes))

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Take an attempt back."""
        read = _read(handle)
        self._notes[key] = read.notes
        report = await self._provider.recover(key, read.cluster)
        if report is None:
            return observing.vanished(key, self._clock.now())
        self._note_end(report)
        return observing.observe(report, read.notes)

    async def watch(self) -> AsyncIterator[Observation]:
        """Yield what has changed; an end always."""
        async for report in self._provider.watch():
            self._note_end(report)
            seen = observing.observe(report, self._notes.get(report.key, ()))
            if (news := self._news(seen)) is not None:
                yield news

    async def explain(self, seen: Observation, error: str) -> Explanation | None:
        """Say what the attempt's cluster died of; see `Explains.explain`."""
        report = self._ends.get(seen.key)
        if report is None:
            return None
        record = await self._records.summary(seen.key)
        return rules.diagnose(facts.Facts(report, record or ClusterRecord(), error))

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Ask the driver to end, and then end the cluster."""
        await self._provider.stop(key, _read(handle).cluster, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Drop what is kept, logs apart."""
        self._drop(key)
        await self._provider.forget(key, _read(handle).cluster)
        await self._secrets.withdraw(key)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name everything that is left of the attempt's cluster; empty when clean."""
        return await self._provider.leftovers(key, _read(handle).cluster)

    async def close(self, *, grace_seconds: float) -> None:
        """End all clusters."""
        await self._provider.close(grace_seconds=grace_seconds)

    def _fit(self, asked: ClusterSpec) -> tuple[ClusterSpec, tuple[str, ...]]:
        if self._host is None:
            return asked, ()
        if self._strict and (why := fitting.refusal(asked, self._host)):
            raise ClusterTooLarge(
                f"{asked.driver.task}: {why}",
                remedy="Ask for less, or let clusters be fitted to the host (without --strict-resources).",
            )
        return fitting.fit(asked, self._host)

    def _news(self, seen: Observation) -> Observation | None:
        """Leave out what was told before: a reason stays in a cluster's reports, and is told once."""
        last = self._last.get(seen.key)
        if seen.kind in executors.TERMINAL or last is None:
            self._last[seen.key] = seen
            return seen
        if msgspec.structs.replace(seen, at=last.at) == last:
            return None
        self._last[seen.key] = seen
        same = seen.kind is last.kind and seen.reason == last.reason
        return msgspec.structs.replace(seen, reason="") if same else seen

    def _drop(self, key: AttemptKey) -> None:
        self._notes.pop(key, None)
        self._last.pop(key, None)
        self._ends.pop(key, None)

    def _note_end(self, report: ClusterReport) -> None:
        if report.end is not None:
            self._ends[report.key] = report


def _read(handle: bytes) -> Handle:
    """An attempt that failed before it had a handle is forgotten with an empty one."""
    return msgspec.msgpack.decode(handle, type=Handle) if handle else Handle(b"")
