"""Operators of a real cluster that come, go and meet, and clusters that know no `FlyteWorkflow` or do not answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.cli import deployment
from dayfly.client import connecting
from tests.cluster import proxy
from tests.cluster.conftest import IMAGE, Cluster, write_kubeconfig
from tests.cluster.workflows import (
    NAMESPACE,
    PLURAL,
    Workflows,
    install_kind,
    operator,
    platform,
    require_namespace,
)
from tests.platforms import launching
from tests.platforms.server import Server

ALONE = "workflows-alone"
"""A namespace in which an account has rights, and nowhere else."""


@pytest.fixture
def workflows() -> Iterator[Workflows]:
    install_kind()
    require_namespace(NAMESPACE)
    found = Workflows(NAMESPACE)
    yield found
    launching.wait_until(lambda: not found.left(), "everything to be gone")
    found.run("delete", PLURAL, "--all", "--namespace", NAMESPACE, "--timeout=30s")


def executions(server: Server) -> list[str]:
    """Return the names of all executions."""

    async def ask() -> list[str]:
        async with connecting.open(server.address) as client:
            found = await client.list_executions(launching.PROJECT, launching.DOMAIN, limit=100)
            return [one.id.name for one in found]

    return asyncio.run(ask())


def test_a_cluster_without_the_kind_runs_the_same_and_is_told_once(tmp_path: Path, account: Path) -> None:
    Cluster().release_workflows()
    Cluster().run("delete", "crd", PLURAL, "--ignore-not-found", "--timeout=60s")
    with platform(tmp_path / "data", account) as server:
        execution = launching.launch(server, "reports.failing", text="")
        ended, _ = launching.wait(server, execution)
        assert ended.error is None, ended
        said = server.log.read_text()
        assert said.count("dayfly deploy kubernetes --crd | kubectl apply -f -") == 1, said
        # From when the kind is there, executions have resources; nothing need be started again.
        install_kind()
        go = tmp_path / "data" / "go"
        workflows = Workflows(NAMESPACE)
        execution = launching.launch(server, "reports.waiting", text=str(go))
        workflows.until_phase(execution.name, "RUNNING")
        go.touch()
        workflows.until_phase(execution.name, "SUCCEEDED")
        workflows.delete(execution.name)
        workflows.until_gone(execution.name)


def test_two_operators_start_one_execution_each_time(tmp_path: Path, workflows: Workflows, account: Path) -> None:
    with platform(tmp_path / "data", account) as server, operator(server, account, tmp_path / "second.log"):
        for number in range(5):
            workflows.ask_for(f"mine-{number}", {"name": "reports.failing"}, text="")
        shown = launching.launch(server, "reports.failing", text="")
        for number in range(5):
            status = workflows.until_phase(f"mine-{number}", "SUCCEEDED", "FAILED", "REFUSED")
            assert status["phase"] == "SUCCEEDED", status
        workflows.until_phase(shown.name, "SUCCEEDED")
        assert len(executions(server)) == 6
        assert workflows.names() == {*(f"mine-{number}" for number in range(5)), shown.name}


def test_an_operator_that_comes_later_makes_up_for_what_it_missed(
    tmp_path: Path, workflows: Workflows, account: Path
) -> None:
    with platform(tmp_path / "data", account, DAYFLY_KUBERNETES__WORKFLOW_OPERATOR="false") as server:
        with operator(server, account, tmp_path / "first.log") as first:
            deleted = launching.launch(server, "reports.waiting", text="/never")
            ended = launching.launch(server, "reports.waiting", text=str(server.folder / "go"))
            workflows.until_phase(deleted.name, "RUNNING")
            workflows.until_phase(ended.name, "RUNNING")
            first.kill()
            first.wait(30)
        (server.folder / "go").touch()
        workflows.delete(deleted.name)
        workflows.ask_for("meanwhile", {"name": "reports.failing"}, text="")
        assert workflows.status("meanwhile") == {}
        with operator(server, account, tmp_path / "second.log"):
            launching.wait_until(lambda: workflows.find(deleted.name) is None, "it to be gone")
            assert launching.look(server, deleted).phase.name == "ABORTED"
            workflows.until_phase("meanwhile", "SUCCEEDED")
            workflows.until_phase(ended.name, "SUCCEEDED")
            # So with a platform that is away for a while.
            last = launching.launch(server, "reports.waiting", text=str(server.folder / "go-on"))
            workflows.until_running(last)
            server.kill()
            server.start()
            (server.folder / "go-on").touch()
            workflows.until_phase(last.name, "SUCCEEDED")


def test_an_api_server_that_is_gone_for_a_while_changes_nothing(tmp_path: Path, workflows: Workflows) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    with (
        proxy.way(kubeconfig) as way,
        platform(tmp_path / "data", kubeconfig) as server,
    ):
        go = server.folder / "go"
        execution = launching.launch(server, "reports.waiting", text=str(go))
        deleted = launching.launch(server, "reports.waiting", text="/never")
        for one in (execution, deleted):
            workflows.until_running(one)
            workflows.until_phase(one.name, "RUNNING")
        way.cut()
        # Neither the deletion, nor the end of the pod, nor what a user asks for is seen when it happens.
        workflows.delete(deleted.name)
        workflows.ask_for("meanwhile", {"name": "reports.failing"}, text="")
        go.touch()
        launching.wait_until(lambda: ended(workflows, execution.name), "the pod to end")
        launching.wait_until(lambda: "cannot be watched" in server.log.read_text(), "the outage to be noticed")
        way.mend()
        assert workflows.until_phase(execution.name, "SUCCEEDED", "FAILED")["phase"] == "SUCCEEDED"
        assert len(launching.look(server, execution).nodes[0].attempts) == 1
        assert workflows.until_phase("meanwhile", "SUCCEEDED", "REFUSED", "FAILED")["phase"] == "SUCCEEDED"
        launching.wait_until(lambda: workflows.find(deleted.name) is None, "what was deleted to be gone")
        assert launching.look(server, deleted).phase.name == "ABORTED"


def ended(workflows: Workflows, execution: str) -> bool:
    return all(pod["status"]["phase"] == "Succeeded" for pod in workflows.pods(execution=execution).values())


def test_a_resource_goes_at_once_where_it_is_not_to_be_kept(
    tmp_path: Path, workflows: Workflows, account: Path
) -> None:
    with platform(tmp_path / "data", account, DAYFLY_KUBERNETES__KEEP_WORKFLOWS_SECONDS="0") as server:
        go = server.folder / "go"
        execution = launching.launch(server, "reports.waiting", text=str(go))
        workflows.until_phase(execution.name, "RUNNING")
        workflows.ask_for("mine", {"name": "reports.failing"}, text="")
        go.touch()
        workflows.until_gone(execution.name)
        assert launching.look(server, execution).phase.name == "SUCCEEDED"
        # What a user has made is the user's.
        workflows.until_phase("mine", "SUCCEEDED")
        assert workflows.find("mine") is not None


@pytest.fixture
def alone(tmp_path: Path, cluster: Cluster) -> Iterator[Path]:
    """Yield the kubeconfig of an account that may do what a platform has to, in one namespace."""
    install_kind()
    told = deployment.Deployment(IMAGE, "s3://bucket", namespace=ALONE, namespaced=True)
    write_kubeconfig(cluster, told, tmp_path / "alone")
    yield tmp_path / "alone"
    cluster.run("delete", "namespace", ALONE, "--timeout=100s")


def test_rights_in_one_namespace_are_enough(tmp_path: Path, alone: Path) -> None:
    workflows = Workflows(ALONE)
    with platform(tmp_path / "data", alone, DAYFLY_KUBERNETES__NAMESPACE=ALONE) as server:
        plan = {"name": "reports.failing", "project": launching.PROJECT, "domain": launching.DOMAIN}
        workflows.ask_for("mine", plan, text="")
        workflows.ask_for("whose", {"name": "reports.failing"}, text="")
        assert workflows.until_phase("mine", "SUCCEEDED", "FAILED", "REFUSED")["phase"] == "SUCCEEDED"
        assert "that of several projects and domains" in workflows.until_phase("whose", "REFUSED")["message"]
        execution = launching.launch(server, "reports.waiting", text="/never")
        workflows.until_running(execution)
        (name,) = [name for name in workflows.names() if name.startswith(execution.name)]
        assert name != execution.name  # Another project may have one of the same name.
        workflows.delete(name)
        workflows.until_gone(name)
        assert launching.look(server, execution).phase.name == "ABORTED"
        assert "orbidden" not in server.log.read_text()
