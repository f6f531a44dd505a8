"""Dask tasks on clusters that the real Dask operator makes: what they compute, what they outlive, and that nothing is
left, also where the operator is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dayfly.client import extras, watching
from dayfly.model.identifiers import ExecutionId
from tests.cluster import operators, viewing, workflows
from tests.cluster.conftest import NAMESPACE, Cluster, register, serving
from tests.cluster.operators import Operator
from tests.platforms import launching, remotes
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parent / "programs"

PATIENCE_SECONDS = 240

KINDS = ("daskjobs", "daskclusters", "daskworkergroups", "daskautoscalers")


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    operators.install()
    workflows.install_kind()
    with operators.defined(operators.NEWEST):
        running = Operator(operators.NEWEST, tmp_path_factory.mktemp("operator") / "log")
        running.start()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def jobs(
    tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, account: Path, operator: Operator
) -> Iterator[Server]:
    """A platform that finds DaskJobs, and so leaves its clusters to the operator."""
    settings = {"DAYFLY_KUBERNETES__OPERATOR_SECONDS": "5"}
    with serving(tmp_path_factory.mktemp("jobs") / "data", account, **settings) as server:
        register(server, PROGRAMS / "jobbed.py", PROGRAMS / "lasting.py")
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


def reasons(server: Server, execution: ExecutionId) -> list[str]:
    return [attempt.reason for node in launching.look(server, execution).nodes for attempt in node.attempts]


def until_reason(server: Server, execution: ExecutionId, words: str) -> None:
    """Wait until an attempt gives a reason with these words."""
    launching.wait_until(lambda: any(words in reason for reason in reasons(server, execution)), f"reason: {words}")


def success(server: Server, execution: ExecutionId) -> tuple[watching.Snapshot, dict[str, Any]]:
    """Wait until it has succeeded; return how it ended, and its outputs."""
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended
    return ended, outputs


def abort(server: Server, execution: ExecutionId) -> None:
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert ended.phase.name == "ABORTED"


def test_a_chain_of_tasks_runs_through_a_dask_job(jobs: Server, cluster: Cluster) -> None:
    remote = remotes.connect(jobs)
    workflow = remote.fetch_workflow(name="jobbed.chain", version=launching.VERSION)
    execution = remote.execute(workflow, inputs={"text": "0123456789"})
    ended = remotes.wait(remote, execution)
    assert ended.error is None
    assert ended.outputs["o0"] == 570
    until_clean(cluster)


def test_logs_of_all_roles_are_kept_and_the_attempt_says_who_made_the_cluster(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-logs"
    execution = launching.launch_task(jobs, "lasting.stays", text=str(go))
    until_running(cluster)
    (job,) = cluster.get("daskjobs")
    until_reason(jobs, execution, f"by DaskJob {job['metadata']['name']}")
    go.touch()
    success(jobs, execution)
    (folder,) = (jobs.folder / "logs" / str(execution)).glob("*/0")
    files = {file.stem: file.read_text() for file in folder.glob("*.log")}
    workers = [name for name in files if name.startswith("worker-")]
    assert len(workers) == 2
    assert "Scheduler at" in files["scheduler"]
    assert all("Registered to" in files[name] for name in workers)
    assert "driver" in files
    until_clean(cluster)


def test_one_sees_of_such_a_cluster_what_one_sees_of_any(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-seen"
    execution = launching.launch_task(jobs, "lasting.holds", text=str(go))
    until_running(cluster)
    node = only(launching.look(jobs, execution)).id

    def record() -> Any:
        return extras.call(jobs.address, f"/clusters/{execution}/{node}/0")["record"]

    launching.wait_until(lambda: (record() or {}).get("prefixes"), "tasks in the record", PATIENCE_SECONDS)
    (attempt,) = only(launching.look(jobs, execution)).attempts
    assert attempt.info["dask"]["tasksTotal"] > 0
    link = next(log.uri for log in attempt.logs if log.name == "Dask dashboard")
    assert requests.get(link, timeout=60).status_code == 200
    go.touch()
    ended, _ = success(jobs, execution)
    assert [prefix["name"] for prefix in record()["prefixes"]] == ["crawl"]
    assert len(record()["workers"]) == 2
    assert {role["name"] for role in record()["roles"]} == {"driver", "scheduler"}
    assert "DAYFLY-TOLD" not in log_of(jobs, execution, "scheduler")
    assert "number of tasks: " in viewing.read_report(only(ended).attempts[0])
    until_clean(cluster)


def test_the_tasks_own_error_is_told(jobs: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(jobs, "jobbed.errs", text="this")
    ended, _ = launching.wait(jobs, execution, PATIENCE_SECONDS)
    assert ended.error is not None
    assert "ValueError: not this" in ended.error.message
    assert len(only(ended).attempts) == 1
    until_clean(cluster)


def test_workers_of_a_second_group(jobs: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(jobs, "jobbed.grouped", text="")
    _, outputs = success(jobs, execution)
    assert outputs == {"o0": "large none"}
    (folder,) = (jobs.folder / "logs" / str(execution)).glob("*/0")
    assert len(list(folder.glob("worker-large-*.log"))) == 1
    until_clean(cluster)


def test_workers_that_are_deleted_are_made_anew(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-workers"
    execution = launching.launch_task(jobs, "lasting.holds", text=str(go))
    until_running(cluster)
    before = cluster.pods("worker")
    cluster.run("delete", "pod", *before, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    launching.wait_until(
        lambda: running(cluster, "worker", 2) and not before.keys() & cluster.pods("worker").keys(),
        "other workers",
        PATIENCE_SECONDS,
    )

    (reason,) = reasons(jobs, execution)
    assert "is made anew" in reason
    go.touch()
    ended, outputs = success(jobs, execution)
    assert outputs == {"o0": "28"}
    assert len(only(ended).attempts) == 1
    until_clean(cluster)


def again(server: Server, execution: ExecutionId, go: Path) -> str:
    """Wait for another attempt, let it succeed, and return the code that the first one ended with."""
    launching.wait_until(
        lambda: len(only(launching.look(server, execution)).attempts) == 2, "another attempt", PATIENCE_SECONDS
    )
    go.touch()
    ended, _ = success(server, execution)
    first = only(ended).attempts[0].error
    assert first is not None
    return f"{first.code}: {first.message}"


def test_a_lost_scheduler_is_a_new_attempt(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-scheduler"
    execution = launching.launch_task(jobs, "lasting.stays", text=str(go))
    until_running(cluster)
    (name,) = cluster.pods("scheduler")
    cluster.run("delete", "pod", name, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    assert again(jobs, execution, go).startswith("DaskSchedulerLost")
    until_clean(cluster)


def test_a_scheduler_that_is_replaced_while_no_platform_runs_is_a_new_attempt(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-replaced"
    execution = launching.launch_task(jobs, "lasting.stays", text=str(go))
    until_running(cluster)
    launching.wait_until(lambda: "Scheduler at" in log_of(jobs, execution, "scheduler"), "its log", PATIENCE_SECONDS)
    before = cluster.pods("scheduler").keys()
    jobs.kill()
    cluster.run("delete", "pod", *before, "--namespace", NAMESPACE, "--grace-period=0", "--force")
    launching.wait_until(
        lambda: running(cluster, "scheduler") and cluster.pods("scheduler").keys() != before,
        "another scheduler",
        PATIENCE_SECONDS,
    )
    jobs.start()
    told = again(jobs, execution, go)
    assert told.startswith("DaskSchedulerLost"), told
    assert "while no platform ran" in told
    until_clean(cluster)


def test_a_task_goes_on_without_the_cluster_that_it_has_shut_down(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-alone"
    execution = launching.launch_task(jobs, "lasting.shuts_down", text=str(go))
    until_reason(jobs, execution, "ended as it was told to")
    until_running(cluster)  # as its Deployments have it
    go.touch()
    ended, outputs = success(jobs, execution)
    assert outputs == {"o0": "3"}
    assert len(only(ended).attempts) == 1
    until_clean(cluster)


def test_a_dask_job_that_somebody_deletes_is_a_new_attempt(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-deleted"
    execution = launching.launch_task(jobs, "lasting.stays", text=str(go))
    until_running(cluster)
    (job,) = cluster.get("daskjobs")
    cluster.run("delete", "daskjob", job["metadata"]["name"], "--namespace", NAMESPACE)
    told = again(jobs, execution, go)
    assert "somebody deleted it" in told, told
    until_clean(cluster)


def test_an_abort_takes_all_of_it_away(jobs: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(jobs, "lasting.stays", text="/never")
    until_running(cluster)
    abort(jobs, execution)
    until_clean(cluster)


def test_it_belongs_to_its_execution_and_goes_with_that(jobs: Server, cluster: Cluster) -> None:
    resources = workflows.Workflows(NAMESPACE)
    execution = launching.launch_task(jobs, "lasting.stays", text="/never")
    resources.until_phase(execution.name, "RUNNING")
    until_running(cluster)
    (job,) = cluster.get("daskjobs")
    (owner,) = job["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("FlyteWorkflow", execution.name)
    cluster.run("delete", workflows.PLURAL, execution.name, "--namespace", NAMESPACE, "--timeout=60s")
    assert launching.look(jobs, execution).phase.name == "ABORTED"
    until_clean(cluster)


def test_a_killed_platform_takes_its_dask_job_back(jobs: Server, cluster: Cluster) -> None:
    go = jobs.folder / "go-on"
    execution = launching.launch_task(jobs, "lasting.holds", text=str(go))
    until_running(cluster)
    before = cluster.pods().keys()
    jobs.kill()
    jobs.start()
    assert cluster.pods().keys() == before
    go.touch()
    ended, outputs = success(jobs, execution)
    assert outputs == {"o0": "28"}
    assert len(only(ended).attempts) == 1
    until_clean(cluster)


def test_an_abort_needs_no_operator(jobs: Server, cluster: Cluster, operator: Operator) -> None:
    execution = launching.launch_task(jobs, "lasting.stays", text="/never")
    until_running(cluster)
    operator.kill()
    try:
        abort(jobs, execution)
        until_clean(cluster)
    finally:
        operator.start()


def test_a_dask_job_that_nobody_takes_up_is_told(jobs: Server, cluster: Cluster, operator: Operator) -> None:
    operator.stop()
    try:
        execution = launching.launch_task(jobs, "lasting.stays", text="/never")
        until_reason(jobs, execution, "to take it up")
        ended, _ = launching.wait(jobs, execution, PATIENCE_SECONDS)
        assert ended.error is not None
        assert "DaskOperatorAbsent" in ended.error.code, ended.error
        assert f"watches namespace {NAMESPACE}" in ended.error.message
        until_clean(cluster)
    finally:
        operator.start()


def test_the_number_of_workers_follows_the_work(jobs: Server, cluster: Cluster) -> None:
    execution = launching.launch_task(jobs, "jobbed.scaled", text="")
    ended, outputs = success(jobs, execution)
    assert outputs == {"o0": "[2, 1] 49"}
    (attempt,) = only(ended).attempts
    assert "made anew" not in attempt.reason
    until_clean(cluster)


def test_what_keeps_its_pods_from_being_made_is_told(jobs: Server, cluster: Cluster) -> None:
    quota = {
        "apiVersion": "v1",
        "kind": "ResourceQuota",
        "metadata": {"name": "none", "namespace": NAMESPACE},
        "spec": {"hard": {"pods": "0"}},
    }
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, quota])

    def in_force() -> bool:
        told = cluster.run("get", "resourcequota", "none", "--namespace", NAMESPACE, "--output", "jsonpath={.status}")
        return "hard" in told

    try:
        launching.wait_until(in_force, "the quota to be counted")
        execution = launching.launch_task(jobs, "lasting.stays", text="/never")
        until_reason(jobs, execution, "exceeded quota")
        abort(jobs, execution)
        until_clean(cluster)
    finally:
        cluster.run("delete", "resourcequota", "none", "--namespace", NAMESPACE)
