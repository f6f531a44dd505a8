"""Modules of the roles in processes that have no Dayfly: what they say there, as plain processes of Dask's commands."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.contract import cluster_hosts

from dayfly.executors.dask.relay import carrying, splitting, told_reports
from dayfly.executors.dask.roles import carried
from dayfly.ports.clusters import WorkerGroup

MOST_OF_A_VARIABLE = 128 * 1024
"""Linux takes no longer ones."""

PATIENCE_SECONDS = 60


@pytest.mark.parametrize("modules", [carrying.SCHEDULER, carrying.NANNY, carrying.DRIVER])
def test_what_a_role_needs_is_there(modules: tuple[str, ...]) -> None:
    """Modules import each other from their package, and nothing of Dayfly."""
    for name in modules:
        tree = ast.parse((carrying._ROLES / f"{name}.py").read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level:
                wanted = [node.module] if node.module else [one.name for one in node.names]
                assert set(wanted) <= set(modules), name
            assert not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("dayfly")), name
    assert len(carrying.pack(modules)) < MOST_OF_A_VARIABLE // 2


def told(process: subprocess.Popen[bytes]) -> Iterator[splitting.Told]:
    splitter = splitting.Splitter()
    assert process.stdout is not None
    for line in process.stdout:
        split = splitter.split(line.rstrip(b"\n"))
        if split.told is not None:
            yield split.told


DRIVER = """import distributed, sys
with distributed.Client(sys.argv[1]):
    print("here", flush=True)
    sys.stdin.read()
"""


def until_logged(folder: Path, text: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while text not in (folder / "log").read_text():
        assert time.monotonic() < deadline, (folder / "log").read_text()
        time.sleep(0.05)


@contextlib.contextmanager
def scheduler(folder: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a scheduler as it is run in a pod."""
    spec = cluster_hosts.cluster("p/d/e/n0/0", notes=("a note",))
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    words = [sys.executable, "-m", "dask", "scheduler", "--host", "127.0.0.1", "--port", "0"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*words, "--dashboard-address", "127.0.0.1:0", *carrying.SCHEDULER_WORDS],
            env={**own, **carrying.scheduler_environment(spec), **env},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def test_a_scheduler_tells_of_itself_to_its_end(tmp_path: Path) -> None:
    other = tmp_path / "other_preload.py"
    other.write_text("def dask_setup(scheduler):\n    print('the other was loaded')\n")
    with scheduler(tmp_path, DASK_DISTRIBUTED__SCHEDULER__PRELOAD=str(other)) as process:
        things = told(process)
        first = next(one for one in things if one.kind == "facts")
        facts = json.loads(first.body)
        assert facts["dashboard"] is True
        assert facts["progress"]["wanted"] == 2
        process.terminate()
        rest = [one.kind for one in things]
        assert rest[-2:] == ["frame", "facts"], "its last words"
        assert process.wait(PATIENCE_SECONDS) == 0
    logged = (tmp_path / "log").read_text()
    assert "a note" in logged
    assert "Traceback" not in logged
    assert "other_preload.py" in logged


@pytest.mark.parametrize("gone", [True, False])
def test_a_scheduler_makes_reports_when_its_driver_has_gone(tmp_path: Path, gone: bool) -> None:
    """While it is there, somebody wants an end of all."""
    with scheduler(tmp_path, DAYFLY_REPORT_SECONDS="50") as process:
        things = told(process)
        assert next(things).kind in ("facts", "frame")
        address = re.search(r"Scheduler at:\s+(tcp://\S+)", (tmp_path / "log").read_text())
        assert address is not None
        with subprocess.Popen(
            [sys.executable, "-c", DRIVER, address[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as driver:
            assert driver.stdout is not None
            assert driver.stdout.readline() == b"here\n"
            if gone:
                driver.kill()
                until_logged(tmp_path, "Remove client")
            process.terminate()
            bodies = {one.kind: one.body for one in things}
            assert process.wait(PATIENCE_SECONDS) == 0
            driver.kill()
    assert ("report" in bodies) is gone
    if gone:
        report = told_reports.read(bodies["report"])
        assert report is not None
        assert report.name == "performance.html"
        assert b"Dask Performance Report" in report.raw
        assert b"bokeh" in report.raw


FILLING = """import distributed, os, sys
with distributed.Client(sys.argv[1]) as client:
    distributed.wait([client.submit(os.urandom, 8 << 20, pure=False) for _ in range(8)])
"""

LARGEST_FILE_BYTES = 2 << 20


def test_a_worker_tells_what_it_cannot_spill(tmp_path: Path) -> None:
    """Its nanny has it load what tells so."""
    group = WorkerGroup("default", 1)
    with scheduler(tmp_path) as process:
        things = told(process)
        assert next(things).kind in ("facts", "frame")
        address = re.search(r"Scheduler at:\s+(tcp://\S+)", (tmp_path / "log").read_text())
        assert address is not None
        words = [sys.executable, "-m", "dask", "worker", address[1], "--nthreads", "1", "--memory-limit", "400 MiB"]
        env = {**os.environ, "DASK_DISTRIBUTED__WORKER__MEMORY__TARGET": "0.05"}
        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                ["prlimit", f"--fsize={LARGEST_FILE_BYTES}", *words, *carrying.worker_words(group), "--no-dashboard"],
                env=carrying.worker_environment(env, group),
                cwd=tmp_path,
                stdout=log,
                stderr=log,
            )
        try:
            subprocess.run([sys.executable, "-c", FILLING, address[1]], check=True, timeout=PATIENCE_SECONDS)
            process.terminate()
            frames = [msgspec.msgpack.decode(one.body[4:]) for one in things if one.kind == "frame"]
        finally:
            worker.terminate()
            worker.wait(PATIENCE_SECONDS)
    events = [event for frame in frames for event in frame.get("events", ())]
    failed = [event for event in events if event["kind"] == "spill-failed"]
    assert failed, (tmp_path / "worker.log").read_text()
    assert "File too large" in failed[0]["error"]


def test_a_driver_tells_at_its_end_what_it_has_held() -> None:
    env = {"PATH": os.environ["PATH"], **carrying.driver_environment({})}
    program = f"{carried.TEXT}\nfor _ in range(2): dask_setup(None)\nheld = b'x' * (64 << 20)"
    process = subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE)
    with process:
        (last,) = told(process)
    assert json.loads(last.body)["peak_bytes"] > 64 << 20
    assert process.returncode == 0


def test_the_nanny_of_a_command_is_reached_by_configuration() -> None:
    plain, own = WorkerGroup("default", 1), WorkerGroup("gpu", 1, command=("dask", "cuda", "worker"))
    assert carrying.worker_words(plain) == ["--preload-nanny", carried.TEXT]
    assert carrying.NANNY_PRELOAD not in carrying.worker_environment({"A": "1"}, plain)
    assert carrying.worker_words(own) == []
    assert ast.literal_eval(carrying.worker_environment({}, own)[carrying.NANNY_PRELOAD]) == [carried.TEXT]
    assert carrying.worker_environment({carrying.NANNY_PRELOAD: "mine"}, own)[carrying.NANNY_PRELOAD] == "mine"


def test_without_a_nanny_nothing_is_carried() -> None:
    alone = WorkerGroup("default", 1, nanny=False)
    assert carrying.worker_words(alone) == []
    assert carrying.worker_environment({"A": "1"}, alone) == {"A": "1"}
