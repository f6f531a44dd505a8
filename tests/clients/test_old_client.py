"""An older flytekit, with the libraries of its time, in an environment of its own: `requirements-old-client.lock`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

ROOT = Path(__file__).parents[2]
OLD = ROOT / ".venv-old" / "bin"
PROGRAMS = Path(__file__).parent / "programs"
VERSION = "1.15.4"
OLDER_DASK = "2025.4.1"
WAIT = ("--remote", "--wait", "--poll-interval", "1")
UNREACHABLE = "error sending request"
"""How uv says that no package index answers; any other failure to install is one of this test."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = subprocess.run(["make", "old-client"], cwd=ROOT, capture_output=True, text=True)
    if made.returncode and UNREACHABLE in made.stderr:
        pytest.skip(f"the older flytekit cannot be installed, since no package index answers: {made.stderr}")
    assert made.returncode == 0, made.stdout + made.stderr
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_HOST__ENVIRONMENTS", json.dumps({"*/older:*": str(OLD / "python")}))
        running = Server(tmp_path_factory.mktemp("older") / "data").start()
    with running:
        yield running


def run(server: Server, command: str, *words: object) -> str:
    """Run a command of the older environment, and return what it said."""
    argv = [OLD / command, *[str(word) for word in words]]
    done = subprocess.run(argv, cwd=PROGRAMS, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_registers_and_its_remote_fetches_executes_waits_and_syncs(server: Server) -> None:
    said = run(server, "pyflyte", "--config", server.config, "register", "--version", "v1", "older.py")
    assert "Successfully registered" in said
    told = json.loads(run(server, "python", "old_client.py", server.config, "v1").splitlines()[-1])
    assert "as it was meant to" in told.pop("error")
    assert told == {
        "flytekit": VERSION,
        "interface": ["words", "x"],
        "nodes": ["n0", "n1", "n2", "n3"],
        "is mapped": True,
        "ran": {"start-node": 3, "n0": 3, "n1": 3, "n2": 3, "n3": 3, "end-node": 3},
        "double gave": 8,
        "outputs": ["8 a-b", 16],
        "logs": True,
        "mapped": [2, 4],
        "plan": 200,
        "task": 42,
        "recent": True,
    }


def test_it_runs_and_waits_from_the_command_line(server: Server) -> None:
    given = ("--name", "older-runs", "older.py", "chain", "--x", 3, "--words", '["y"]')
    said = run(server, "pyflyte", "--config", server.config, "run", *WAIT, *given)
    assert "older-runs" in said
    ended, outputs = launching.wait(server, ExecutionId(launching.PROJECT, launching.DOMAIN, "older-runs"))
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": "6 y", "o1": 12}), ended.error


def test_its_tasks_run_with_it_where_its_image_says_so(server: Server) -> None:
    given = ("--image", "example.org/older:1", "--name", "by-whom", "older.py", "by_whom")
    run(server, "pyflyte", "--config", server.config, "run", *WAIT, *given)
    ended, outputs = launching.wait(server, ExecutionId(launching.PROJECT, launching.DOMAIN, "by-whom"))
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": VERSION}), ended.error


def test_a_cluster_of_an_older_dask_is_watched_like_one_of_todays(server: Server) -> None:
    """`dask-worker` and `dask-scheduler` were still there then: they are gone since distributed 2026.6."""
    given = ("--image", "example.org/older:1", "--name", "by-which", "older_dask.py", "by_which")
    run(server, "pyflyte", "--config", server.config, "run", *WAIT, *given)
    execution = ExecutionId(launching.PROJECT, launching.DOMAIN, "by-which")
    ended, outputs = launching.wait(server, execution)
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": [OLDER_DASK]}), ended.error
    (node,) = [node for node in ended.nodes if node.attempts]
    at = f"http://{server.address}/api/dayfly/v1/clusters/{execution}/{node.id}/0"
    record = requests.get(at, timeout=30).json()["record"]
    assert {prefix["name"]: prefix["done"] for prefix in record["prefixes"]} == {"version": 20}
    # The task begins with half of them, and may be over before the other has joined.
    names = {worker["name"] for worker in record["workers"]}
    assert names and names <= {"worker-0", "worker-1"}
    assert not [event for event in record["events"] if event["kind"] in ("task-erred", "worker-lost")]
