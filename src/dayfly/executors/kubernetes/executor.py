"""Runs attempts of plain tasks: one pod each.

Called by the controller. Pods go on while no platform runs, and the next one takes them back: on Kubernetes the end of
the platform is no reason for a task's.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from dayfly.base import errors
from dayfly.executors.kubernetes import observing
from dayfly.executors.kubernetes.names import MAIN
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.pod_groups import PodGroupSpec

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import PodGroupReport, PodGroups


class KubernetesExecutor:
    """Implements `ports.executors.Executor`; `log_uri` returns where the log of a role can be read."""

    def __init__(self, groups: PodGroups, clock: Clock, log_uri: Callable[[AttemptKey, str], str]) -> None:
        self._groups, self._clock, self._log_uri = groups, clock, log_uri

    async def start(self, spec: AttemptSpec) -> bytes:
        """Make the pod, or find it made. Raise `InvalidArgument` for a task without an image or a command."""
        if not spec.image and not spec.pods:
            raise errors.InvalidArgument(
                f"{spec.task} names no container image, and no executor or connector here knows its type, "
                f"{spec.task_type!r}.",
                remedy="Register it with an image (pyflyte register --image), or install the flytekitplugins package "
                "that brings its connector beside Dayfly.",
            )
        pod = (await self._groups.manifests({MAIN: spec}))[MAIN]
        return await self._groups.start(PodGroupSpec(spec.key, pod["metadata"]["namespace"], (pod,), MAIN))

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Say how an attempt is that an earlier platform started, and watch it."""
        report = await self._groups.recover(key, handle)
        if report is None:
            return vanished(key, self._clock)
        return self._observe(report)

    async def watch(self) -> AsyncIterator[Observation]:
        """Yield what changes; an end always."""
        async for report in self._groups.watch():
            yield self._observe(report)

    async def list_kept(self) -> list[AttemptKey]:
        """Return the attempts of an earlier platform of which there are pods, be they a Dask cluster's."""
        return await self._groups.list_kept()

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """SIGTERM, SIGKILL after the grace; STOPPED follows."""
        await self._groups.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """Delete the pod, its logs kept."""
        await self._groups.forget(key, handle)

    async def leftovers(self, key: AttemptKey, handle: bytes) -> list[str]:
        """Name everything that is left of the attempt; empty when clean."""
        return await self._groups.leftovers(key, handle)

    async def close(self, *, grace_seconds: float) -> None:
        """Let go: pods go on, and the next platform takes them back."""
        await self._groups.close()

    def _observe(self, report: PodGroupReport) -> Observation:
        return observing.observe(report, (LogLink(MAIN, self._log_uri(report.key, MAIN)),))


def vanished(key: AttemptKey, clock: Clock) -> Observation:
    """Return what is to be said of an attempt of which the cluster knows nothing."""
    return Observation(
        key,
        ObservationKind.FAILED,
        clock.now(),
        failure_kind=FailureKind.SYSTEM,
        code="ResourceDeletedExternally",
        message="The attempt's pod is gone: somebody deleted it while no platform ran.",
    )
