"""A role that uses more cores than it may gives way, with all its processes; one that does not is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dayfly.executors.local.forked import giving_way, processes, running

BUSY = "import os\nos.fork() or os.write(1, b'there')\nwhile True: pass"


@pytest.fixture
def busy():
    """A process and one below it, which use all the CPU that they get."""
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE) as started:
        pids = {started.pid}
        try:
            assert started.stdout is not None
            assert started.stdout.read(5) == b"there"
            pids |= set(processes.descendants(started.pid))
            assert len(pids) == 2
            yield started.pid, pids
        finally:
            for pid in pids:
                os.kill(pid, 9)


def role(pid: int, limit: float, folder: Path) -> running.Running:
    made = running.Running({"name": "driver", "cpu_limit": limit}, str(folder))
    made.pid = pid
    return made


def look(watch: giving_way.Watch, pid: int) -> None:
    """Let both looks be a round apart, between which some CPU was used: much less than a whole core."""
    watch.look(100.0)
    before, deadline = processes.tree_cpu_seconds(pid), time.monotonic() + 60
    while processes.tree_cpu_seconds(pid) < before + 0.5:
        assert time.monotonic() < deadline
    watch.look(100.0 + giving_way.ROUND_SECONDS)


def nice(pids: set[int]) -> set[int]:
    return {os.getpriority(os.PRIO_PROCESS, pid) for pid in pids}


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="on one core nobody can take more than it")
def test_one_that_takes_more_than_its_share_gives_way(busy, tmp_path: Path) -> None:
    pid, pids = busy
    own = os.getpriority(os.PRIO_PROCESS, 0)
    generous, strict = (giving_way.Watch([role(pid, limit, tmp_path)]) for limit in (1.5, 0.01))
    look(generous, pid)
    assert nice(pids) == {own}
    look(strict, pid)
    assert nice(pids) == {max(own, giving_way.NICENESS)}


def test_without_a_limit_nobody_wakes_up_to_look(tmp_path: Path) -> None:
    unlimited, all_of_them = (role(1, limit, tmp_path) for limit in (0.0, 4096.0))
    assert giving_way.Watch([unlimited, all_of_them]).next_at is None
