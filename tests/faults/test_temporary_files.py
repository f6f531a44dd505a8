"""Temporary files of a platform that was killed, and of its fork servers, go with the next one."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.platforms import launching
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parents[1] / "clients" / "programs"


def test_nothing_is_left_of_what_was_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    with Server(tmp_path / "data") as server:
        before = set(temporary.iterdir())
        done = server.pyflyte("register", "--version", "v1", "policies.py", cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        of_pyflyte = set(temporary.iterdir()) - before
        launching.wait(server, launching.launch(server, "policies.attributes"))
        server.kill()
        for line in server.leftovers():
            os.kill(int(line.split(":")[0]), signal.SIGKILL)
        server.start()
    assert set(temporary.iterdir()) == of_pyflyte
    assert not (tmp_path / "data" / "scratch").is_symlink()
    left = (tmp_path / "data" / "run" / "forkservers").iterdir()
    assert {path.suffix for path in left} == {".log"}
