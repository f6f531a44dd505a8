"""What a worker's pod asks its scheduler before it ends, of a real HTTP server."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from dayfly.executors.dask.pods import retiring


class Scheduler:
    """Says which workers there are, and keeps what it is asked."""

    def __init__(self, workers: object, status: int = 200) -> None:
        self.asked: list[tuple[str, Any]] = []
        scheduler = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer(None, {"workers": workers})

            def do_POST(self) -> None:
                self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))), {})

            def _answer(self, told: Any, answer: Any) -> None:
                scheduler.asked.append((self.path, told))
                self.send_response(status)
                self.end_headers()
                self.wfile.write(json.dumps(answer).encode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def served() -> Iterator[list[Scheduler]]:
    running: list[Scheduler] = []
    yield running
    for one in running:
        one.server.shutdown()
        one.server.server_close()


def run(scheduler: str) -> str:
    words = [sys.executable, "-c", retiring.PROGRAM, scheduler, "10"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == ""
    return done.stdout


def start(served: list[Scheduler], scheduler: Scheduler) -> Scheduler:
    served.append(scheduler)
    Thread(target=scheduler.server.serve_forever, daemon=True).start()
    return scheduler


HERE, ELSEWHERE = "tcp://127.0.0.1:4001", "tcp://10.1.2.3:4001"


def test_the_workers_of_this_address_are_retired(served: list[Scheduler]) -> None:
    there = [HERE, ELSEWHERE, "tls://127.0.0.1:4002", "tcp://[::1]:4003"]
    scheduler = start(served, Scheduler([{"name": "w", "address": address} for address in there]))
    assert run(scheduler.address) == ""
    assert scheduler.asked == [
        ("/api/v1/get_workers", None),
        ("/api/v1/retire_workers", {"workers": [HERE, "tls://127.0.0.1:4002"]}),
    ]


def test_where_there_is_none_nothing_is_asked(served: list[Scheduler]) -> None:
    scheduler = start(served, Scheduler([{"name": "w", "address": ELSEWHERE}]))
    assert run(scheduler.address) == ""
    assert [path for path, _ in scheduler.asked] == ["/api/v1/get_workers"]


@pytest.mark.parametrize(
    ("workers", "status"), [([], 404), ([], 500), ([{"name": "w"}], 200), (["w"], 200), (None, 200)]
)
def test_an_answer_that_is_none_is_said(served: list[Scheduler], workers: object, status: int) -> None:
    assert "nothing is handed over" in run(start(served, Scheduler(workers, status)).address)


def test_a_scheduler_that_is_gone_is_not_waited_for() -> None:
    assert "nothing is handed over" in run("http://127.0.0.1:1")


def pod(**more: Any) -> dict[str, Any]:
    containers = [{"name": "sidecar"}, {"name": "w", **more}]
    return {"metadata": {"annotations": {retiring.PRIMARY: "w"}}, "spec": {"containers": containers}}


def test_the_workers_own_container_asks() -> None:
    made = pod()
    retiring.before_the_end(made, "http://s:8787")
    sidecar, own = made["spec"]["containers"]
    assert own["lifecycle"]["preStop"]["exec"]["command"][-2:] == ["http://s:8787", "25"]
    assert sidecar == {"name": "sidecar"}


def test_what_the_users_template_says_stays() -> None:
    said = {"postStart": {}, "preStop": {"exec": {"command": ["mine"]}}}
    made = pod(lifecycle=dict(said))
    retiring.before_the_end(made, "http://s:8787")
    assert made["spec"]["containers"][1]["lifecycle"] == said
