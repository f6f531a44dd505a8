"""How roles begin, as real programs: the user's code is there, and the driver has waited."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread

import pytest

from dayfly.executors.dask.pods import beginning
from dayfly.model import entrypoint_args
from dayfly.model.entrypoint_args import EntryPoint

BIN = Path(sys.executable).parent

SHOW = "import os, sys, mine; print(mine.VALUE, os.environ['PYTHONPATH'], *sys.argv[1:])"

TASK = """
from flytekit import task

@task
def greet() -> str:
    print("the task runs")
    return "done"
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """Return the packed code of a user."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "mine.py").write_text("VALUE = 'mine'")
    (folder / "tasks.py").write_text(TASK)
    packed = tmp_path / "fast.tar.gz"
    with tarfile.open(packed, "w:gz") as made:
        for file in folder.iterdir():
            made.add(file, file.name)
    return packed


def environment(**more: str) -> dict[str, str]:
    return {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": os.environ["HOME"], **more}


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_role_finds_the_users_code(tmp_path: Path, code: Path, scheme: str) -> None:
    words = beginning.role(EntryPoint("fast", f"{scheme}{code}", "there"), (sys.executable, "-c", SHOW, "a b"))
    env = environment(PYTHONPATH="/before", PYTHONSAFEPATH="1")
    done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout == f"mine /before:{tmp_path}/there a b\n", done.stderr


def test_other_addresses_are_left_to_flytekit(tmp_path: Path, code: Path) -> None:
    pickled = code.rename(tmp_path / "script.pkl.gz")
    fake = tmp_path / "bin" / "pyflyte-fast-execute"
    fake.parent.mkdir()
    fake.write_text('#!/bin/sh\necho "$@"\n')
    fake.chmod(0o755)
    env = environment()
    env["PATH"] = f"{fake.parent}:{env['PATH']}"
    for address in ("s3://b/code.tar.gz", str(pickled)):
        words = beginning.role(EntryPoint("fast", address, "."), ("dask", "worker"))
        done = subprocess.run(words, cwd=tmp_path, env=env, capture_output=True, text=True, check=False, timeout=60)
        assert done.stdout == f"--additional-distribution {address} --dest-dir . -- dask worker\n", done.stderr


def test_without_fast_registration_a_role_is_its_command() -> None:
    assert beginning.role(EntryPoint("plain"), ("dask", "worker")) == ("dask", "worker")


class Scheduler:
    """Says that there are workers, from the second time on."""

    def __init__(self) -> None:
        self.asked = Event()
        self.times = 0
        scheduler = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                scheduler.times += 1
                scheduler.asked.set()
                self.send_response(200)
                self.end_headers()
                self.wfile.write(json.dumps({"workers": 2 if scheduler.times > 1 else 1}).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}{beginning.COUNTS_PATH}"


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    made = Scheduler()
    Thread(target=made.server.serve_forever, daemon=True).start()
    yield made
    made.server.shutdown()
    made.server.server_close()


def start(tmp_path: Path, scheduler: Scheduler, workers: int, *argv: str) -> subprocess.Popen[str]:
    (tmp_path / "inputs.pb").write_bytes(b"")
    words = beginning.driver(entrypoint_args.parse(argv), workers)
    # What goes out through a proxy, and what Python may be told, are nothing to the scheduler and the user's code.
    env = environment(
        **{beginning.COUNTS_VARIABLE: scheduler.address}, HTTP_PROXY="http://127.0.0.1:1", PYTHONSAFEPATH="1"
    )
    return subprocess.Popen(
        words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    )


def task(tmp_path: Path, code: Path) -> tuple[str, ...]:
    return (
        *("pyflyte-fast-execute", "--additional-distribution", str(code), "--dest-dir", "there", "--"),
        *("pyflyte-execute", "--inputs", str(tmp_path / "inputs.pb"), "--output-prefix", str(tmp_path / "out")),
        *("--raw-output-data-prefix", str(tmp_path / "raw")),
        *("--resolver", "flytekit.core.python_auto_container.default_task_resolver", "--"),
        *("task-module", "tasks", "task-name", "greet"),
    )


def test_the_driver_is_the_task_once_its_workers_are_there(tmp_path: Path, code: Path, scheduler: Scheduler) -> None:
    with start(tmp_path, scheduler, 2, *task(tmp_path, code)) as process:
        said, complained = process.communicate(timeout=100)
    assert process.returncode == 0, complained
    assert "the task runs" in said
    assert scheduler.times == 2
    assert (tmp_path / "out" / "outputs.pb").exists()


def test_a_driver_that_waits_ends_when_it_is_asked_to(tmp_path: Path, code: Path, scheduler: Scheduler) -> None:
    with start(tmp_path, scheduler, 3, *task(tmp_path, code)) as process:
        assert scheduler.asked.wait(100)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM


def test_another_command_waits_too(tmp_path: Path, code: Path, scheduler: Scheduler) -> None:
    fast = ("pyflyte-fast-execute", "--additional-distribution", str(code), "--dest-dir", "there", "--")
    with start(tmp_path, scheduler, 2, *fast, sys.executable, "-c", SHOW) as process:
        said, complained = process.communicate(timeout=100)
    assert said == f"mine {tmp_path}/there\n", complained
    assert scheduler.times == 2


def test_code_that_is_gone_is_said(tmp_path: Path, scheduler: Scheduler) -> None:
    with start(tmp_path, scheduler, 2, *task(tmp_path, tmp_path / "gone.tar.gz")) as process:
        _, complained = process.communicate(timeout=100)
    assert process.returncode == 1
    assert "gone.tar.gz" in complained
