"""What is carried to schedulers of pods, at work in plain processes of Dask's commands: how they end, and which workers
they want."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from distributed import Client, wait
from tests.contract import cluster_hosts

from dayfly.executors.dask.pods import roles
from dayfly.executors.dask.relay import carrying, splitting
from dayfly.executors.dask.roles import settling
from dayfly.ports.clusters import ClusterSpec, WorkerGroup

PATIENCE_SECONDS = 60


class Processes:
    """A scheduler, and workers, as their containers would run them."""

    def __init__(self, folder: Path, spec: ClusterSpec, scaled: tuple[WorkerGroup, ...] = ()) -> None:
        self._folder, self._spec = folder, spec
        self.facts: dict[str, Any] = {}
        self._running: list[subprocess.Popen[bytes]] = []
        made = roles.scheduler(spec, scaled)
        words = [*made.argv, "--host", "127.0.0.1", "--scheduler-file", str(folder / "scheduler.json")]
        words[words.index("--port") + 1] = "0"
        words[words.index("--dashboard-address") + 1] = "127.0.0.1:0"
        self.scheduler = self._start(words, made.env, stdout=subprocess.PIPE)
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()
        self.until(lambda: self._told_address(folder / "scheduler.json"))
        self.address = self._told_address(folder / "scheduler.json")

    def work(self, name: str) -> None:
        """Start a worker of the first group."""
        made = roles.worker(self._spec, self._spec.groups[0], name, self.address)
        self._start([*made.argv, "--host", "127.0.0.1", "--no-dashboard"], made.env)

    @staticmethod
    def _told_address(file: Path) -> str:
        """Return what is written there; nothing while it is only being written."""
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):
            return str(json.loads(file.read_text())["address"])
        return ""

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def close(self) -> None:
        for process in self._running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._listening.join()
        assert self.scheduler.stdout is not None
        self.scheduler.stdout.close()

    def _start(self, words: list[str], env: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
        assert words[0] == "dask"
        there = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            env={**there, **env, "DASK_TEMPORARY_DIRECTORY": str(self._folder)},
            cwd=self._folder,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            **more,
        )
        self._running.append(process)
        return process

    def _listen(self) -> None:
        splitter = splitting.Splitter()
        assert self.scheduler.stdout is not None
        for line in self.scheduler.stdout:
            told = splitter.split(line.rstrip(b"\n")).told
            if told is not None and told.kind == "facts":
                self.facts = json.loads(told.body)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the modules that are carried leave last words, in place of where Kubernetes keeps them."""
    place, sources = tmp_path / "termination-log", tmp_path / "roles"
    place.touch()
    sources.mkdir()
    for source in carrying._ROLES.glob("*.py"):
        (sources / source.name).write_text(source.read_text().replace(settling.PLACE, str(place)))
    monkeypatch.setattr(carrying, "_ROLES", sources)
    carrying.pack.cache_clear()
    yield place
    carrying.pack.cache_clear()


@pytest.mark.parametrize(
    ("end", "words"), [("idle", settling.ASKED), ("shutdown", settling.ASKED), ("signal", ""), ("early", "")]
)
def test_a_scheduler_leaves_word_whether_it_was_told_to_end(tmp_path: Path, place: Path, end: str, words: str) -> None:
    spec = cluster_hosts.cluster("p/d/e/n0/0", idle_timeout_seconds=0.5 if end == "idle" else 0.0)
    processes = Processes(tmp_path, spec)
    try:
        if end != "early":
            processes.work("worker-0")
            with Client(processes.address) as client:
                assert client.submit(abs, -1).result(PATIENCE_SECONDS) == 1
                if end == "shutdown":
                    client.shutdown()
        if end in ("signal", "early"):
            processes.scheduler.terminate()
        assert processes.scheduler.wait(PATIENCE_SECONDS) == 0, "which tells nothing"
        assert place.read_text() == words
    finally:
        processes.close()


def test_workers_of_two_processes_are_wanted_and_go_whole(tmp_path: Path) -> None:
    group = WorkerGroup("default", 1, threads=1, processes=2, minimum=1, maximum=2)
    pace = {"DASK_DISTRIBUTED__ADAPTIVE__INTERVAL": "50ms", "DASK_DISTRIBUTED__ADAPTIVE__TARGET_DURATION": "500ms"}
    driver = cluster_hosts.attempt("p/d/e/n0/0", env=pace)
    spec = msgspec.structs.replace(cluster_hosts.cluster("p/d/e/n0/0"), groups=(group,), driver=driver)
    processes = Processes(tmp_path, spec, scaled=(group,))

    def dawdle(number: int) -> int:  # Of a module that nobody there can import, it travels as it is.
        time.sleep(0.1)
        return number

    def wanted() -> list[str]:
        told: list[str] = processes.facts.get("wanted_roles", [])
        return told

    try:
        processes.work("worker-0")
        with Client(processes.address) as client:
            client.wait_for_workers(2, timeout=PATIENCE_SECONDS)
            futures = client.map(dawdle, range(200), pure=False)
            processes.until(lambda: wanted() == ["worker-0", "worker-1"])
            assert processes.facts["progress"]["wanted"] == 4
            processes.work("worker-1")
            client.wait_for_workers(4, timeout=PATIENCE_SECONDS)
            names = {one["name"] for one in client.scheduler_info(n_workers=-1)["workers"].values()}
            assert names == {"worker-0-0", "worker-0-1", "worker-1-0", "worker-1-1"}
            wait(futures, timeout=PATIENCE_SECONDS)
            processes.until(lambda: len(wanted()) == 1)
            (staying,) = wanted()
            names = {one["name"] for one in client.scheduler_info(n_workers=-1)["workers"].values()}
            assert names == {f"{staying}-0", f"{staying}-1"}
            assert sum(client.gather(futures)) == sum(range(200)), "what the others held is with these"
    finally:
        processes.close()
