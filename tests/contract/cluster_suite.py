"""What every provider of clusters keeps to. Whoever runs it has a fixture `host`, as those of `cluster_hosts`."""

from __future__ import annotations

import os
from typing import Any

from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterState
from tests.contract.cluster_hosts import cluster

# Processes are found by their key, all over the host: runs of these tests side by side must not share it.
KEY = AttemptKey(f"p/d/e{os.getpid()}/n0/0")


class ClusterSuite:
    """The contract of `ports.clusters.ClusterProvider`."""

    async def test_a_cluster_is_made_used_and_gone(self, host: Any) -> None:
        handle = await host.clusters.make(cluster(KEY))
        ready = await host.ready(KEY)
        assert ready.state is ClusterState.READY
        assert ready.progress.wanted == 2
        await host.until(KEY, lambda report: report.progress.workers == 2)
        for known in (handle, b""):
            assert await host.clusters.leftovers(KEY, known)
        host.end_driver(KEY, 3)
        ended = await host.ended(KEY)
        assert (ended.end, ended.exit_code, ended.signal) == (ClusterEnd.DRIVER_EXITED, 3, None)
        await host.clusters.forget(KEY, handle)
        for known in (handle, b""):
            assert await host.clusters.leftovers(KEY, known) == []

    async def test_making_it_twice_makes_it_once(self, host: Any) -> None:
        first = await host.clusters.make(cluster(KEY))
        ready = await host.ready(KEY)
        assert await host.clusters.make(cluster(KEY)) == first
        host.end_driver(KEY, 0)
        ended = await host.ended(KEY)
        assert ended.scheduler_address == ready.scheduler_address
        assert await host.clusters.make(cluster(KEY)) == first
        assert {report.scheduler_address for report in host.seen} <= {"", ready.scheduler_address}

    async def test_stopping_ends_all_of_it(self, host: Any) -> None:
        handle = await host.clusters.make(cluster(KEY))
        await host.ready(KEY)
        await host.clusters.stop(KEY, handle, grace_seconds=0.1)
        assert (await host.ended(KEY)).end is ClusterEnd.STOPPED
        await host.clusters.stop(KEY, handle, grace_seconds=0.1)
        await host.clusters.forget(KEY, handle)
        assert await host.clusters.leftovers(KEY, handle) == []

    async def test_a_lost_scheduler_ends_the_cluster_at_once(self, host: Any) -> None:
        handle = await host.clusters.make(cluster(KEY))
        await host.ready(KEY)
        host.kill(KEY, "scheduler")
        ended = await host.ended(KEY)
        assert ended.end is ClusterEnd.SCHEDULER_LOST
        assert "SIGKILL (9)" in ended.message
        await host.clusters.forget(KEY, handle)
        assert await host.clusters.leftovers(KEY, handle) == []

    async def test_a_lost_worker_is_told_and_made_anew(self, host: Any) -> None:
        await host.clusters.make(cluster(KEY))
        await host.until(KEY, lambda report: report.progress.workers == 2)
        role = host.kill(KEY, "worker-1")
        told = await host.until(KEY, lambda report: f"{role} was killed" in report.reason)
        assert "killed by SIGKILL (9)" in told.reason
        assert told.state is ClusterState.READY
        host.end_driver(KEY, 0)
        assert (await host.ended(KEY)).end is ClusterEnd.DRIVER_EXITED

    async def test_a_killed_driver_ends_the_cluster(self, host: Any) -> None:
        await host.clusters.make(cluster(KEY))
        await host.ready(KEY)
        host.kill(KEY, "driver")
        ended = await host.ended(KEY)
        assert (ended.end, ended.exit_code, ended.signal) == (ClusterEnd.DRIVER_EXITED, None, 9)

    async def test_a_restarted_platform_takes_it_back(self, host: Any) -> None:
        handle = await host.clusters.make(cluster(KEY))
        before = await host.ready(KEY)
        await host.restart()
        taken = await host.clusters.recover(KEY, handle)
        assert taken is not None
        assert (taken.state, taken.scheduler_address) == (ClusterState.READY, before.scheduler_address), taken
        host.end_driver(KEY, 0)
        assert (await host.ended(KEY)).end is ClusterEnd.DRIVER_EXITED
        await host.restart()
        again = await host.clusters.recover(KEY, handle)
        assert again is not None
        assert again.end is ClusterEnd.DRIVER_EXITED

    async def test_what_was_never_made_is_not_recovered(self, host: Any) -> None:
        handle = await host.clusters.make(cluster(KEY))
        host.seen.clear()
        assert await host.clusters.recover(AttemptKey("p/d/e/never/0"), handle) is None
        await host.clusters.forget(AttemptKey("p/d/e/never/0"), handle)
        await host.ready(KEY)

    async def test_two_clusters_do_not_meet(self, host: Any) -> None:
        other = AttemptKey(f"p/d/e{os.getpid()}/n1/0")
        for key in (KEY, other):
            await host.clusters.make(cluster(key, workers=1))
        first, second = await host.ready(KEY), await host.ready(other)
        assert first.scheduler_address != second.scheduler_address
        host.end_driver(other, 0)
        await host.ended(other)
        assert all(report.state is not ClusterState.ENDED for report in host.seen if report.key == KEY)
