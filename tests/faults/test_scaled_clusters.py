"""A real cluster whose workers follow the work: what it holds is kept, whoever comes and goes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest
from flyteidl.core import tasks_pb2
from google.protobuf import struct_pb2

from dayfly.executors.dask.recorder import files
from dayfly.ports.executors import ObservationKind
from dayfly.ports.records import NOT_NEEDED, SCALED, ClusterRecord
from tests.contract import cluster_hosts
from tests.faults.dask_attempts import DRIVER, KEY, Attempts, attempts, traces, until

HELD = sum(range(8))

SUM = sum(range(100, 140))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("scaled")
    yield folder
    cluster_hosts.end_all(folder)


@pytest.fixture
async def host(data: Path) -> AsyncIterator[Attempts]:
    async with attempts(data) as made:
        yield made


async def start(host: Attempts, function: str) -> bytes:
    """Start an attempt with one to four workers of a thread and a GiB each, which looks often what there is to do."""
    attempt = cluster_hosts.attempt(KEY, sys.executable, DRIVER, function)
    template = tasks_pb2.TaskTemplate.FromString(attempt.template)
    limits = [{"name": "CPU", "value": "1"}, {"name": "MEMORY", "value": "1Gi"}]
    config = {"distributed.adaptive.interval": "50ms"}
    template.custom.update(
        {
            "workers": {"numberOfWorkers": 1, "resources": {"limits": limits}},
            "dayfly": {"workers": {"adapt": {"minimum": 1, "maximum": 4}}, "config": config},
        }
    )
    return await host.executor.start(msgspec.structs.replace(attempt, template=template.SerializeToString()))


async def recorded(host: Attempts) -> ClusterRecord:
    return await files.RecordFiles(host.data / "logs").summary(KEY) or ClusterRecord()


async def joined(host: Attempts, name: str) -> None:
    while name not in {worker.name for worker in (await recorded(host)).workers}:  # noqa: ASYNC110  a file tells nobody
        await asyncio.sleep(0.05)


async def test_data_is_kept_whoever_comes_and_goes(host: Attempts) -> None:
    handle = await start(host, "follow_work")
    await until((host.work(KEY) / "shrunk").exists)
    (retired,) = [worker for worker in (await recorded(host)).workers if worker.gone_at]
    assert (retired.cause, retired.expected, retired.lost) == (NOT_NEEDED, True, ())
    await until((host.work(KEY) / "grown again").exists)
    before, ports = traces(host)
    host.kill(KEY, retired.name)  # Made anew, it has none of the data.
    await asyncio.wait_for(joined(host, f"{retired.name}-r2"), cluster_hosts.PATIENCE_SECONDS)
    computed = sorted((host.work(KEY) / "computed").read_text().split())
    (host.work(KEY) / "killed").touch()
    end = await host.end()
    assert (end.kind, end.exit_code) == (ObservationKind.EXITED, 0), end
    told = ["grown 4", "held by 4", "shrunk 3", f"kept {HELD}", "grown again 4", f"sum {SUM}", f"kept {HELD}", "idle 1"]
    assert host.log(KEY).splitlines() == told
    assert computed == [str(number) for number in range(8)], "each of it once"
    figures = struct_pb2.Struct.FromString(end.custom_info)["dask"]
    assert (figures["workers"], figures["wanted"]) == (1, 1)
    record = await recorded(host)
    wanted = [event["wanted"]["worker"] for event in record.events if event["kind"] == SCALED]
    assert wanted[:3] == [4, 3, 4]
    assert wanted[3:] == sorted(wanted[3:], reverse=True), "nobody comes back who is no longer needed"
    assert wanted[-1] == 1
    causes = [worker.cause for worker in record.workers if worker.gone_at]
    assert sorted(causes) == ["", *4 * [NOT_NEEDED]], "one was killed"
    reasons = {seen.reason for seen in host.observed if "worker-" in seen.reason}
    assert reasons == {f"{retired.name} was killed by SIGKILL (9); it is made anew (number 1)"}
    assert [link.name for link in host.observed[0].logs[:4]] == ["driver", "scheduler", "worker-0"]
    everybody = ["driver", "scheduler", *(f"worker-{number}" for number in range(4))]
    assert [link.name for link in end.logs[:6]] == everybody
    await host.assert_clean(handle, before, ports)
