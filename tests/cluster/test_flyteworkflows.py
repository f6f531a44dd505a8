"""Executions as `FlyteWorkflow` resources of a real cluster: shown, deleted, and started by people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.model.identifiers import ExecutionId
from tests.cluster.workflows import NAMESPACE, PLATFORM, PLURAL, Workflows, install_kind, platform, require_namespace
from tests.platforms import launching
from tests.platforms.server import Server

DOCS = Path(__file__).parents[2] / "docs" / "kubernetes.md"


@pytest.fixture(scope="module")
def workflows() -> Workflows:
    install_kind()
    require_namespace(NAMESPACE)
    return Workflows(NAMESPACE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, workflows: Workflows, account: Path) -> Iterator[Server]:
    with platform(tmp_path_factory.mktemp("workflows") / "data", account) as server:
        yield server
    launching.wait_until(lambda: not workflows.left(), "everything to be gone")
    workflows.run("delete", PLURAL, "--all", "--namespace", NAMESPACE, "--timeout=30s")


def test_an_execution_shows_with_its_nodes_and_its_end(server: Server, workflows: Workflows) -> None:
    go = server.folder / "go-shown"
    execution = launching.launch(server, "reports.waiting", text=str(go))
    workflows.until_running(execution)
    launching.wait_until(lambda: workflows.status(execution.name).get("progress") == "0/1", "the nodes to be counted")
    table = workflows.run("get", PLURAL, "--namespace", NAMESPACE)
    print(table)
    head, *rows = table.splitlines()
    assert re.split(r" {2,}", head.strip()) == ["NAME", "PHASE", "WORKFLOW", "LAUNCH PLAN", "NODES", "AGE", "MESSAGE"]
    (row,) = [row for row in rows if row.startswith(execution.name)]
    assert row.split()[1:5] == ["RUNNING", "reports.waiting", "reports.waiting", "0/1"]
    (pod,) = workflows.pods(execution=execution.name).values()
    (owner,) = pod["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"]) == ("FlyteWorkflow", execution.name)
    go.touch()
    status = workflows.until_phase(execution.name, "SUCCEEDED")
    assert status["progress"] == "1/1"
    assert status["endedAt"] >= status["startedAt"]
    assert status["outputsUri"].endswith("outputs.pb")
    assert status["console"].endswith(f"/executions/{execution.name}")
    launching.wait_until(lambda: not workflows.left(), "the pods to be gone")
    made = workflows.find(execution.name)
    assert made is not None
    assert made["spec"]["launchPlan"] == {
        "project": "flytesnacks",
        "domain": "development",
        "name": "reports.waiting",
        "version": "v1",
    }
    # Nothing is left of it, so that it may go whenever somebody deletes it, whether a platform runs or not.
    launching.wait_until(
        lambda: not (workflows.find(execution.name) or {})["metadata"].get("finalizers"), "it to be released"
    )


def test_a_failure_is_told_with_its_kind(server: Server, workflows: Workflows) -> None:
    execution = launching.launch(server, "reports.failing", text="May")
    status = workflows.until_phase(execution.name, "FAILED")
    assert status["error"]["kind"] == "USER"
    assert "ValueError: no report for May" in status["error"]["message"]
    assert status["message"].endswith("ValueError: no report for May")


def test_deleting_it_aborts_the_execution_and_takes_all_away(server: Server, workflows: Workflows) -> None:
    execution = launching.launch(server, "reports.waiting", text="/never")
    workflows.until_running(execution)
    # As people type it: it returns when the resource is gone.
    workflows.run("delete", PLURAL, execution.name, "--namespace", NAMESPACE, "--timeout=60s")
    assert workflows.pods(execution=execution.name) == {}
    ended = launching.look(server, execution)
    assert ended.phase.name == "ABORTED"
    assert ended.abort_cause == f"FlyteWorkflow {NAMESPACE}/{execution.name} was deleted."


def test_deleting_it_while_no_platform_runs_aborts_when_there_is_one(server: Server, workflows: Workflows) -> None:
    execution = launching.launch(server, "reports.waiting", text="/never")
    workflows.until_running(execution)
    server.kill()
    workflows.delete(execution.name)
    assert workflows.find(execution.name) is not None
    server.start()
    workflows.until_gone(execution.name)
    assert launching.look(server, execution).phase.name == "ABORTED"


def test_its_pods_go_at_once_where_that_is_asked_for(server: Server, workflows: Workflows) -> None:
    execution = launching.launch(server, "reports.waiting", text="/never")
    workflows.until_running(execution)
    server.kill()
    workflows.delete(execution.name, "--cascade=foreground")
    launching.wait_until(lambda: not workflows.left(), "Kubernetes itself to remove the pods")
    server.start()
    workflows.until_gone(execution.name)
    assert launching.look(server, execution).phase.name == "ABORTED"


def test_a_killed_platform_goes_on_with_what_is_there(server: Server, workflows: Workflows) -> None:
    go = server.folder / "go-on"
    execution = launching.launch(server, "reports.waiting", text=str(go))
    workflows.until_running(execution)
    server.kill()
    server.start()
    go.touch()
    workflows.until_phase(execution.name, "SUCCEEDED")
    assert len(launching.look(server, execution).nodes[0].attempts) == 1


def test_the_manifest_of_the_documentation_runs_to_its_result(server: Server, workflows: Workflows) -> None:
    (manifest,) = re.findall(r"```yaml\n(.*?kind: FlyteWorkflow.*?)```", DOCS.read_text(), flags=re.DOTALL)
    assert "dayfly.dev/platform: dayfly\n" in manifest
    manifest = manifest.replace("dayfly.dev/platform: dayfly\n", f"dayfly.dev/platform: {PLATFORM}\n")
    manifest = manifest.replace("namespace: flytesnacks-development", f"namespace: {NAMESPACE}")
    workflows.run("apply", "--filename", "-", given=manifest)
    status = workflows.until_phase("november", "SUCCEEDED", "FAILED", "REFUSED")
    assert status["outputs"] == {"o0": "Quarter 2026-11 500 5400 north+south", "o1": 36}, status
    assert status["progress"] == "2/2"
    made = workflows.find("november")
    assert made is not None
    execution = made["status"]["executionId"]
    assert (execution["project"], execution["domain"]) == ("flytesnacks", "development")
    workflows.delete("november")
    workflows.until_gone("november")


PLAN = {"name": "reports.monthly"}


@pytest.mark.parametrize(
    ("name", "plan", "inputs", "said"),
    [
        (
            "no-such-plan",
            {"name": "reports.yearly"},
            {},
            "There is no launch plan 'reports.yearly' in project 'flytesnacks', domain 'development', in any version. "
            "Register it, or correct spec.launchPlan.",
        ),
        (
            "no-such-version",
            {"name": "reports.monthly", "version": "v9"},
            {},
            "There is no launch plan 'reports.monthly' in project 'flytesnacks', domain 'development', in version "
            "'v9'. Register it, or correct spec.launchPlan.",
        ),
        (
            "wrong-inputs",
            PLAN,
            {"month": "soon", "rows": "3", "colour": "red"},
            "spec.inputs.colour is unknown; spec.inputs.month is the text 'soon', and datetime is declared; "
            "spec.inputs.rows is the text '3', and int is declared. The inputs that can be given are: every",
        ),
        ("missing-inputs", PLAN, {"month": "2026-11-01"}, "spec.inputs lacks regions (list[str])."),
        ("without-plan", None, {}, "spec.launchPlan is missing. Name the launch plan to be started."),
    ],
)
def test_what_cannot_be_started_says_why(
    server: Server, workflows: Workflows, name: str, plan: dict[str, str] | None, inputs: dict[str, object], said: str
) -> None:
    workflows.ask_for(name, plan, **inputs)
    status = workflows.until_phase(name, "REFUSED", "FAILED", "QUEUED", "RUNNING")
    assert status["phase"] == "REFUSED"
    assert said in status["error"]["message"]
    assert status["error"]["kind"] == "USER"
    workflows.run("delete", PLURAL, name, "--namespace", NAMESPACE, "--timeout=30s")


def test_what_was_refused_is_tried_again_once_it_is_corrected(server: Server, workflows: Workflows) -> None:
    workflows.ask_for("corrected", {"name": "reports.failing"}, text=3)
    workflows.until_phase("corrected", "REFUSED")
    workflows.ask_for("corrected", {"name": "reports.failing"}, text="")
    status = workflows.until_phase("corrected", "SUCCEEDED", "FAILED")
    assert status["phase"] == "SUCCEEDED", status
    assert "error" not in status
    assert status["outputs"] == {"o0": ""}


def test_deleting_a_users_own_aborts_what_it_has_started(server: Server, workflows: Workflows) -> None:
    workflows.ask_for("mine", {"name": "reports.waiting"}, text="/never")
    name = workflows.until_phase("mine", "RUNNING")["executionId"]["name"]
    # An old kubelet sees only after 90 s that a pod was deleted whose container it was about to start.
    workflows.until_running(ExecutionId(launching.PROJECT, launching.DOMAIN, name))
    (pod,) = workflows.pods(execution=name).values()
    assert pod["metadata"]["ownerReferences"][0]["name"] == "mine"
    # It is the execution's only resource: there is no other of the platform's own.
    assert workflows.find(name) is None
    workflows.delete("mine")
    workflows.until_gone("mine")
