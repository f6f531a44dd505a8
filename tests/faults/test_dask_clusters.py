"""Everything of a real Dask cluster that can die is killed; then the host is searched for what is left."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from google.protobuf import struct_pb2

from dayfly.executors.local import records
from dayfly.executors.local.forked import processes
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import ObservationKind
from tests.contract import cluster_hosts
from tests.faults.dask_attempts import KEY, Attempts, attempts, traces


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("dask")
    yield folder
    cluster_hosts.end_all(folder)


@pytest.fixture
async def host(data: Path) -> AsyncIterator[Attempts]:
    async with attempts(data) as made:
        yield made


async def test_a_killed_worker_costs_time_only(host: Attempts):
    handle = await host.start("compute", workers=2)
    await host.begun()
    before, ports = traces(host)
    host.kill(KEY, "worker-0")
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 0), end
    assert f"sum {sum(number * number for number in range(120))}" in host.log(KEY)
    told = [seen.reason for seen in host.observed if seen.reason]
    assert [each for each in told if each.startswith("worker-0 was killed by SIGKILL (9)")], told
    assert "name: worker-0-r1" in host.log(KEY, "scheduler")
    await host.assert_clean(handle, before, ports)


async def test_a_killed_scheduler_fails_the_attempt_at_once(host: Attempts):
    handle = await host.start("hold")
    await host.begun()
    before, ports = traces(host)
    host.kill(KEY, "scheduler")
    end = await host.end()
    assert (end.kind, end.failure_kind, end.code) == (ObservationKind.FAILED, FailureKind.SYSTEM, "DaskSchedulerLost")
    assert end.recoverable
    assert "killed by SIGKILL (9)" in end.message
    await host.assert_clean(handle, before, ports)


async def test_a_killed_driver_takes_the_cluster_with_it(host: Attempts):
    handle = await host.start("hold")
    await host.begun()
    before, ports = traces(host)
    host.kill(KEY, "driver")
    end = await host.end()
    assert (end.kind, end.signal) == (ObservationKind.EXITED, signal.SIGKILL)
    await host.assert_clean(handle, before, ports)


@pytest.mark.parametrize("victims", ["server", "supervisor", "both"])
async def test_killed_watchers_leave_nothing(host: Attempts, victims: str):
    handle = await host.start("hold")
    await host.begun()
    before, ports = traces(host)
    started = records.Record(host.data / "run" / "groups", KEY).find_started()
    assert started is not None
    server = processes.stat(started.pid)[1]
    for pid in {"server": [server], "supervisor": [started.pid], "both": [server, started.pid]}[victims]:
        os.kill(pid, signal.SIGKILL)
    end = await host.end()
    assert (end.kind, end.failure_kind, end.recoverable) == (ObservationKind.FAILED, FailureKind.SYSTEM, True)
    assert end.code == "DaskClusterLost"
    await host.assert_clean(handle, before, ports)


async def test_a_restarted_platform_takes_cluster_and_driver_back(host: Attempts):
    handle = await host.start("hold")
    await host.begun()
    before, ports = traces(host)
    await host.restart()
    taken = await host.executor.recover(KEY, handle)
    assert taken.kind is ObservationKind.RUNNING
    assert [link.name for link in taken.logs] == ["driver", "scheduler", "worker-0", "worker-1", "Dask dashboard"]
    (host.work(KEY) / "go").touch()
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 0)
    assert host.pids(KEY) == []
    await host.assert_clean(handle, before, ports)


async def test_a_stopped_attempt_leaves_nothing(host: Attempts):
    handle = await host.start("hold")
    await host.begun()
    before, ports = traces(host)
    await host.executor.stop(KEY, handle, grace_seconds=0.2)
    assert (await host.end()).kind is ObservationKind.STOPPED
    await host.assert_clean(handle, before, ports)


async def test_a_client_may_restart_the_workers(host: Attempts):
    await host.start("restart")
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 0), end.log_tail
    assert "all new True\nsum 6" in host.log(KEY)


async def test_a_client_may_shut_the_cluster_down(host: Attempts):
    await host.start("shut_down")
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 0), end
    assert "sum 4950\ntidy" in host.log(KEY)
    told = struct_pb2.Struct.FromString(end.custom_info)["dask"]
    assert (told["tasksDone"], told["tasksTotal"]) == (100, 100)


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGKILL])
async def test_a_scheduler_that_others_end_is_lost(host: Attempts, asked: signal.Signals):
    await host.start("hold")
    await host.begun()
    os.kill(host.pid(KEY, "scheduler"), asked)
    assert (await host.end()).code == "DaskSchedulerLost"


async def test_the_last_figures_are_told(host: Attempts):
    """However soon the driver ends after its last task."""
    await host.start("compute", workers=2)
    told = struct_pb2.Struct.FromString((await host.end()).custom_info)["dask"]
    assert (told["tasksDone"], told["tasksTotal"], told["tasksProcessing"]) == (120, 120, 0)


async def test_a_task_that_outgrows_its_workers_fails_with_what_dask_says(host: Attempts):
    handle = await host.start("outgrow", memory_limit_bytes=600 * 2**20, memory_request_bytes=600 * 2**20)
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 1), end
    assert "KilledWorker" in end.log_tail
    told = [seen.reason for seen in host.observed if "its limit is" in seen.reason]
    assert len(told) == 4, told
    assert all("MiB of memory; its limit is 570 MiB; it is made anew" in each for each in told)
    await host.executor.forget(KEY, handle)
