"""Dayfly's own HTTP API over a real Dask cluster: its logs found, searched and followed while it runs; its record after."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest
import requests
from tests.platforms import launching
from tests.platforms.server import BIN, Server

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "talking.py"
NAME = "talking"
EXECUTION = ExecutionId(launching.PROJECT, launching.DOMAIN, NAME)
ROLES = ["driver", "scheduler", "worker-0", "worker-1"]


class Talking:
    """A cluster that writes to its logs until `until` is there."""

    def __init__(self, server: Server, until: Path) -> None:
        self.server, self.until = server, until
        self.root = f"http://{server.address}/api/dayfly/v1"
        started = server.pyflyte(
            "run", "--remote", "--name", NAME, PROGRAM, "talks", "--until", until, cwd=PROGRAM.parent
        )
        assert started.returncode == 0, started.stdout + started.stderr
        launching.wait_until(self.find_node, "a node that has an attempt")
        self.node: str = self.find_node()
        self.attempt = f"executions/{EXECUTION}/nodes/{self.node}/attempts/0"

    def find_node(self) -> str:
        nodes = [node.id for node in launching.look(self.server, EXECUTION).nodes if node.attempts]
        return nodes[0] if nodes else ""

    def get(self, path: str, **query: Any) -> Any:
        answer = requests.get(f"{self.root}/{path}", params=query, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def follow(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield the events of a stream until it ends."""
        query = {"follow": "true", **query}
        with requests.get(f"{self.root}/{path}", params=query, stream=True, timeout=60) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            event: dict[str, Any] = {}
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                name, _, value = line.partition(": ")
                event[name] = value
                if not line and "event" in event:
                    yield {**event, "data": json.loads(event["data"])}
                    event = {}

    def dayfly(self, *words: object) -> subprocess.Popen[str]:
        """Start our own command line against the server."""
        line = [BIN / "dayfly", *map(str, words), "--config", self.server.config]
        return subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self) -> None:
        self.until.touch()
        ended, _ = launching.wait(self.server, EXECUTION)
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error


@pytest.fixture(scope="module")
def talking(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Talking]:
    folder = tmp_path_factory.mktemp("talking")
    with Server(folder / "data") as server:
        yield Talking(server, folder / "enough")


def test_a_cluster_that_runs_and_then_is_gone(talking: Talking) -> None:
    has_begun(talking)
    search_while_it_runs(talking)
    with talking.dayfly("logs", NAME, "--follow", "--role", "driver", "--role", "worker") as following:
        seen = follow_to_the_end(talking)
        printed, told = following.communicate(timeout=60)
    assert following.returncode == 0, told
    assert "the driver begins" in printed and "the driver ends" in printed
    assert "worker-1  | worker-1 works on part" in printed
    assert not re.search("^scheduler", printed, re.MULTILINE), "of its own; a worker may write of it"
    look_back(talking, seen)
    print_afterwards(talking)


def has_begun(talking: Talking) -> None:
    """All processes have logs, and the cluster is among those that live."""
    launching.wait_until(
        lambda: {one["role"] for one in talking.get(f"{talking.attempt}/logs")["logs"]} == set(ROLES), "all logs"
    )
    (living,) = talking.get("clusters", state="live")["clusters"]
    assert (living["execution"], living["node"], living["live"]) == (NAME, talking.node, True)
    assert talking.get("clusters", state="past")["clusters"] == []


def search_while_it_runs(talking: Talking) -> None:
    """What each process writes is found, alone and in the view of all."""
    events = talking.follow(f"{talking.attempt}/logs/driver")
    text = ""
    while "the driver begins" not in text:
        text += next(events)["data"]["text"]
    events.close()
    worker = f"{talking.attempt}/logs/worker-0"
    launching.wait_until(lambda: talking.get(worker, search="works on part")["matches"], "words of a worker")
    match = talking.get(worker, search="WORKS on part", context=1, limit=1)["matches"][0]
    assert match["text"].startswith("worker-0 works on part")
    assert match["line"] > 1 and "careful with part" in match["after"][0]
    read = requests.get(f"{talking.root}/{worker}", params={"from": match["offset"], "bytes": 14}, timeout=60)
    assert read.text == "worker-0 works"
    for role, words in (("scheduler", "Scheduler at"), ("driver", "the driver begins"), ("worker", "Registered to")):
        lines = talking.get(f"{talking.attempt}/lines", role=role, search=words)["lines"]
        assert lines, role
        assert all(line["role"].startswith(role) for line in lines)
    warnings = talking.get(f"{talking.attempt}/lines", level="warning", search="careful with part")["lines"]
    assert {line["role"] for line in warnings} == {"worker-0", "worker-1"}
    assert all(line["timed"] and line["level"] == "WARNING" for line in warnings)


