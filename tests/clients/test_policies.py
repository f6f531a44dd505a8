"""Retries, timeouts, memory limits, aborts, attribute paths: through a real server, with real processes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("policies") / "data") as server:
        done = server.pyflyte("register", "--version", "v1", "policies.py", cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield server


def run(server: Server, workflow: str, **inputs: str):
    return launching.wait(server, launching.launch(server, f"policies.{workflow}", **inputs))


def test_a_recoverable_failure_is_retried(server: Server) -> None:
    ended, outputs = run(server, "third_time_lucky")
    assert ended.phase is ExecutionPhase.SUCCEEDED
    assert outputs == {"o0": 2}
    (node,) = ended.nodes
    assert [attempt.phase for attempt in node.attempts] == [AttemptPhase.FAILED] * 2 + [AttemptPhase.SUCCEEDED]
    assert "not yet, this is attempt 1" in node.attempts[1].error.message


def test_retries_are_exhausted(server: Server) -> None:
    ended, _ = run(server, "exhausted")
    assert ended.phase is ExecutionPhase.FAILED
    assert len(ended.nodes[0].attempts) == 2
    assert ended.error.code.startswith("RetriesExhausted|")
    assert "not now, not ever" in ended.error.message


def test_a_task_that_hangs_is_timed_out(server: Server) -> None:
    ended, _ = run(server, "timed_out")
    assert ended.phase is ExecutionPhase.FAILED
    assert ended.nodes[0].phase in (NodePhase.FAILED, NodePhase.TIMED_OUT)
    assert "TimeoutExpired" in ended.error.code or "Timeout" in ended.error.code


def test_a_task_over_its_memory_is_told_so(server: Server) -> None:
    ended, _ = run(server, "out_of_memory")
    assert ended.phase is ExecutionPhase.FAILED
    assert "OOMKilled" in ended.error.code
    assert "300" in ended.error.message


def test_a_crash_is_a_system_failure_and_retried(server: Server) -> None:
    ended, _ = run(server, "crashes")
    assert ended.phase is ExecutionPhase.FAILED
    assert len(ended.nodes[0].attempts) == 4
    assert "exit code 3" in ended.error.message


def test_a_command_without_outputs_succeeds_by_its_exit(server: Server) -> None:
    ended, outputs = run(server, "commands")
    assert ended.phase is ExecutionPhase.SUCCEEDED
    assert outputs == {}


def test_attribute_paths_are_followed(server: Server) -> None:
    _, outputs = run(server, "attributes")
    assert outputs == {"o0": "0.5 b 3"}


@pytest.mark.parametrize("workflow", ["waits", "waits_on_cluster"])
def test_an_abort_ends_everything(server: Server, tmp_path: Path, workflow: str) -> None:
    execution = launching.launch(server, f"policies.{workflow}", folder=str(tmp_path))
    launching.wait_until((tmp_path / "started").exists, "the task's start")
    launching.abort(server, execution, "enough of it")
    assert launching.look(server, execution).phase in (ExecutionPhase.ABORTING, ExecutionPhase.ABORTED)
    ended, _ = launching.wait(server, execution)
    assert ended.phase is ExecutionPhase.ABORTED
    assert ended.abort_cause == "enough of it"
    assert ended.nodes[0].phase is NodePhase.ABORTED
    assert ended.nodes[0].attempts[0].phase is AttemptPhase.ABORTED
    groups = server.folder / "run" / "groups"
    launching.wait_until(lambda: not any(groups.iterdir()), "the group's record to go")


def test_a_daemon_ends_with_its_task(server: Server, tmp_path: Path) -> None:
    ended, outputs = run(server, "leaves_a_daemon", folder=str(tmp_path))
    assert ended.phase is ExecutionPhase.SUCCEEDED
    assert not os.path.exists(f"/proc/{outputs['o0']}")
