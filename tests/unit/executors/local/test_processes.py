import os
import subprocess
import sys
from pathlib import Path

from dayfly.executors.local import leftovers
from dayfly.executors.local.forked import processes


def test_a_process_and_what_is_below_it() -> None:
    code = "import os; os.fork() or os.fork(); os.write(1, b'%d\\n' % os.getpid()); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        told = {int(started.stdout.readline()) for _ in range(3)}
        assert {started.pid, *processes.descendants(started.pid)} == told
        assert set(processes.descendants(os.getpid())) >= told
        ticks = processes.start_ticks(started.pid)
        assert processes.alive(started.pid, ticks)
        assert not processes.alive(started.pid, ticks + 1)
        assert processes.stat(started.pid)[1] == os.getpid()
        assert 1_000_000 < processes.tree_memory(started.pid, 0) < 200_000_000
        for pid in told - {started.pid}:
            os.kill(pid, 9)
        started.stdin.close()
    assert not processes.alive(started.pid, ticks)
    assert processes.start_ticks(started.pid) == 0
    assert processes.descendants(started.pid) == []
    assert processes.command(started.pid) == ""


def test_what_a_group_has_left(tmp_path: Path) -> None:
    code = "import socket; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"
    folders = (str(tmp_path),)
    assert leftovers.describe(0, folders, ()) == [f"folder {tmp_path}"]
    for marks in ({"cwd": tmp_path}, {"env": {"DAYFLY_GROUP": str(tmp_path)}}):
        with subprocess.Popen(  # type: ignore[call-overload]
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, **marks
        ) as started:
            port = int(started.stdout.readline())
            told = leftovers.describe(0, folders, ())
            assert told[0].startswith(f"process {started.pid} (python")
            assert told[1:] == [f"port {port}", f"folder {tmp_path}"]
            started.stdin.close()
    assert leftovers.find_processes(0, folders) == []
