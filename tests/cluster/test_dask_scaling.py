"""Workers that are pods, as many as there is work for."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.client import extras
from tests.cluster.conftest import Cluster, register
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "viewed.py"

PATIENCE_SECONDS = 180


@pytest.fixture(scope="module", autouse=True)
def registered(server: Server) -> None:
    register(server, PROGRAM)


@pytest.mark.parametrize(
    ("task", "tasks", "workers", "pods"),
    [
        ("follows_the_work", 400, {"worker-0", "worker-1", "worker-2"}, {"worker-0", "worker-1", "worker-2"}),
        (
            "follows_by_twos",
            200,
            {"worker-0-0", "worker-0-1", "worker-1-0", "worker-1-1"},
            {"worker-0", "worker-1"},
        ),
    ],
)
def test_workers_follow_the_work(
    server: Server, cluster: Cluster, task: str, tasks: int, workers: set[str], pods: set[str]
) -> None:
    execution = launching.launch_task(server, f"viewed.{task}", text="")
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": sum(range(tasks))}
    (node,) = [node for node in ended.nodes if node.attempts]
    record = extras.call(server.address, f"/clusters/{execution}/{node.id}/0")["record"]
    assert {worker["name"] for worker in record["workers"]} == workers
    gone = [worker["cause"] for worker in record["workers"] if worker["cause"]]
    assert gone == ["retired, no longer needed"] * 2, record["workers"]
    (attempt,) = node.attempts
    assert not [reason for _, reason in attempt.reasons if "made anew" in reason], "none of them was lost"
    assert {log.name for log in attempt.logs} >= {"driver", "scheduler", *pods}
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone", PATIENCE_SECONDS)
