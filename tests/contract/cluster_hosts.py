"""What tests of Dask clusters share: platforms that make them, ways to end parts of them, and attempts to run."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import distributed
from flyteidl.core import tasks_pb2

from dayfly.base.clock import ManualClock, SystemClock
from dayfly.executors import dask
from dayfly.executors.dask import fitting
from dayfly.executors.dask.any_cluster import groups as any_groups
from dayfly.executors.dask.local import groups, provider
from dayfly.executors.local.forked import processes
from dayfly.executors.local.groups import LocalProcessGroups
from dayfly.executors.local.settings import LocalSettings
from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterSpec, ClusterState, SchedulerSpec, WorkerGroup
from dayfly.ports.environments import Environment
from dayfly.ports.executors import AttemptSpec
from tests.fakes import cluster_provider

PATIENCE_SECONDS = 60.0
"""Above it a test fails; it is never waited for when all is well."""

MEMORY_BYTES = 8 * 2**30

WAIT_TO_BE_TOLD = 'while [ ! -e go ]; do sleep 0.02; done; exit "$(cat go)"'
"""A driver that ends when a test writes its exit code."""


def attempt(key: str, *argv: str, workers: int = 2, env: dict[str, str] | None = None, **rest: Any) -> AttemptSpec:
    """Return an attempt of a Dask task, as flytekit's plugin registers it."""
    template = tasks_pb2.TaskTemplate(type="dask")
    template.custom.update({"scheduler": {"resources": {}}, "workers": {"numberOfWorkers": workers, "resources": {}}})
    return AttemptSpec(
        key=AttemptKey(key),
        generated_name=key.replace("/", "-"),
        task=EntityId(1, "p", "d", "tests.task", "v1"),
        task_type="dask",
        template=template.SerializeToString(),
        argv=argv or ("sh", "-c", WAIT_TO_BE_TOLD),
        env=env or {},
        **rest,
    )


def cluster(key: str, workers: int = 2, **rest: Any) -> ClusterSpec:
    """Return a small cluster whose driver ends when it is told to."""
    group = WorkerGroup("default", workers, threads=1, memory_limit_bytes=2**30)
    driver = attempt(key, workers=workers)
    values = {"quorum": workers, "startup_timeout_seconds": 60.0} | rest
    return ClusterSpec(driver.key, driver.generated_name, driver, SchedulerSpec(), (group,), **values)


class OneEnvironment:
    """The environment that the tests run in, for every image."""

    def find(self, image: str) -> Environment:
        return Environment(sys.executable, "tests")

    async def versions(self, environment: Environment) -> dict[str, str]:
        raise AssertionError("one environment needs no look")


class Host:
    """Watches a provider, keeping what it says."""

    def __init__(self) -> None:
        self.seen: list[ClusterReport] = []
        self.clusters: Any = None
        self._news = asyncio.Condition()
        self._watching: asyncio.Task[None] | None = None

    def follow(self) -> None:
        self._watching = asyncio.create_task(self._follow(self.clusters.watch()))

    async def _follow(self, reports: AsyncIterator[ClusterReport]) -> None:
        async for report in reports:
            async with self._news:
                self.seen.append(report)
                self._news.notify_all()

    async def until(self, key: str, wanted: Callable[[ClusterReport], object]) -> ClusterReport:
        """Return the first report of the cluster that is as wanted, told already or not."""

        async def look() -> ClusterReport:
            async with self._news:
                while True:
                    for report in self.seen:
                        if report.key == key and wanted(report):
                            return report
                    await self._news.wait()

        try:
            return await asyncio.wait_for(look(), PATIENCE_SECONDS)
        except asyncio.TimeoutError:
            raise AssertionError(f"{key} was never as wanted: {self.seen}") from None

    async def ready(self, key: str) -> ClusterReport:
        return await self.until(
            key, lambda report: report.state is not ClusterState.STARTING and report.scheduler_address
        )

    async def ended(self, key: str) -> ClusterReport:
        return await self.until(key, lambda report: report.state is ClusterState.ENDED)

    async def unfollow(self) -> None:
        if self._watching is not None:
            await asyncio.wait_for(self._watching, PATIENCE_SECONDS)


class FakeHost(Host):
    """Clusters that are only claimed to be there."""

    def __init__(self) -> None:
        super().__init__()
        self.clusters = cluster_provider.FakeClusters(ManualClock())
        self.follow()

    async def restart(self) -> None:
        self.clusters = cluster_provider.FakeClusters(ManualClock(), self.clusters.world)
        self.follow()

    def end_driver(self, key: str, code: int) -> None:
        self._end(key, ClusterEnd.DRIVER_EXITED, exit_code=code)

    def kill(self, key: str, role: str) -> str:
        if role == "scheduler":
            self._end(key, ClusterEnd.SCHEDULER_LOST, message="scheduler was killed by SIGKILL (9)")
        elif role == "driver":
            self._end(key, ClusterEnd.DRIVER_EXITED, signal=9)
        else:
            self.clusters.tell(key, reason=f"{role} was killed by SIGKILL (9); it is made anew")
        return role

    def _end(self, key: str, end: ClusterEnd, **rest: object) -> None:
        self.clusters.tell(key, state=ClusterState.ENDED, end=end, **rest)

    async def leave(self) -> None:
        await self.clusters.close(grace_seconds=0)
        await self.unfollow()


