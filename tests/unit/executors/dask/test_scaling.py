"""Scaling of a scheduler that is made up: what is wanted, and what becomes of a worker that is not."""

from __future__ import annotations

import asyncio
import functools
from types import SimpleNamespace
from typing import Any

import dask
import pytest
from distributed.core import Status

from dayfly.executors.dask.roles import scaling
from dayfly.executors.dask.roles.scaling_policy import COOL_LOOKS, DOWN_LOOKS

GIB = 2**30

LOOKS = max(COOL_LOOKS, DOWN_LOOKS)
"""After so many, a worker may go."""


class Worker(SimpleNamespace):
    def __init__(self, name: str, **rest: Any) -> None:
        mine = {"processing": {}, "actors": set(), "nbytes": 0, "occupancy": 0.0, "memory_limit": GIB}
        mine["status"] = Status.running
        super().__init__(name=name, address=f"tcp://{name}", **{**mine, **rest})

    __hash__ = object.__hash__


class Scheduler:
    """As much of Dask's as is looked at. It asks for `target` workers."""

    def __init__(self, *names: str) -> None:
        self.workers: dict[str, Worker] = {}
        self.running: set[Worker] = set()
        self.clients = {"fire-and-forget": None, "Client-1": None}
        self.unrunnable: dict[str, Any] = {}
        self.extensions: dict[str, Any] = {}
        self.target = 0
        self.pinned: set[str] = set()
        """Workers whose data cannot be moved."""
        self.retired: list[dict[str, Any]] = []
        self.moving: asyncio.Future[None] | None = None
        self.busy_shuffling: set[str] = set()
        """Workers that Dask does not offer to close."""
        for name in names:
            self.add(Worker(name))

    def add(self, worker: Worker) -> Worker:
        self.workers[worker.address] = worker
        self.running.add(worker)
        return worker

    def remove(self, address: str) -> None:
        self.running.discard(self.workers.pop(address))

    def adaptive_target(self) -> int:
        return self.target

    def workers_to_close(self, n: int) -> list[str]:
        return [one.address for one in list(self.workers.values())[::-1][:n] if one.name not in self.busy_shuffling]

    @property
    def stream_comms(self) -> dict[str, Any]:
        def take(worker: Worker, told: dict[str, Any]) -> None:
            assert told["op"] == "worker-status-change"
            worker.status = Status[told["status"]]
            self.running.add(worker)

        return {
            address: SimpleNamespace(send=functools.partial(take, worker)) for address, worker in self.workers.items()
        }

    async def retire_workers(self, *, workers: list[str], **rest: Any) -> dict[str, Any]:
        self.retired.append({"workers": workers, **rest})
        if self.moving is not None:
            await self.moving
        moved = {address: {} for address in workers if self.workers[address].name not in self.pinned}
        for address in moved:
            if rest["remove"]:
                self.remove(address)
            else:
                self.workers[address].status = Status.closing_gracefully
                self.running.discard(self.workers[address])
        return moved


class Cluster:
    """A group of four, of which two have begun."""

    def __init__(self, *names: str, minimum: int = 0, processes: int = 1) -> None:
        self.scheduler = Scheduler(*(names or ("worker-0", "worker-1")))
        self.published: list[list[str]] = []
        self.noted: list[dict[str, Any]] = []
        roles = [f"worker-{number}" for number in range(4)]
        group = scaling.Group("worker", roles, begun=2, minimum=minimum, processes=processes)
        self.scaling = scaling.Scaling(self.scheduler, [group], self.published.append, self.note)

    def note(self, kind: str, **told: Any) -> None:
        self.noted.append({"kind": kind, **told})

    async def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.scaling.look()
            await asyncio.sleep(0)
            await asyncio.sleep(0)


async def test_more_are_wanted_at_once_and_it_is_told():
    cluster = Cluster()
    cluster.scheduler.target = 3
    await cluster.look(3)
    assert cluster.published == [["worker-0", "worker-1", "worker-2"]]
    assert cluster.scaling.wanted == 3
    told = "workers wanted: 3, before 2"
    assert cluster.noted == [{"kind": "scale", "worker": "", "wanted": {"worker": 3}, "told": told}]
    assert cluster.scheduler.extensions["dayfly-scaling"].looks == 3


