"""Dask tasks on clusters of plain pods: what they compute, what they outlive, and that nothing is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.client import watching
from dayfly.model.identifiers import ExecutionId
from tests.cluster.conftest import NAMESPACE, Cluster, register
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parent / "programs"

PATIENCE_SECONDS = 240


@pytest.fixture(scope="module", autouse=True)
def registered(server: Server) -> None:
    register(server, PROGRAMS / "clustered.py", PROGRAMS / "lasting.py")


def log_of(server: Server, execution: ExecutionId, role: str, attempt: int = 0) -> str:
    (folder,) = (server.folder / "logs" / str(execution)).glob(f"*/{attempt}")
    return (folder / f"{role}.log").read_text()


def running(cluster: Cluster, role: str) -> bool:
    pods = cluster.pods(role).values()
    return bool(pods) and all(pod["status"]["phase"] == "Running" for pod in pods)


def until_running(cluster: Cluster, *roles: str) -> None:
    for role in roles:
        launching.wait_until(lambda role=role: running(cluster, role), f"{role} to run", PATIENCE_SECONDS)


def test_a_task_computes_on_a_cluster_of_its_own(server: Server, cluster: Cluster) -> None:
    execution = launching.launch(server, "clustered.summed", text="10")
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": 285}
    assert "Registered to" in log_of(server, execution, "worker-0")
    assert "Scheduler at" in log_of(server, execution, "scheduler")
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_deleted_worker_is_made_anew(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go-worker"
    execution = launching.launch_task(server, "lasting.holds", text=str(go))
    until_running(cluster, "driver", "worker-0", "worker-1")
    ((name, before),) = cluster.pods("worker-1").items()
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")

    def anew() -> bool:
        return (
            running(cluster, "worker-1")
            and cluster.pods("worker-1")[name]["metadata"]["uid"] != (before["metadata"]["uid"])
        )

    launching.wait_until(anew, "another worker", PATIENCE_SECONDS)
    go.touch()
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": "28"}
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_worker_that_is_deleted_while_no_platform_runs_is_made_anew(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go-worker-unseen"
    execution = launching.launch_task(server, "lasting.holds", text=str(go))
    until_running(cluster, "driver", "worker-0", "worker-1")
    server.kill()
    (name,) = cluster.pods("worker-1")
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    server.start()
    until_running(cluster, "worker-1")
    go.touch()
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": "28"}
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_worker_that_is_asked_to_go_hands_over_what_it_holds(server: Server, cluster: Cluster) -> None:
    kept = server.folder / "kept"
    kept.mkdir()
    execution = launching.launch_task(server, "clustered.keeps", text=str(kept))
    launching.wait_until(server.folder.joinpath("kept-computed").exists, "results", PATIENCE_SECONDS)
    ((name, before),) = cluster.pods("worker-1").items()
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=25")

    def anew() -> bool:
        return {pod["metadata"]["uid"] for pod in cluster.pods("worker-1").values()} - {
            before["metadata"]["uid"]
        } != set()

    launching.wait_until(anew, "another worker", PATIENCE_SECONDS)
    server.folder.joinpath("kept-go").touch()
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": 40}, "nothing was computed again"
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_task_outlives_the_loss_of_one_worker_after_the_other(server: Server, cluster: Cluster) -> None:
    written = server.folder / "churned"
    execution = launching.launch_task(server, "clustered.churned", text=str(written))
    roles = [f"worker-{number}" for number in range(4)]
    for number in range(4):
        until_running(cluster, *roles)
        least = written.stat().st_size + 20 if written.exists() else 20
        launching.wait_until(
            lambda least=least: written.exists() and written.stat().st_size >= least, "progress", PATIENCE_SECONDS
        )
        (name,) = cluster.pods(roles[number])
        cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    server.folder.joinpath("churned-enough").touch()
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": 0}, "no sum was wrong"
    (node,) = [node for node in ended.nodes if node.attempts]
    assert len(node.attempts) == 1, "the cluster heals itself, and no new attempt is needed"
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


@pytest.mark.parametrize("seen", [True, False])
def test_a_lost_scheduler_is_a_new_attempt(server: Server, cluster: Cluster, seen: bool) -> None:
    go = server.folder / f"go-scheduler-{seen}"
    execution = launching.launch_task(server, "lasting.stays", text=str(go))
    until_running(cluster, "driver", "scheduler", "worker-0")
    (name,) = cluster.pods("scheduler")
    if not seen:
        launching.wait_until(
            lambda: "Scheduler at" in log_of(server, execution, "scheduler"), "its log", PATIENCE_SECONDS
        )
        server.kill()
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    if not seen:
        server.start()

    def attempts() -> int:
        return max((len(node.attempts) for node in launching.look(server, execution).nodes), default=0)

    launching.wait_until(lambda: attempts() == 2, "another attempt", PATIENCE_SECONDS)
    go.touch()
    ended, _ = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    (node,) = [node for node in ended.nodes if node.attempts]
    first = node.attempts[0].error
    assert first is not None
    assert first.code == "DaskSchedulerLost", first
    assert ("while no platform ran" in first.message) is not seen
    launching.wait_until(lambda: not cluster.left(), "both clusters to be gone")


@pytest.mark.parametrize(("task", "result"), [("clustered.idles", 285), ("lasting.shuts_down", "3")])
def test_a_task_goes_on_without_its_cluster_and_past_a_restart(
    server: Server, cluster: Cluster, task: str, result: object
) -> None:
    go = server.folder / f"go-{task}"
    execution = launching.launch_task(server, task, text=str(go))
    launching.wait_until(Path(f"{go}-alone").exists, "the task to be alone", PATIENCE_SECONDS)

    def alone() -> bool:
        there = {pod["metadata"]["labels"]["dayfly.dev/role"] for pod in cluster.pods().values()}
        return running(cluster, "driver") and there <= {"driver", "scheduler"}

    launching.wait_until(alone, "the workers to be gone", PATIENCE_SECONDS)
    server.kill()
    server.start()

    def attempts() -> list[watching.AttemptView]:
        return [attempt for node in launching.look(server, execution).nodes for attempt in node.attempts]

    launching.wait_until(lambda: "ended as it was told to" in attempts()[0].reason, "the reason", PATIENCE_SECONDS)
    go.touch()
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    assert outputs == {"o0": result}
    assert len(attempts()) == 1
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_task_that_needs_a_cluster_still_that_was_idle_is_told_so(server: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(server, "clustered.needs_it_still", text="3")
    ended, _ = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is not None
    assert ended.error.code == "DaskShutDown", ended.error
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_platform_that_is_killed_at_the_end_of_a_task_leaves_nothing(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go-last"
    execution = launching.launch_task(server, "lasting.holds", text=str(go))
    until_running(cluster, "driver", "worker-0", "worker-1")
    go.touch()
    ended, _ = launching.wait(server, execution, PATIENCE_SECONDS)
    server.kill()
    assert ended.error is None
    assert cluster.left(), "its end is told before its workers are gone"
    server.start()
    launching.wait_until(lambda: not cluster.left(), "all of it to be gone", PATIENCE_SECONDS)


def test_an_abort_takes_all_of_it_away(server: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(server, "lasting.stays", text="/never")
    until_running(cluster, "driver")
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert ended.phase.name == "ABORTED"
    launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")