class LocalHost(Host):
    """Clusters of this host, below one data folder. Fork servers outlive it, until `end_all`."""

    def __init__(self, data: Path, **settings: object) -> None:
        super().__init__()
        self.data = data
        self._settings = {"lease_seconds": 20.0, "grace_seconds": 0.5, "cpus": 8.0} | settings
        self._make()

    shape: Any = groups.FORKED
    """What its clusters are made of."""

    def _make(self) -> None:
        settings = LocalSettings(data=self.data, memory_bytes=MEMORY_BYTES, **self._settings)  # type: ignore[arg-type]
        self.groups = LocalProcessGroups(settings, SystemClock())
        self.clusters = provider.LocalClusters(
            self.groups.share(),
            OneEnvironment(),
            fitting.HostCapacity(8.0, MEMORY_BYTES),
            unpack=_unpacked,
            log_uri=lambda key, role: f"http://logs/{key}/{role}",
            dashboard_uri=lambda key: f"http://dashboards/{key}",
            report_uri=lambda key, name: f"http://reports/{key}/{name}",
            work_folder=self.data / "work",
            log_folder=self.data / "logs",
            shape=self.shape,
        )
        self.executor = dask.build(
            self.groups.share(),
            OneEnvironment(),
            SystemClock(),
            cpus=8.0,
            memory_bytes=MEMORY_BYTES,
            strict=False,
            unpack=_unpacked,
            log_uri=lambda key, role: f"http://logs/{key}/{role}",
            dashboard_uri=lambda key: f"http://dashboards/{key}",
            report_uri=lambda key, name: f"http://reports/{key}/{name}",
            work_folder=self.data / "work",
            log_folder=self.data / "logs",
        )
        self.follow()

    async def restart(self) -> None:
        """Lose the platform as `kill -9` does, and start another."""
        await self.groups.abandon()
        await self.unfollow()
        self.seen.clear()
        self._make()

    def work(self, key: str) -> Path:
        return self.data / "work" / key.replace("/", ".")

    def log(self, key: str, role: str = "driver") -> str:
        return (self.data / "logs" / key / f"{role}.log").read_text()

    def end_driver(self, key: str, code: int) -> None:
        draft = self.work(key) / "draft"
        draft.write_text(str(code))
        draft.rename(self.work(key) / "go")

    def kill(self, key: str, role: str) -> str:
        """Kill a role; return what it is called."""
        os.kill(self.pid(key, role), signal.SIGKILL)
        return role

    def pid(self, key: str, role: str) -> int:
        """Return the process of a role, found by looking at the host."""
        name = f"dayfly:{role}"[:15]
        inside = {pid: processes.command(pid) for pid in self.pids(key)}
        found = [pid for pid, command in inside.items() if command == name]
        # The driver of these tests has become a shell.
        found = found or [pid for pid, command in inside.items() if role == "driver" and command in ("sh", "python")]
        assert found, f"{role} is not among {inside}"
        return min(found)

    def pids(self, key: str) -> list[int]:
        """Return the processes that stand in the cluster's working folder."""
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.readlink(f"/proc/{name}/cwd") == str(self.work(key)):
                    found.append(int(name))
            except OSError:
                continue
        return sorted(found)

    async def leave(self) -> None:
        """End what a test left running, but keep the warm interpreter for the next."""
        # What was taken back may not have been told of yet, and the next test has the same key.
        for key in {*(report.key for report in self.seen), *self.groups.list_kept()}:
            await self.clusters.forget(key, b"")
            await _until_empty(lambda key=key: self.clusters.leftovers(key, b""))
        await self.groups.abandon()
        await self.unfollow()


class ClassHost(LocalHost):
    """Clusters of `distributed.LocalCluster`, as of any class that the settings name."""

    shape = any_groups.ClusterClass(
        "distributed:LocalCluster",
        {
            "n_workers": 0,
            "threads_per_worker": "{threads}",
            "memory_limit": "{memory_bytes}",
            "dashboard_address": "127.0.0.1:0",
        },
    )

    def pid(self, key: str, role: str) -> int:
        """Ask the workers themselves: nothing on the host tells one from the other."""
        if not role.startswith("worker-"):
            return super().pid(key, role)
        address = next(report.scheduler_address for report in self.seen if report.scheduler_address)
        with distributed.Client(address) as client:
            names = {at: f"worker-{each['name']}" for at, each in client.scheduler_info()["workers"].items()}
            return next(pid for at, pid in client.run(os.getpid).items() if names[at] == role)


def end_all(data: Path) -> None:
    """End everything below a data folder, and check that nothing of it is left."""

    async def end() -> None:
        host = LocalHost(data)
        await host.clusters.close(grace_seconds=0)
        await host.unfollow()
        # What watches over a cluster class's own processes ends when it sees that they have.
        await _until_empty(lambda: _naming(data))

    asyncio.run(end())


async def _naming(data: Path) -> list[int]:
    """Return the processes whose command names the folder."""
    return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if _names(pid, str(data))]


async def _unpacked(uri: str) -> str:
    """Take the address of code for the folder it was unpacked to."""
    return uri


async def _until_empty(look: Callable[[], Any]) -> None:
    async def poll() -> None:
        while await look():  # noqa: ASYNC110  the host tells nobody when it is clean
            await asyncio.sleep(0.02)

    await asyncio.wait_for(poll(), PATIENCE_SECONDS)


def _names(pid: int, text: str) -> bool:
    try:
        return text.encode() in Path(f"/proc/{pid}/cmdline").read_bytes() and pid != os.getpid()
    except OSError:
        return False
