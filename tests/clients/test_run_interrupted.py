"""Ctrl-C and SIGTERM in the middle of `dayfly run`: what it started ends with it, what it only watched goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import uuid
from pathlib import Path

import pytest
from tests.platforms import launching
from tests.platforms.server import BIN, MARK, Server

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "policies.py"


def run_until_it_runs(*words: object, mark: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [BIN / "dayfly", "run", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, MARK: mark},
        text=True,
    )
    assert started.stdout is not None
    assert any(line.startswith("RUNNING") for line in started.stdout)
    return started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_server_of_its_own_ends_with_it(tmp_path: Path, number: int) -> None:
    server = Server(tmp_path / "data")
    run = run_until_it_runs("--data", server.folder, PROGRAM, "waits", "--folder", tmp_path, mark=server.mark)
    run.send_signal(number)
    _, told = run.communicate(timeout=60)
    assert run.returncode == 130, told
    assert "Ending" in told
    assert server.wait_until_clean() == []
    assert list((server.folder / "run" / "groups").iterdir()) == []


def test_a_running_server_goes_on(tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        run = run_until_it_runs(
            "--config", server.config, PROGRAM, "waits", "--folder", tmp_path, mark=uuid.uuid4().hex
        )
        run.send_signal(signal.SIGINT)
        _, told = run.communicate(timeout=60)
        assert run.returncode == 130
        assert "goes on; see it again with: dayfly watch" in told
        execution = ExecutionId(launching.PROJECT, launching.DOMAIN, told.split()[0])
        assert launching.look(server, execution).phase is ExecutionPhase.RUNNING
        launching.abort(server, execution, "enough")
        ended, _ = launching.wait(server, execution)
        assert ended.phase is ExecutionPhase.ABORTED
