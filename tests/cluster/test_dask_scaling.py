"""Workers that are pods, as many as there is work for."""

from __future__ import annotations

from pathlib import Path

from dayfly.client import extras
from tests.cluster.conftest import Cluster, register
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "viewed.py"

PATIENCE_SECONDS = 180


def test_workers_follow_the_work(server: Server, cluster: Cluster) -> None:
    register(server, PROGRAM)
    execution = launching.launch_task(server, "viewed.follows_the_work", text="")
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": sum(range(400))}
    (node,) = [node for node in ended.nodes if node.attempts]
    record = extras.call(server.address, f"/clusters/{execution}/{node.id}/0")["record"]
    assert {worker["name"] for worker in record["workers"]} == {"worker-0", "worker-1", "worker-2"}
    gone = [worker["cause"] for worker in record["workers"] if worker["cause"]]
    assert gone == ["retired, no longer needed"] * 2, record["workers"]
    (attempt,) = node.attempts
    assert not [reason for _, reason in attempt.reasons if "made anew" in reason], "none of them was lost"
    assert {log.name for log in attempt.logs} >= {"driver", "scheduler", "worker-0", "worker-1", "worker-2"}
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone", PATIENCE_SECONDS)