async def test_a_worker_is_retired_before_it_is_no_longer_wanted():
    cluster = Cluster()
    cluster.scheduler.moving = asyncio.get_running_loop().create_future()
    await cluster.look(LOOKS)
    (asked,) = cluster.scheduler.retired
    assert (asked["workers"], asked["close_workers"], asked["remove"]) == (["tcp://worker-1"], False, True)
    assert asked["stimulus_id"].startswith("dayfly-not-needed-")
    assert cluster.published == [], "its data is being moved"
    cluster.scheduler.moving.set_result(None)
    await cluster.look(LOOKS)
    assert cluster.published == [["worker-0"]], "somebody is there who may need the last one"
    assert len(cluster.scheduler.retired) == 1


async def test_more_are_wanted_while_others_are_leaving():
    cluster = Cluster()
    cluster.scheduler.moving = asyncio.get_running_loop().create_future()
    await cluster.look(LOOKS)
    cluster.scheduler.target = 2
    await cluster.look()
    assert cluster.published == [["worker-0", "worker-1", "worker-2"]]
    cluster.scheduler.moving.set_result(None)
    await cluster.look()
    assert cluster.published[1:] == [["worker-0", "worker-2"]]


async def test_a_worker_whose_data_cannot_be_moved_stays():
    cluster = Cluster()
    cluster.scheduler.pinned = {"worker-1"}
    await cluster.look(LOOKS)
    assert len(cluster.scheduler.retired) == 1
    await cluster.look(LOOKS - 1)
    assert len(cluster.scheduler.retired) == 1, "it is not tried again at once"
    await cluster.look()
    assert len(cluster.scheduler.retired) == 2
    assert cluster.published == []
    assert cluster.scaling.wanted == 2


async def test_an_error_while_retiring_ends_nothing(monkeypatch: pytest.MonkeyPatch):
    cluster = Cluster()

    async def fail(**_: Any) -> None:
        raise OSError("stream is closed")

    monkeypatch.setattr(cluster.scheduler, "retire_workers", fail)
    await cluster.look(LOOKS)
    assert cluster.published == []
    monkeypatch.undo()
    await cluster.look(2 * LOOKS)
    assert cluster.published == [["worker-0"]]


async def test_one_that_was_made_anew_meanwhile_stays():
    cluster = Cluster()
    cluster.scheduler.moving = asyncio.get_running_loop().create_future()
    await cluster.look(LOOKS)
    cluster.scheduler.add(Worker("worker-1-r1"))
    cluster.scheduler.moving.set_result(None)
    await cluster.look()
    assert "tcp://worker-1" not in cluster.scheduler.workers
    assert cluster.published == []


async def test_who_has_been_given_a_task_since_the_look_is_not_retired():
    cluster = Cluster()
    for _ in range(LOOKS):
        cluster.scaling.look()
    cluster.scheduler.workers["tcp://worker-1"].processing = {"task": 1.0}
    await asyncio.sleep(0)
    assert [asked["workers"] for asked in cluster.scheduler.retired] == [[]]


@pytest.mark.parametrize("busy", [{"processing": {"task": 1.0}}, {"actors": {"actor"}}])
async def test_who_is_needed_is_not_asked_to_go(busy: dict[str, Any]):
    cluster = Cluster("worker-0")
    cluster.scheduler.add(Worker("worker-1", **busy))
    await cluster.look(LOOKS)
    assert [asked["workers"] for asked in cluster.scheduler.retired] == [["tcp://worker-0"]]


async def test_until_a_client_comes_all_stay_and_without_one_none_has_to():
    cluster = Cluster()
    del cluster.scheduler.clients["Client-1"]
    await cluster.look(3 * LOOKS)
    assert (cluster.published, cluster.scaling.looks) == ([], 0)
    cluster.scheduler.clients["Client-2"] = None
    await cluster.look()
    del cluster.scheduler.clients["Client-2"]
    await cluster.look(3 * LOOKS)
    assert cluster.published[-1] == []


