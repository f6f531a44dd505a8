"""What one sees of Dask clusters of plain pods: flight record, dashboard, logs by time, causes of death; what stays."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dayfly.client import extras
from tests.cluster import viewing
from tests.cluster.conftest import NAMESPACE, Cluster, register
from tests.cluster.viewing import PATIENCE_SECONDS, Viewed
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "viewed.py"

TOLD = "DAYFLY-TOLD"


@pytest.fixture(scope="module", autouse=True)
def registered(server: Server) -> None:
    register(server, PROGRAM)


@pytest.fixture(autouse=True)
def gone(server: Server, cluster: Cluster) -> Iterator[None]:
    yield
    launching.wait_until(lambda: not cluster.left(), "the clusters to be gone", PATIENCE_SECONDS)


@pytest.fixture
def watched(server: Server, request: pytest.FixtureRequest) -> Iterator[Viewed]:
    go = server.folder / f"go-{request.node.name}"
    yield Viewed(server, launching.launch_task(server, "viewed.watched", text=str(go)), go)
    go.touch()


def fail(server: Server, task: str, text: str) -> Any:
    """Return the error that a task ends with."""
    execution = launching.launch_task(server, f"viewed.{task}", text=text)
    try:
        ended, _ = launching.wait(server, execution, PATIENCE_SECONDS)
    except TimeoutError:
        launching.abort(server, execution, "it does not fail")
        raise
    assert ended.error is not None
    return next(one.error for node in ended.nodes for one in node.attempts if one.error is not None)


def force_away(cluster: Cluster, role: str) -> str:
    ((name, _),) = cluster.pods(role).items()
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    return name


def test_a_living_cluster_is_looked_at(watched: Viewed, cluster: Cluster) -> None:
    watched.until_computing()
    link = next(log.uri for log in watched.look().logs if log.name == "Dask dashboard")
    viewing.look_at_dashboard(link)

    force_away(cluster, "worker-1")
    launching.wait_until(
        lambda: [event["kind"] for event in watched.record()["events"]].count("add-worker") == 3,
        "another worker in the record",
        PATIENCE_SECONDS,
    )
    ended = watched.end()
    assert ended.error is None, ended

    record = watched.record()
    (crawl,) = record["prefixes"]
    (attempt,) = [one for node in ended.nodes for one in node.attempts]
    assert (crawl["name"], crawl["erred"]) == ("crawl", 0)
    assert attempt.info["dask"]["tasksDone"] == attempt.info["dask"]["tasksTotal"] == crawl["done"]
    assert {worker["name"] for worker in record["workers"]} == {"worker-0", "worker-1"}
    assert all(worker["memory_limit"] == 500 and worker["memory_peak"] > 50 for worker in record["workers"])
    lost = [event for event in record["events"] if event["kind"] == "remove-worker" and not event["expected"]]
    assert [event["worker"] for event in lost] == ["worker-1"]
    roles = {role["name"]: role for role in record["roles"]}
    assert roles.keys() == {"driver", "scheduler"}
    assert all(role["memory_peak"] > 50 for role in roles.values())
    assert requests.get(link, timeout=60).status_code == 404, "it is gone"


def test_dasks_own_reports_outlive_the_cluster(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go-reported"
    reported = Viewed(server, launching.launch_task(server, "viewed.reported", text=str(go)), go)
    reported.until_computing()
    ended = reported.end()
    assert ended.error is None, ended
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone", PATIENCE_SECONDS)
    page = viewing.read_report(reported.look())
    done = int(re.search(r"number of tasks: (\d+)", page)[1])  # type: ignore[index]
    assert 10 < done <= reported.record()["prefixes"][0]["done"]
    assert re.search(r"Workers: 2 ", page), "they were there until it was made"
    lines = reported.read("/lines", of="executions", limit=5000)["lines"]
    assert not [line for line in lines if TOLD in line["text"] or len(line["text"]) > 3000]


def test_what_is_aborted_leaves_no_reports(server: Server) -> None:
    go = server.folder / "go-aborted"
    aborted = Viewed(server, launching.launch_task(server, "viewed.reported", text=str(go)), go)
    aborted.until_computing()
    launching.abort(server, aborted.execution, "enough")
    launching.wait(server, aborted.execution, PATIENCE_SECONDS)
    assert not [log for log in aborted.look().logs if "report" in log.name]


def test_logs_of_all_roles_are_one_by_time(watched: Viewed) -> None:
    watched.until_computing()
    watched.end()
    lines: list[Any] = []
    token = ""
    while True:
        page = watched.read("/lines", of="executions", token=token, limit=5000)
        lines += page["lines"]
        token = page["token"]
        if page["at_end"]:
            break
    assert {line["role"] for line in lines} >= {"driver", "scheduler", "worker-0", "worker-1"}
    times = [line["at"] for line in lines]
    assert times == sorted(times)
    assert not [line for line in lines if TOLD in line["text"]]
    at = {text: next(number for number, line in enumerate(lines) if text in line["text"]) for text in WORDS}
    assert list(at.values()) == sorted(at.values()), "though the driver's own words have no time"
    shown = watched.server.dayfly("logs", watched.execution.name, "--config", watched.server.config, "--role", "worker")
    assert "worker-1" in shown.stdout
    assert "scheduler" not in {line.split("|")[0].strip() for line in shown.stdout.splitlines()}


WORDS = ("Scheduler at", "Register worker", "the driver has seen", "Closing scheduler")


def test_the_record_outlives_the_platform(watched: Viewed, cluster: Cluster) -> None:
    watched.until_computing()
    ((name, _),) = cluster.pods("scheduler").items()
    watched.server.kill()

    def told() -> int:
        return cluster.run("logs", name, "--namespace", NAMESPACE).count(f"{TOLD} 1 frame")

    before = told()
    launching.wait_until(lambda: told() > before + 5, "frames that no platform sees", PATIENCE_SECONDS)
    watched.server.start()
    launching.wait_until(lambda: len(watched.frames()) > before + 5, "them to be home", PATIENCE_SECONDS)
    ended = watched.end()
    assert ended.error is None, ended
    times = [frame["t"] for frame in watched.frames()]
    assert times == sorted(set(times)), "none twice"
    assert max(later - before for before, later in itertools.pairwise(times)) < 4.0, "none missing"
    assert watched.record()["prefixes"][0]["done"] == sum(len(frame.get("tasks", ())) for frame in watched.frames())


def test_the_record_outlives_the_scheduler(watched: Viewed, cluster: Cluster) -> None:
    watched.until_computing()
    force_away(cluster, "scheduler")
    launching.wait_until(lambda: watched.look(1) is not None, "another attempt", PATIENCE_SECONDS)
    error = watched.look(0).error
    assert error.code == "DaskSchedulerLost", error
    assert "was lost (Pod " in error.message
    assert "somebody deleted it" in error.message
    record = watched.record(0)
    assert record["prefixes"][0]["done"] > 10
    assert len(record["workers"]) == 2
    watched.until_computing(1)
    assert watched.end().error is None


OUTGROWN = r"worker-0 ran out of memory while computing burst-\w+: it held .*, its limit is 400 MiB"


@pytest.mark.parametrize("task", ["outgrows", "outgrows_alone"])
def test_a_worker_that_outgrows_its_memory_is_named(server: Server, task: str) -> None:
    """With a nanny, which lives on, and without, where Kubernetes sees it."""
    error = fail(server, task, "900")
    assert error.code == "DaskWorkerOutOfMemory", error
    assert re.search(OUTGROWN, error.message), error


def test_a_worker_that_was_deleted_is_nobodys_fault(server: Server, cluster: Cluster, tmp_path: Path) -> None:
    begun = server.folder / "begun"
    execution = launching.launch_task(server, "viewed.loses_its_worker", text=str(begun))
    viewed = Viewed(server, execution, begun)
    launching.wait_until(begun.exists, "the task to be computed", PATIENCE_SECONDS)
    force_away(cluster, "worker-0")
    launching.wait_until(lambda: viewed.look(1) is not None, "another attempt", PATIENCE_SECONDS)
    error = viewed.look(0).error
    assert error.code == "DaskWorkersLost", error
    assert re.search(r"worker-0 was lost \(Pod .* is gone: somebody deleted it\) while computing", error.message), error
    launching.abort(server, execution, "enough")
    launching.wait(server, execution)


def test_roles_of_different_versions_do_not_begin(server: Server) -> None:
    error = fail(server, "mixed", "/never")
    assert error.code == "DaskVersionMismatch", error
    assert "worker-0 has dask 1999.1.0 (the scheduler: " in error.message


def test_a_time_limit_says_what_was_being_computed(server: Server) -> None:
    error = fail(server, "hangs", str(server.folder / "hanging"))
    assert error.code == "TimeoutExpired", error
    assert "When it was stopped, worker-0 was computing compute_slowly-" in error.message


def test_there_is_advice(server: Server) -> None:
    told = extras.call(
        server.address,
        "/advice",
        {"project": launching.PROJECT, "domain": launching.DOMAIN, "task": "viewed.outgrows"},
    )
    advice = {(one["role"], one["what"]): one for one in told["advice"]}
    assert advice["worker", "memory"]["had"] == "400Mi"
    assert advice["worker", "memory"]["ask"] == "896Mi"
    assert advice["scheduler", "memory"]["had"] == "", "it has no limit"
