"""Clusters of pods for the contract of providers, on a cluster whose one node is this machine."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Any

from dayfly.base.clock import SystemClock
from dayfly.executors.dask.job import choosing
from dayfly.executors.dask.pods import provider
from dayfly.executors.kubernetes import api, flyte_workflows, groups, log_keeping
from dayfly.executors.kubernetes.settings import Patience, PodSettings
from dayfly.model.identifiers import AttemptKey
from tests.cluster.conftest import pod_template
from tests.contract import cluster_hosts

NAMESPACE = "dayfly-contract"


class PodHost(cluster_hosts.Host):
    """Clusters of pods, logs below one data folder; `choice` is who makes the pods."""

    def __init__(self, data: Path, choice: str) -> None:
        super().__init__()
        self.data, self._choice = data, choice
        self._handles: dict[AttemptKey, bytes] = {}
        self._make()

    def _make(self) -> None:
        cluster = api.Api()
        told = PodSettings(
            platform=f"contract-{os.getpid()}",
            namespace=NAMESPACE,
            image_pull_policy="IfNotPresent",
            template=pod_template(self.data),
            request_share=0.01,
        )
        keeper = log_keeping.LogKeeper(cluster, lambda key: self.data / "logs" / key, 0)
        workflows = flyte_workflows.FlyteWorkflows(cluster, told.platform, told.namespace)
        self.groups = groups.KubernetesGroups(cluster, told, Patience(operator=20.0), keeper, workflows, SystemClock())
        shape = choosing.Chosen(self.groups, self._choice)
        clusters = provider.PodClusters(
            self.groups,
            SystemClock(),
            shape,
            log_uri=lambda key, role: f"http://logs/{key}/{role}",
            dashboard_uri=lambda key: f"http://dashboards/{key}",
            report_uri=lambda key, name: f"http://reports/{key}/{name}",
            log_folder=self.data / "logs",
        )
        self.clusters = _Kept(clusters, self._handles)
        self.follow()

    async def restart(self) -> None:
        """Lose the platform, and start another."""
        await self.clusters.close(grace_seconds=0)
        await self.unfollow()
        self.seen.clear()
        self._make()

    def end_driver(self, key: str, code: int) -> None:
        folder = Path(f"/proc/{self._pid(key, 'driver')}/cwd")
        (folder / "draft").write_text(str(code))
        (folder / "draft").rename(folder / "go")

    def kill(self, key: str, role: str) -> str:
        """Kill the first process of a role's container; return what the role is called."""
        name = self._name(key, role)
        os.kill(self._pid(key, role), signal.SIGKILL)
        return name

    async def leave(self) -> None:
        """Delete what a test left."""
        for key, handle in self._handles.items():
            await self.clusters.forget(key, handle)
            assert await self.clusters.leftovers(key, handle) == []
        await self.clusters.close(grace_seconds=0)
        await self.unfollow()

    def _name(self, key: str, role: str) -> str:
        """Return what a role is called here: an operator gives workers names of its own."""
        if not role.startswith("worker-"):
            return role
        names = {link.name for report in self.seen if report.key == key for link in report.logs}
        return sorted(name for name in names if name.startswith("worker-"))[int(role.removeprefix("worker-"))]

    def _pid(self, key: str, role: str) -> int:
        """Return the first process of a role's container, found by looking at the host."""
        uid = self._pods(key)[self._name(key, role)]
        marks = (uid.encode(), uid.replace("-", "_").encode())
        found = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if folder.name.isdigit() and any(mark in (folder / "cgroup").read_bytes() for mark in marks):
                    found.append(folder)
        # The pod's own container does nothing but wait; each container's first process is its number 1.
        inside = [one for one in found if _is_first(one) and b"pause" not in (one / "cmdline").read_bytes()]
        assert inside, f"{role} is not among {found}"
        return min(int(one.name) for one in inside)

    def _pods(self, key: str) -> dict[str, str]:
        """Return the ids of an attempt's pods by role, as they were last reported."""
        report = self.groups._known[AttemptKey(key)].report(SystemClock().now(), 0.0, Patience())
        return {pod.role: pod.uid for pod in report.pods}


class _Kept:
    """A provider whose handles are kept, so that all can be forgotten that were made."""

    def __init__(self, clusters: provider.PodClusters, handles: dict[AttemptKey, bytes]) -> None:
        self._clusters, self._handles = clusters, handles

    async def make(self, spec: Any) -> bytes:
        handle = await self._clusters.make(spec)
        self._handles[spec.key] = handle
        return handle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clusters, name)


def _is_first(process: Path) -> bool:
    """Say whether it is number 1 in its own namespace."""
    try:
        status = (process / "status").read_text()
    except OSError:
        return False  # It has ended while we looked.
    return any(line.startswith("NSpid:") and line.split()[-1] == "1" for line in status.splitlines())
