"""Dask tasks that die of their cluster: of what it was given, of what it lacks, of waiting for it."""

from __future__ import annotations

import datetime
import os
import sys
import time
from pathlib import Path

import distributed
from death_marks import mark
from flytekit import Resources, task
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup

from dayfly.dask import DaskCluster, Workers

MEBI = 1 << 20
WORKER = Resources(cpu="250m", mem="400Mi")
TIMEOUT = datetime.timedelta(seconds=20)
PACKAGES = Path(__file__).parent / "other_packages"
SMALL = Dask(workers=WorkerGroup(number_of_workers=2, limits=WORKER))


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


# -- memory and disk ----------------------------------------------------------------------------------------------
@task(task_config=SMALL, limits=Resources(mem="500Mi"))
def driver_out_of_memory(folder: str) -> int:
    mark(folder)
    held = []
    for _ in range(100):
        held.append(bytearray(os.urandom(16)) * MEBI)
        time.sleep(0.02)
    return len(held)


@task(
    task_config=Dask(
        scheduler=Scheduler(limits=Resources(mem="400Mi")), workers=WorkerGroup(number_of_workers=2, limits=WORKER)
    )
)
def scheduler_out_of_memory(folder: str) -> int:
    """Put data into the graph, which the scheduler keeps."""
    client = distributed.Client()
    mark(folder)
    waited = [client.submit(len, bytes(16 * MEBI), pure=False, resources={"GPU": 1}) for _ in range(40)]
    return sum(client.gather(waited))


PAUSED_EARLY = {"target": False, "spill": False, "pause": 0.6}


def hold(number: int) -> bytes:
    return os.urandom(16) * MEBI


BLOCK = 200 * MEBI


def block(folder: str) -> bytes:
    return os.urandom(MEBI) * (BLOCK // MEBI)


class FullDisk(distributed.WorkerPlugin):
    """Leads every file that a worker would spill to, to a device that is always full."""

    name = "full-disk"

    def setup(self, worker: distributed.Worker) -> None:
        for number in range(8):
            for attempt in range(300):
                os.symlink("/dev/full", os.path.join(worker.local_directory, "storage", f"block-{number}#{attempt}"))


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=2, limits=Resources(cpu="250m", mem="500Mi")),
        config={
            "distributed.scheduler.allowed-failures": 0,
            "distributed.worker.memory.target": 0.2,
            "distributed.worker.memory.spill": 0.3,
        },
    )
)
def spill_folder_full(folder: str) -> int:
    client = distributed.Client()
    client.register_plugin(FullDisk())
    mark(folder)
    waited = [client.submit(block, folder, key=f"block-{number}") for number in range(8)]
    return len(client.gather(waited))


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=2, limits=WORKER),
        config={f"distributed.worker.memory.{name}": share for name, share in PAUSED_EARLY.items()},
    ),
    timeout=TIMEOUT,
)
def workers_paused(folder: str) -> int:
    client = distributed.Client()
    mark(folder)
    waited = client.map(hold, range(60))
    return len(client.gather(waited))


# -- workers that never are -----------------------------------------------------------------------------------------
@task(
    task_config=DaskCluster(
        workers=Workers(
            number_of_workers=2, limits=WORKER, command=f"{sys.executable} -c 'import time; time.sleep(1000)'"
        ),
        startup_timeout=2,
    )
)
def no_worker_in_time(folder: str) -> int:
    return 1


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=2, limits=WORKER), config={"distributed.scheduler.bandwidth": "fast"}
    )
)
def senseless_setting(folder: str) -> int:
    return 1


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2, limits=WORKER, command="no-such-worker")))
def no_such_command(folder: str) -> int:
    return 1


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2, limits=WORKER, preload=["no_such_preload"])))
def no_such_preload(folder: str) -> int:
    return 1


# -- versions and packages ------------------------------------------------------------------------------------------
@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2, image="example.org/older-dask:1", limits=WORKER)))
def image_with_another_dask(folder: str) -> int:
    return 1


@task(
    task_config=DaskCluster(
        workers=Workers(
            number_of_workers=2,
            limits=WORKER,
            command=f"{Path(__file__).parents[3]}/.venv-old/bin/python -m distributed.cli.dask_worker",
        ),
    )
)
def worker_with_another_dask(folder: str) -> int:
    import dask.bag

    client = distributed.Client()
    mark(folder)
    return client.compute(dask.bag.from_sequence(range(10), npartitions=2).map(float).sum()).result()


@task(
    task_config=DaskCluster(workers=Workers(number_of_workers=2, limits=WORKER, environment={"PYTHONPATH": ""})),
    environment={"PYTHONPATH": str(PACKAGES / "newer")},
)
def module_missing_on_workers(folder: str) -> int:
    import prices

    client = distributed.Client()
    mark(folder)
    return client.submit(prices.discount, 100).result()


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=2, limits=WORKER, environment={"PYTHONPATH": str(PACKAGES / "older")})
    ),
    environment={"PYTHONPATH": str(PACKAGES / "newer")},
)
def package_mismatch(folder: str) -> int:
    import prices

    client = distributed.Client()
    mark(folder)
    return client.submit(prices.discount, 100).result()


# -- waits ------------------------------------------------------------------------------------------------------------
@task(task_config=SMALL, timeout=TIMEOUT)
def waits_for_ever(folder: str) -> float:
    client = distributed.Client()
    mark(folder)
    return client.submit(nap, 0, resources={"GPU": 1}).result()


@task(task_config=SMALL, timeout=TIMEOUT)
def hangs(folder: str) -> float:
    client = distributed.Client()
    mark(folder)
    return client.submit(nap, 1000).result()


@task(
    task_config=DaskCluster(
        workers=Workers(number_of_workers=2, limits=WORKER), config={"distributed.scheduler.no-workers-timeout": "2s"}
    )
)
def waits_too_long(folder: str) -> float:
    client = distributed.Client()
    mark(folder)
    return client.submit(nap, 0, resources={"GPU": 1}).result()


@task(task_config=SMALL)
def is_aborted(folder: str) -> float:
    client = distributed.Client()
    waited = client.submit(nap, 1000)
    Path(folder, "begun").touch()
    return waited.result()