def follow_to_the_end(talking: Talking) -> list[dict[str, Any]]:
    """Return all lines, followed from the beginning to the end of the attempt."""
    seen: list[dict[str, Any]] = []
    for event in talking.follow(f"{talking.attempt}/lines"):
        if event["event"] == "end":
            assert event["data"]["phase"] == "SUCCEEDED"
            break
        seen += event["data"]["lines"]
        if any("careful with part 2" in line["text"] for line in seen) and not talking.until.exists():
            talking.end()
    assert {line["role"] for line in seen} == set(ROLES)
    assert [line["text"] for line in seen if line["role"] == "driver" and "the driver" in line["text"]] == [
        "the driver begins",
        "the driver ends",
    ]
    return seen


def look_back(talking: Talking, seen: list[dict[str, Any]]) -> None:
    """The logs tell the same afterwards; cluster, record and events are there."""
    token, read = "", []
    while True:
        page = talking.get(f"{talking.attempt}/lines", token=token, limit=7)
        read += page["lines"]
        token = page["token"]
        if page["at_end"]:
            break
    assert page["ended"]
    assert sorted((one["role"], one["offset"], one["text"]) for one in read) == sorted(
        (one["role"], one["offset"], one["text"]) for one in seen
    )
    moments = [datetime.fromisoformat(one["at"].replace("Z", "+00:00")) for one in read]
    assert moments == sorted(moments)
    said = [one["text"] for one in read if one["role"] != "scheduler"]
    # What is printed has no time of its own: that this came last is known from looks at the driver's log.
    works = [number for number, text in enumerate(said) if "works on part" in text]
    assert works[-1] < said.index("the driver ends")

    (gone,) = talking.get("clusters", project=EXECUTION.project, domain=EXECUTION.domain, execution=NAME)["clusters"]
    assert (gone["live"], gone["phase"], gone["figures"]["wanted"]) == (False, "SUCCEEDED", 2)
    assert gone["figures"]["tasks_done"] > 0 and gone["duration_seconds"] > 0
    told = requests.get(f"http://{talking.server.address}{gone['url']}", timeout=60).json()
    assert {worker["name"] for worker in told["record"]["workers"]} == {"worker-0", "worker-1"}
    assert told["diagnosis"] is None and told["dashboard_url"] == ""
    assert requests.get(f"http://{talking.server.address}{told['frames_url']}", timeout=60).json()["frames"]

    kinds = [event["kind"] for event in talking.get(f"executions/{EXECUTION}/events")["events"]]
    assert kinds[0] == "Launched" and "AttemptSucceeded" in kinds
    openapi_spec_validator.validate(talking.get("openapi.json"))


def print_afterwards(talking: Talking) -> None:
    """The command line prints everything, or what is chosen."""
    config = ("--config", talking.server.config)
    printed = talking.server.dayfly("logs", NAME, *config).stdout
    assert printed.startswith(f"==> talks ({talking.node}), attempt 0\n")
    assert "driver    | the driver begins" in printed and "scheduler | 20" in printed
    printed = talking.server.dayfly(
        "logs", NAME, talking.node, "--search", "CAREFUL", "--level", "warning", *config
    ).stdout
    assert len(printed.splitlines()) > 8
    assert all(" | 20" in line and "careful with part" in line for line in printed.splitlines()[1:])
    printed = talking.server.dayfly("logs", NAME, "--role", "driver", *config).stdout.splitlines()
    assert [line for line in printed if line][1:] == ["the driver begins", "the driver ends"]
    printed = talking.server.dayfly("logs", NAME, "--tail", "1", "--times", "--role", "driver", *config).stdout
    assert re.search(r"^\d\d:\d\d:\d\d\.\d{3} driver +\| the driver ends$", printed, re.MULTILINE)
    refused = talking.server.dayfly("logs", NAME, "nobody", *config)
    assert refused.returncode == 1 and "has no node 'nobody'" in refused.stderr
