"""Tasks as pods of a real cluster: their ends and troubles, told with Kubernetes' own words, and nothing left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dayfly.client import extras, watching
from dayfly.model.identifiers import ExecutionId
from tests.cluster.conftest import Cluster, register
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "podded.py"


@pytest.fixture(scope="module", autouse=True)
def registered(server: Server) -> None:
    register(server, PROGRAM)


def run(server: Server, task: str, **inputs: str) -> ExecutionId:
    return launching.launch_task(server, f"podded.{task}", **inputs)


def until_running(cluster: Cluster, execution: ExecutionId) -> dict[str, str]:
    """Return the ids of the execution's pods by name, once they run."""

    def running() -> dict[str, str]:
        pods = cluster.pods(execution=execution.name)
        if any(pod["status"]["phase"] != "Running" for pod in pods.values()):
            return {}
        return {name: pod["metadata"]["uid"] for name, pod in pods.items()}

    launching.wait_until(running, "the pod to run")
    return running()


def only(ended: watching.Snapshot) -> watching.NodeView:
    (node,) = [node for node in ended.nodes if node.attempts]
    return node


def test_a_chain_of_tasks_is_a_chain_of_pods(server: Server, cluster: Cluster) -> None:
    execution = launching.launch(server, "podded.chain", text="ab")
    ended, outputs = launching.wait(server, execution)
    assert ended.error is None, ended
    assert outputs == {"o0": "ABAB"}
    log = server.folder / "logs" / str(execution) / "n0" / "0" / "driver.log"
    assert "doubling ab" in log.read_text()
    launching.wait_until(lambda: not cluster.left(), "the pods to be gone")


def test_whoever_keeps_the_platform_up_is_told_how_the_cluster_is(server: Server, cluster: Cluster) -> None:
    told = extras.call(server.address, "/health")
    parts = {one["name"]: one for one in told["parts"]}
    known = cluster.run("get", "crd", "flyteworkflows.dayfly.dev", "--ignore-not-found")
    assert parts["kubernetes"]["state"] == ("well" if known else "warning")
    assert ("kubectl shows none" in parts["kubernetes"]["told"]) == (not known)
    assert re.match(r"Kubernetes v1\.\d+\S* answered in \d+ ms\.", parts["kubernetes"]["told"])
    assert parts["dask"]["told"] == "Clusters are made of plain pods, as DAYFLY_KUBERNETES__DASK says."


def test_the_tasks_own_error_is_told(server: Server) -> None:
    ended, _ = launching.wait(server, run(server, "raises", text="this"))
    assert ended.error is not None
    assert "ValueError: not this" in ended.error.message


def test_who_outgrows_its_limit_is_told_so(server: Server) -> None:
    ended, _ = launching.wait(server, run(server, "outgrows", text="x"))
    assert ended.error is not None
    assert ended.error.code == "RetriesExhausted|OOMKilled", ended.error
    assert "memory limit of 120 MiB" in ended.error.message


def test_what_no_node_can_take_waits_and_says_why(server: Server, cluster: Cluster) -> None:
    execution = run(server, "too_large", text="x")

    def reasons() -> list[str]:
        nodes = launching.look(server, execution).nodes
        return [attempt.reason for node in nodes for attempt in node.attempts]

    launching.wait_until(lambda: any("Insufficient memory" in reason for reason in reasons()), "the reason")
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert ended.phase.name == "ABORTED"
    launching.wait_until(lambda: not cluster.left(), "the pod to be gone")


def test_an_image_that_does_not_exist_is_given_up(server: Server) -> None:
    ended, _ = launching.wait(server, run(server, "without_image", text="x"))
    assert ended.error is not None
    assert "no-such-image" in ended.error.message
    assert "may pull it" in ended.error.message


def test_an_abort_ends_the_pod(server: Server, cluster: Cluster) -> None:
    execution = run(server, "waits", text="/never")
    until_running(cluster, execution)
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert ended.phase.name == "ABORTED"
    launching.wait_until(lambda: not cluster.left(), "the pod to be gone")


def test_a_pod_that_somebody_deletes_is_made_again_as_another_attempt(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go"
    execution = run(server, "waits", text=str(go))
    (name,) = until_running(cluster, execution)
    cluster.run("delete", "pod", name, "--namespace", "flytesnacks-development", "--wait=false")
    launching.wait_until(lambda: len(only(launching.look(server, execution)).attempts) == 2, "another attempt")
    go.touch()
    ended, outputs = launching.wait(server, execution)
    assert ended.error is None, ended
    assert outputs == {"o0": str(go)}
    first = only(ended).attempts[0]
    assert "deleted" in (first.error.message if first.error else first.reason)


def test_a_killed_platform_takes_its_pods_back(server: Server, cluster: Cluster) -> None:
    go = server.folder / "go-on"
    execution = run(server, "waits", text=str(go))
    before = until_running(cluster, execution)
    server.kill()
    server.start()
    assert until_running(cluster, execution) == before
    go.touch()
    ended, outputs = launching.wait(server, execution)
    assert ended.error is None, ended
    assert len(only(ended).attempts) == 1
    assert outputs == {"o0": str(go)}


def test_an_evicted_pod_is_made_again_as_another_attempt(server: Server, cluster: Cluster) -> None:
    execution = run(server, "overflows", text=str(server.folder / "overflowed"))
    ended, outputs = launching.wait(server, execution)
    assert ended.error is None, ended
    assert outputs == {"o0": "second"}
    first, _ = only(ended).attempts
    assert first.error is not None
    assert (first.error.kind, first.error.code) == ("SYSTEM", "Evicted"), first.error
    assert "ephemeral" in first.error.message
    launching.wait_until(lambda: not cluster.left(), "the pods to be gone")


def test_a_failure_that_may_pass_is_tried_again(server: Server, cluster: Cluster) -> None:
    execution = run(server, "recovers", text=str(server.folder / "tries"))
    ended, outputs = launching.wait(server, execution)
    assert ended.error is None, ended
    assert outputs == {"o0": "third"}
    assert len(only(ended).attempts) == 3
    launching.wait_until(lambda: not cluster.left(), "the pods to be gone")
