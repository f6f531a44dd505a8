"""Clusters of classes that others wrote: what their workers get, and what is left of them."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dayfly.executors.dask.any_cluster import groups
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterSpec
from tests.contract import cluster_hosts

KEY = AttemptKey(f"p/d/e{os.getpid()}/n0/0")

LOOK = """
import os, sys, time, distributed

def work(number):
    time.sleep(0.2)
    return number

def mood():
    return os.environ.get("MOOD")

with distributed.Client() as client:
    futures = client.map(work, range(60))
    client.wait_for_workers(int(sys.argv[1]), timeout=60)
    print("threads", sorted(client.nthreads().values()))
    print("mood", set(client.run(mood).values()))
    print("sum", sum(client.gather(futures)))
"""


class QueueHost(cluster_hosts.ClassHost):
    """Clusters of dask-jobqueue, whose jobs are commands on this host."""

    shape = groups.ClusterClass(
        "dask_jobqueue.local.LocalCluster",
        {
            "cores": "{cores}",
            "processes": "{processes}",
            "memory": "{memory_of_worker_bytes} B",
            "death_timeout": 20,
            "log_directory": None,
            "scheduler_options": {"dashboard_address": "127.0.0.1:0"},
        },
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("classes")
    yield folder
    cluster_hosts.end_all(folder)


@pytest.fixture(params=["distributed", "jobqueue"])
async def host(request: pytest.FixtureRequest, data: Path) -> AsyncIterator[Any]:
    made = (cluster_hosts.ClassHost if request.param == "distributed" else QueueHost)(data)
    yield made
    await made.leave()


def looking(count: int, **group: Any) -> ClusterSpec:
    asked = cluster_hosts.cluster(KEY, workers=count)
    driver = msgspec.structs.replace(asked.driver, argv=(sys.executable, "-c", LOOK, str(count)))
    wanted = msgspec.structs.replace(asked.groups[0], env={"MOOD": "calm"}, **group)
    return msgspec.structs.replace(asked, driver=driver, groups=(wanted,))


async def test_workers_get_what_was_asked_for_and_nothing_is_left(host: Any):
    handle = await host.clusters.make(looking(2, threads=3))
    ended = await host.ended(KEY)
    assert (ended.end, ended.exit_code) == (ClusterEnd.DRIVER_EXITED, 0), ended.log_tail + host.log(KEY, "scheduler")
    assert "threads [3, 3]\nmood {'calm'}\nsum 1770" in host.log(KEY)
    assert ended.progress.wanted == 2
    assert (host.data / "logs" / KEY / "cluster.record").stat().st_size
    await host.clusters.forget(KEY, handle)
    assert await host.clusters.leftovers(KEY, handle) == []


async def test_a_killed_holder_takes_its_workers_along(host: Any):
    handle = await host.clusters.make(cluster_hosts.cluster(KEY))
    await host.until(KEY, lambda report: report.progress.workers == 2)
    host.kill(KEY, "scheduler")
    assert (await host.ended(KEY)).end is ClusterEnd.SCHEDULER_LOST
    await host.clusters.forget(KEY, handle)
    assert await host.clusters.leftovers(KEY, handle) == []


async def test_workers_come_as_there_is_work(host: Any):
    bounded = msgspec.structs.replace(looking(1, minimum=1, maximum=2), quorum=1)
    driver = msgspec.structs.replace(bounded.driver, argv=(*bounded.driver.argv[:-1], "2"))
    await host.clusters.make(msgspec.structs.replace(bounded, driver=driver))
    ended = await host.ended(KEY)
    assert (ended.end, ended.exit_code) == (ClusterEnd.DRIVER_EXITED, 0), ended.log_tail + host.log(KEY, "scheduler")
    assert "threads [1, 1]" in host.log(KEY)
    assert "sum 1770" in host.log(KEY)
