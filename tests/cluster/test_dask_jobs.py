"""Dask tasks on clusters that the real Dask operator makes: what they compute, what they outlive, and that nothing is
left, also where the operator is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.client import watching
from dayfly.model.identifiers import ExecutionId
from tests.cluster import operators
from tests.cluster.conftest import Cluster, register, serving
from tests.cluster.operators import Operator
from tests.platforms import launching, remotes
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parent / "programs"

PATIENCE_SECONDS = 240

KINDS = ("daskjobs", "daskclusters", "daskworkergroups", "daskautoscalers")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    operators.install()
    with operators.defined(operators.NEWEST):
        running = Operator(operators.NEWEST, tmp_path_factory.mktemp("operator") / "log")
        running.start()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, operator: Operator) -> Iterator[Server]:
    """A platform that finds DaskJobs, and so leaves its clusters to the operator."""
    settings = {"DAYFLY_KUBERNETES__OPERATOR_SECONDS": "5"}
    with serving(tmp_path_factory.mktemp("jobs") / "data", **settings) as server:
        register(server, PROGRAMS / "jobbed.py")
        yield server
    until_clean(cluster)


def until_clean(cluster: Cluster) -> None:
    launching.wait_until(lambda: not cluster.left(*KINDS), "everything to be gone", PATIENCE_SECONDS)


def log_of(server: Server, execution: ExecutionId, role: str, node: str = "*") -> str:
    (file,) = (server.folder / "logs" / str(execution)).glob(f"{node}/0/{role}.log")
    return file.read_text()


def running(cluster: Cluster, role: str, number: int = 1) -> bool:
    pods = cluster.pods(role).values()
    return len(pods) == number and all(pod["status"]["phase"] == "Running" for pod in pods)


def until_running(cluster: Cluster, workers: int = 2) -> None:
    for role, number in (("driver", 1), ("scheduler", 1), ("worker", workers)):
        launching.wait_until(
            lambda role=role, number=number: running(cluster, role, number), f"{role} to run", PATIENCE_SECONDS
        )


def only(seen: watching.Snapshot) -> watching.NodeView:
    (node,) = [node for node in seen.nodes if node.attempts]
    return node


def test_a_chain_of_tasks_runs_through_a_dask_job(jobs: Server, cluster: Cluster) -> None:
    remote = remotes.connect(jobs)
    workflow = remote.fetch_workflow(name="jobbed.chain", version=launching.VERSION)
    execution = remote.execute(workflow, inputs={"text": "0123456789"})
    ended = remotes.wait(remote, execution)
    assert ended.error is None
    assert ended.outputs["o0"] == 570
    until_clean(cluster)
