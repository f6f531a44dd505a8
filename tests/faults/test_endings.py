"""Ends of the platform and of its parts, with a task or a cluster under way: nothing is lost and nothing is left."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from dayfly.model.phases import ExecutionPhase
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parents[1] / "clients" / "programs"
WORKFLOWS = ["waits", "waits_on_cluster"]


def start(folder: Path) -> Server:
    server = Server(folder)
    server.start()
    done = server.pyflyte("register", "--version", "v1", "policies.py", cwd=PROGRAMS)
    assert done.returncode == 0, done.stdout + done.stderr
    return server


def begin(server: Server, workflow: str, folder: Path):
    execution = launching.launch(server, f"policies.{workflow}", folder=str(folder))
    launching.wait_until((folder / "started").exists, "the task's start")
    return execution


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_ctrl_c_ends_tasks_and_the_next_start_goes_on(tmp_path: Path, workflow: str) -> None:
    with start(tmp_path / "data") as server:
        execution = begin(server, workflow, tmp_path)
        assert server.stop() == 0
        assert server.wait_until_clean() == []
        (tmp_path / "go").touch()
        server.start()
        ended, outputs = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        assert outputs == {"o0": 42}
        first, _ = ended.nodes[0].attempts
        assert "Interrupted" in first.error.code
        assert first.error.kind == "SYSTEM"


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_a_killed_platform_takes_back_what_runs(tmp_path: Path, workflow: str) -> None:
    with start(tmp_path / "data") as server:
        execution = begin(server, workflow, tmp_path)
        server.kill()
        server.start()
        (tmp_path / "go").touch()
        ended, outputs = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        assert outputs == {"o0": 42}
        assert len(ended.nodes[0].attempts) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_what_ends_while_there_is_no_platform_is_not_lost(tmp_path: Path, workflow: str) -> None:
    with start(tmp_path / "data") as server:
        execution = begin(server, workflow, tmp_path)
        server.kill()
        (tmp_path / "go").touch()
        groups = server.folder / "run" / "groups"
        launching.wait_until(lambda: list(groups.glob("*/end.json")), "the group's end")
        server.start()
        ended, outputs = launching.wait(server, execution)
        assert outputs == {"o0": 42}
        assert len(ended.nodes[0].attempts) == 1


@pytest.mark.parametrize("workflow", WORKFLOWS)
def test_without_a_platform_all_ends_with_the_lease(
    tmp_path: Path, workflow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYFLY_LEASE__GROUP_SECONDS", "1")
    monkeypatch.setenv("DAYFLY_HOST__GRACE_SECONDS", "1")
    with start(tmp_path / "data") as server:
        execution = begin(server, workflow, tmp_path)
        server.kill()
        assert server.wait_until_clean() == []
        (tmp_path / "go").touch()
        server.start()
        ended, outputs = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        assert outputs == {"o0": 42}
        assert len(ended.nodes[0].attempts) == 2


def test_the_fork_server_of_a_cluster_is_killed(tmp_path: Path) -> None:
    with start(tmp_path / "data") as server:
        execution = begin(server, "waits_on_cluster", tmp_path)
        members = find_members(server)
        assert len(members) >= 4, "scheduler, two workers and driver"
        supervisor = parent_of(members[0])
        os.kill(parent_of(supervisor), signal.SIGKILL)
        (tmp_path / "go").touch()
        ended, outputs = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        assert outputs == {"o0": 42}
        assert ended.nodes[0].attempts[0].error.kind == "SYSTEM"
        launching.wait_until(
            lambda: not any(Path(f"/proc/{pid}").exists() for pid in [*members, supervisor]), "the old processes to go"
        )


def find_members(server: Server) -> list[int]:
    """Return the processes that work in a group's folder."""
    found = []
    for line in server.leftovers():
        pid = int(line.split(":")[0])
        try:
            place = Path(f"/proc/{pid}/cwd").readlink()
        except OSError:
            continue
        if place.is_relative_to(server.folder):
            found.append(pid)
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
