"""`dayfly top` in a terminal of its own, against a real server: a run is found, opened, left and aborted."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.platforms import launching, remotes
from tests.platforms.server import BIN, Server

from dayfly.model.identifiers import ExecutionId

PROGRAM = Path(__file__).parents[1] / "browser" / "programs" / "showcase.py"
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")
SECONDS = 60.0


class Terminal:
    """A program in a terminal. `screen` is the last frame that it drew, without colours."""

    def __init__(self, *words: object) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
        self.process = subprocess.Popen(
            [str(word) for word in words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(theirs)
        self._sent = ""

    def press(self, keys: str) -> None:
        os.write(self._ours, keys.encode())

    @property
    def screen(self) -> str:
        return CODES.sub("", self._sent.rpartition("\x1b[H")[2])

    def wait_for(self, text: str) -> str:
        """Return the screen once it has a text."""
        deadline = time.monotonic() + SECONDS
        while text not in self.screen:
            assert time.monotonic() < deadline, f"no {text!r} on\n{self.screen}"
            self._read()
        return self.screen

    def wait_until_over(self) -> int:
        deadline = time.monotonic() + SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read()
        return self.process.wait(timeout=1)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._ours)

    def _read(self) -> None:
        if select.select([self._ours], [], [], 0.2)[0]:
            with contextlib.suppress(OSError):  # It has ended.
                self._sent += os.read(self._ours, 65536).decode(errors="replace")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("top") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def busy(server: Server, tmp_path_factory: pytest.TempPathFactory) -> ExecutionId:
    """A Dask task that goes on until it is aborted."""
    remote = remotes.register(server, PROGRAM)
    task = remote.fetch_task(name="showcase.simulate", version=launching.VERSION)
    never = tmp_path_factory.mktemp("never") / "file"
    remote.execute(task, inputs={"until": str(never), "seconds": 0.02}, execution_name="busy")
    return ExecutionId(launching.PROJECT, launching.DOMAIN, "busy")


def test_without_a_terminal_it_says_what_to_do(server: Server) -> None:
    done = server.dayfly("top", "--config", server.config)
    assert done.returncode == 2
    assert "--once" in done.stderr


def test_once_is_one_frame_for_programs(server: Server, busy: ExecutionId) -> None:
    launching.wait_until(lambda: "2/2" in server.dayfly("top", "--once", "--config", server.config).stdout, "a cluster")
    told = server.dayfly("top", "--once", "--all", "--config", server.config)
    assert told.returncode == 0
    assert "all projects · 1 running" in told.stdout
    assert "flytesnacks/development/busy" in told.stdout
    assert "\x1b" not in told.stdout

    def records() -> bool:
        one = server.dayfly("top", busy.name, "--once", "--config", server.config).stdout
        return "slow_square" in one and "worker-1" in one

    launching.wait_until(records, "the first second of the cluster's record")
    gone = server.dayfly("top", "nosuch", "--once", "--config", server.config)
    assert gone.returncode == 1 and "nosuch" in gone.stderr


def test_a_run_is_opened_left_and_aborted(server: Server, busy: ExecutionId) -> None:
    terminal = Terminal(BIN / "dayfly", "top", "--config", server.config)
    try:
        screen = terminal.wait_for("2/2")
        assert "busy" in screen and "q quit" in screen
        terminal.press("\r")
        terminal.wait_for("worker-1")
        terminal.wait_for("slow_square")
        terminal.press("\x1b")
        terminal.wait_for("live Dask cluster")
        terminal.press("a")
        terminal.wait_for("Abort busy?")
        terminal.press("n")
        terminal.wait_for("Nothing was aborted.")
        terminal.press("ay")
        terminal.wait_for("aborted  busy")
        terminal.press("q")
        assert terminal.wait_until_over() == 0
    finally:
        terminal.close()
    ended, _ = launching.wait(server, busy)
    assert ended.abort_cause == "aborted in dayfly top"