async def test_data_of_any_worker_counts():
    cluster = Cluster()
    cluster.scheduler.add(Worker("another", nbytes=3 * GIB // 2))
    await cluster.look(3 * LOOKS)
    assert cluster.published == []


SEVERAL = ("worker-0-0", "worker-0-1", "worker-1-0", "worker-1-1")


async def test_workers_of_several_processes_are_begun_whole():
    cluster = Cluster(*SEVERAL, processes=2)
    assert cluster.scaling.wanted == 4
    cluster.scheduler.target = 5
    await cluster.look(3)
    assert cluster.published == [["worker-0", "worker-1", "worker-2"]]
    assert cluster.scaling.wanted == 6
    assert cluster.noted[0]["told"] == "workers wanted: 6, before 4"
    assert cluster.noted[0]["wanted"] == {"worker": 6}


async def test_workers_of_several_processes_go_whole():
    cluster = Cluster(*SEVERAL, processes=2)
    await cluster.look(LOOKS)
    asked = [(one["workers"], one["remove"]) for one in cluster.scheduler.retired]
    both = ["tcp://worker-1-0", "tcp://worker-1-1"]
    assert asked == [(both, False), (both, True)]
    assert cluster.published == [["worker-0"]]
    assert cluster.scaling.wanted == 2
    await cluster.look(LOOKS)
    assert len(cluster.scheduler.retired) == 2, "of the last one, somebody may need a part"


async def test_more_than_one_process_is_to_spare_before_a_worker_of_two_goes():
    cluster = Cluster(*SEVERAL, processes=2)
    cluster.scheduler.target = 3
    await cluster.look(3 * LOOKS)
    assert (cluster.scheduler.retired, cluster.published) == ([], [])


async def test_of_a_worker_that_has_to_stay_no_process_goes():
    """One process of it has data that finds no place: all take tasks again, and nobody would make a lost one anew."""
    cluster = Cluster(*SEVERAL, processes=2)
    cluster.scheduler.pinned = {"worker-1-1"}
    await cluster.look(LOOKS)
    assert cluster.scheduler.retired[-1]["workers"] == []
    assert len(cluster.scheduler.running) == 4
    assert {one.status for one in cluster.scheduler.workers.values()} == {Status.running}
    assert (cluster.published, cluster.scaling.wanted) == ([], 4)
    cluster.scheduler.pinned = set()
    await cluster.look(LOOKS)
    assert cluster.published == [["worker-0"]], "it is tried again"


@pytest.mark.parametrize("what", ["processing", "shuffling"])
async def test_a_worker_of_which_one_process_is_needed_stays(what: str):
    cluster = Cluster(*SEVERAL, processes=2)
    needed = cluster.scheduler.workers["tcp://worker-1-1"]
    if what == "processing":
        needed.processing = {"task": 1.0}
    else:
        cluster.scheduler.busy_shuffling = {"worker-1-1"}
    await cluster.look(LOOKS)
    assert cluster.published == [["worker-1"]]


@pytest.mark.parametrize(("told", "seconds"), [("1s", 1.0), ("250ms", 0.25), (2, 2.0), ("0s", 0.02), (None, 0.02)])
def test_looks_are_as_often_as_dask_is_told(told: Any, seconds: float):
    with dask.config.set({"distributed.adaptive.interval": told}):
        assert scaling.interval_seconds() == seconds


def test_a_worker_has_the_longest_name_that_its_own_continues():
    groups = [scaling.Group("worker", ["worker-0", "worker-1"], 2, 0), scaling.Group("worker-1", ["worker-1-0"], 1, 0)]
    made = scaling.Scaling(Scheduler(), groups, print, print)
    names = {
        "worker-0": "worker-0",
        "worker-1-r2": "worker-1",
        "worker-1-0-r1": "worker-1-0",
        "worker-01": None,
        7: None,
    }
    assert {name: made._role_of(SimpleNamespace(name=name)) for name in names} == names
