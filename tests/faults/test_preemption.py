"""Workers are taken away one after the other while a task computes: it ends with the right answer all the same."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "preempted.py"

NUMBERS = 300

BETWEEN = 50
"""Tasks that are done from one kill to the next, which takes a second or two."""

KILLS = 5


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "data") as server:
        registered = server.pyflyte("register", "--version", launching.VERSION, PROGRAM, cwd=PROGRAM.parent)
        assert registered.returncode == 0, registered.stdout + registered.stderr
        yield server


def test_a_task_outlives_the_loss_of_its_workers(server: Server) -> None:
    execution = launching.launch_task(server, "preempted.adds", numbers=str(NUMBERS))
    killed: list[str] = []
    for number in range(KILLS):
        launching.wait_until(lambda: has_lost(server, execution, killed), "the death to be known")
        launching.wait_until(lambda least=BETWEEN * (number + 1): has_done(server, execution, least), "progress")
        killed.append(kill_worker(server, number % 4))
    ended, outputs = launching.wait(server, execution)
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    assert outputs["o0"] == sum(number * number for number in range(NUMBERS))
    (node,) = [node for node in ended.nodes if node.attempts]
    assert len(node.attempts) == 1, "the cluster heals itself, and no new attempt is needed"
    record = ask(server, f"clusters/{execution}/{node.id}/0")["record"]
    assert lost(record)[:KILLS] == killed
    assert sum(len(worker["lost"]) for worker in record["workers"]) > 0, "results went, and were computed again"
    assert {worker["name"] for worker in record["workers"]} >= {"worker-0-r1", "worker-1-r1", "worker-2-r1"}


def lost(record: dict[str, Any] | None) -> list[str]:
    """Return the workers that went when nobody had asked them to, by their first names."""
    if record is None:  # In the first second of a cluster.
        return []
    gone = [event for event in record["events"] if event["kind"] == "remove-worker" and not event["expected"]]
    return [event["worker"].partition("-r")[0] for event in gone]


def has_lost(server: Server, execution: ExecutionId, killed: list[str]) -> bool:
    """Say whether the cluster knows of all that have been killed: a second one before that may come first in it."""
    if not killed:
        return True
    (found,) = clusters(server, execution)
    record = ask(server, f"clusters/{execution}/{found['node']}/{found['attempt']}")["record"]
    return lost(record) == killed


def clusters(server: Server, execution: ExecutionId) -> list[dict[str, Any]]:
    query = {"project": execution.project, "domain": execution.domain, "execution": execution.name}
    found: list[dict[str, Any]] = ask(server, "clusters", **query)["clusters"]
    return found


def has_done(server: Server, execution: ExecutionId, least: int) -> bool:
    """Say whether all four workers are there, and so many tasks have been done."""
    found = clusters(server, execution)
    figures = found[0]["figures"] if found else {"workers": 0, "tasks_done": 0}
    return bool(figures["workers"] == 4 and figures["tasks_done"] >= least)


def kill_worker(server: Server, number: int) -> str:
    """Kill a worker as a machine that goes away does; return its name."""
    for line in server.leftovers():
        pid = int(line.partition(":")[0])
        if Path(f"/proc/{pid}/comm").read_text().strip() == f"dayfly:worker-{number}":
            os.kill(pid, signal.SIGKILL)
            return f"worker-{number}"
    raise AssertionError(f"there is no worker-{number}")


def ask(server: Server, path: str, **query: Any) -> Any:
    answer = requests.get(f"http://{server.address}/api/dayfly/v1/{path}", params=query, timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.json()
