"""Tasks that connectors do: flytekit's file sensor, connectors of one's own, and what nobody does."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

import pytest
from flyteidl.core import catalog_pb2, execution_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import launching, remotes
from tests.platforms.server import Server

from dayfly import secrets
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.secrets.folder import Name, Scope

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_CONNECTORS__MODULES", "own_connectors")
        patch.setenv("DAYFLY_CONNECTORS__POLL_SECONDS", "0.2")
        patch.setenv("PYTHONPATH", str(PROGRAMS))
        folder = tmp_path_factory.mktemp("elsewhere")
        with sqlite3.connect(folder / "there.db") as database:
            database.execute("create table tracks (id integer, name text)")
            database.executemany("insert into tracks values (?, ?)", [(1, "one"), (2, "two"), (3, "three")])
        patch.setenv("ELSEWHERE_DATABASE", str(folder / "there.db"))
        server = Server(folder / "data").start()
        secrets.open_folder(server.folder).put(Scope(), Name("api", "token"), b"hunter-77")
        with server:
            done = server.pyflyte("register", "--version", "v1", "elsewhere.py", cwd=PROGRAMS)
            assert done.returncode == 0, done.stdout + done.stderr
            yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.connect(server)


def start(remote: FlyteRemote, workflow: str, **inputs: object) -> FlyteWorkflowExecution:
    plan = remote.fetch_launch_plan(name=f"elsewhere.{workflow}", version=launching.VERSION)
    return remote.execute(plan, inputs=inputs)


def run(remote: FlyteRemote, workflow: str, **inputs: object) -> FlyteWorkflowExecution:
    ended = remotes.wait(remote, start(remote, workflow, **inputs))
    assert ended.closure.phase == execution_pb2.WorkflowExecution.SUCCEEDED, ended.error
    return ended


def launch(server: Server, workflow: str, **inputs: str) -> ExecutionId:
    return launching.launch(server, f"elsewhere.{workflow}", **inputs)


def wait_until_running(server: Server, execution: ExecutionId) -> None:
    def running() -> bool:
        nodes = launching.look(server, execution).nodes
        return bool(nodes) and nodes[0].phase is NodePhase.RUNNING

    launching.wait_until(running, "the node to run")


def test_a_file_sensor_waits_for_its_file(server: Server, tmp_path: Path) -> None:
    execution = launch(server, "waits_for_a_file", path=str(tmp_path / "there"))
    wait_until_running(server, execution)
    (tmp_path / "there").touch()
    ended, _ = launching.wait(server, execution)
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error


def test_a_job_is_asked_about_until_it_is_over(server: Server, tmp_path: Path) -> None:
    execution = launch(server, "runs_a_job", folder=str(tmp_path))
    launching.wait_until((tmp_path / "created").exists, "the job")
    wait_until_running(server, execution)
    (tmp_path / "go").touch()
    ended, outputs = launching.wait(server, execution)
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": 42}), ended.error
    assert "the job is busy" in [told for _, told in ended.nodes[0].attempts[0].reasons]


def test_a_job_that_fails_says_why(server: Server, tmp_path: Path) -> None:
    (tmp_path / "fail").touch()
    ended, _ = launching.wait(server, launch(server, "runs_a_job", folder=str(tmp_path)))
    assert ended.phase is ExecutionPhase.FAILED
    assert ended.error.code == "TaskFailedWithError"
    assert ended.error.message.startswith("the job says no\n\nFailed at: runs_a_job > n0 ")


def test_a_job_that_is_not_taken_says_why(server: Server) -> None:
    ended, _ = launching.wait(server, launch(server, "runs_a_job", folder="nowhere"))
    assert (ended.phase, ended.error.code) == (ExecutionPhase.FAILED, "ConnectorError")
    assert "there is no such folder" in ended.error.message


def test_an_abort_deletes_the_job(server: Server, tmp_path: Path) -> None:
    execution = launch(server, "runs_a_job", folder=str(tmp_path))
    launching.wait_until((tmp_path / "created").exists, "the job")
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert ended.phase is ExecutionPhase.ABORTED
    assert ended.nodes[0].attempts[0].phase is AttemptPhase.ABORTED
    launching.wait_until((tmp_path / "deleted").exists, "the job to be deleted")


def test_a_connector_that_answers_at_once(server: Server) -> None:
    ended, outputs = launching.wait(server, launch(server, "greets", name="Ann"))
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": "hello Ann"}), ended.error


def test_an_echo(server: Server) -> None:
    ended, outputs = launching.wait(server, launch(server, "echoes", word="same"))
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"b": "same"} if "b" in outputs else {"o0": "same"})


def test_a_type_that_nobody_knows_is_a_clear_end(server: Server) -> None:
    ended, _ = launching.wait(server, launch(server, "asks_the_impossible"))
    assert (ended.phase, ended.error.code) == (ExecutionPhase.FAILED, "BadTaskSpecification")
    assert "'nobody_knows_this'" in ended.error.message
    assert len(ended.nodes[0].attempts) == 1


def test_a_job_that_may_be_tried_again_is(server: Server, tmp_path: Path) -> None:
    for name in ("flaky", "go"):
        (tmp_path / name).touch()
    ended, outputs = launching.wait(server, launch(server, "retries_a_job", folder=str(tmp_path)))
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": 42}), ended.error
    first, second = ended.nodes[0].attempts
    assert (first.phase, second.phase) == (AttemptPhase.FAILED, AttemptPhase.SUCCEEDED)
    assert "the job says not yet" in first.error.message


def test_a_job_that_takes_too_long_is_deleted(server: Server, tmp_path: Path) -> None:
    ended, _ = launching.wait(server, launch(server, "gives_up_a_job", folder=str(tmp_path)))
    assert ended.phase is ExecutionPhase.FAILED
    assert "TimeoutExpired" in ended.error.code
    launching.wait_until((tmp_path / "deleted").exists, "the job to be deleted")


def test_what_a_connector_answered_is_cached(remote: FlyteRemote) -> None:
    first, second = (run(remote, "greets_once", name="Bea") for _ in range(2))
    assert first.outputs == second.outputs == {"o0": "hello Bea"}
    found = [one.node_executions["n0"].closure.task_node_metadata.cache_status for one in (first, second)]
    assert found == [catalog_pb2.CACHE_POPULATED, catalog_pb2.CACHE_HIT]


def test_a_query_goes_to_its_connector_which_has_the_secrets_of_all(remote: FlyteRemote) -> None:
    assert run(remote, "queries", least=1).outputs == {"o0": "two,three"}


def test_what_runs_elsewhere_is_mapped(remote: FlyteRemote) -> None:
    assert run(remote, "maps_greetings", names=["a", "b"]).outputs == {"o0": ["hello a", "hello b"]}
    assert run(remote, "maps_echoes", words=["a", "b"]).outputs == {"o0": ["a", "b"]}


def test_an_abort_deletes_every_element(remote: FlyteRemote, tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    execution = start(remote, "maps_jobs", folders=[str(folder) for folder in folders])
    launching.wait_until(lambda: all((folder / "created").exists() for folder in folders), "the jobs")
    remote.terminate(execution, "enough")
    ended = remotes.wait(remote, execution)
    assert ended.closure.phase == execution_pb2.WorkflowExecution.ABORTED
    launching.wait_until(lambda: all((folder / "deleted").exists() for folder in folders), "the jobs to be deleted")


def test_dynamic_workflows_have_things_done_elsewhere(remote: FlyteRemote) -> None:
    assert run(remote, "grows_greetings", names=["a", "b"]).outputs == {"o0": ["hello a", "hello b"]}


def test_a_killed_platform_and_killed_connectors_lose_no_job(server: Server, tmp_path: Path) -> None:
    execution = launch(server, "runs_a_job", folder=str(tmp_path))
    launching.wait_until((tmp_path / "created").exists, "the job")
    wait_until_running(server, execution)
    (host,) = [told for told in server.leftovers() if "connector/host.py" in told]
    os.kill(int(host.partition(":")[0]), 9)
    server.kill()
    server.start()
    (tmp_path / "go").touch()
    ended, outputs = launching.wait(server, execution)
    assert (ended.phase, outputs, len(ended.nodes[0].attempts)) == (ExecutionPhase.SUCCEEDED, {"o0": 42}, 1)
