"""`dayfly logs` of nodes that lie inside of others: printed and followed, all or those of one node."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from tests.platforms import launching, remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import BIN, Server

from dayfly.model.identifiers import ExecutionId

PROGRAM = Path(__file__).parent / "programs" / "nesting.py"
SAID = {"the sub-workflow", "what it made", "element a", "element b"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("nesting") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def name(server: Server) -> str:
    remote = remotes.register(server, PROGRAM)
    plan = remote.fetch_launch_plan(name="nesting.everywhere", version=VERSION)
    return str(remote.execute(plan, inputs={"elements": ["element a", "element b"]}).id.name)


def said(server: Server, *words: object) -> list[str]:
    """Return what the command prints, without headings and empty lines."""
    done = server.dayfly("logs", *words, "--config", server.config)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("said")]


def test_wherever_a_task_is_its_log_is_printed(server: Server, name: str) -> None:
    every = {f"said in {where}" for where in SAID} | {"said by the dynamic task"}
    assert set(said(server, name, "--follow")) == every
    launching.wait(server, ExecutionId(launching.PROJECT, launching.DOMAIN, name))
    assert set(said(server, name)) == every
    assert said(server, name, "n0") == ["said in the sub-workflow"]
    assert set(said(server, name, "outer")) == {"said by the dynamic task", "said in what it made"}
    assert set(said(server, name, "n2")) == {"said in element a", "said in element b"}
    assert said(server, name, "n2#1") == ["said in element b"]


def test_links_of_elements_lead_to_their_logs(server: Server, name: str) -> None:
    execution = ExecutionId(launching.PROJECT, launching.DOMAIN, name)
    launching.wait(server, execution)
    link = f"http://{server.address}/api/dayfly/v1/logs/{execution}/n2%231/0/driver"
    assert "said in element b" in requests.get(link, timeout=60).text


def test_following_goes_on_over_a_restart_of_the_platform(server: Server, name: str, tmp_path: Path) -> None:
    until = tmp_path / "enough"
    execution = launching.launch_task(server, "nesting.patient", until=str(until))
    line = [BIN / "dayfly", "logs", execution.name, "--follow", "--config", server.config]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        while "said at the beginning" not in following.stdout.readline():
            assert following.poll() is None
        server.kill()
        server.start()
        until.touch()
        printed, told = following.communicate(timeout=120)
    assert following.returncode == 0, told
    assert printed.splitlines() == ["said at the end"]
