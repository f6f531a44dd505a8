"""Dask's own dashboard of a running cluster, through the platform's address, as a browser asks for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import requests
from tests.platforms import launching
from tests.platforms.server import Server
from websockets import exceptions
from websockets.sync import client as websockets

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "looking.py"
NAME = "looking"
EXECUTION = ExecutionId(launching.PROJECT, launching.DOMAIN, NAME)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("looking") / "data") as server:
        yield server


def test_a_living_cluster_is_looked_at(server: Server, tmp_path: Path) -> None:
    until = tmp_path / "seen"
    started = server.pyflyte(
        "run", "--remote", "--name", NAME, PROGRAM, "looked_at", "--until", until, cwd=PROGRAM.parent
    )
    assert started.returncode == 0, started.stdout + started.stderr
    link = wait_for_link(server)
    assert link.startswith(f"http://{server.address}/api/dayfly/v1/dashboards/flytesnacks/development/{NAME}/")

    page = requests.get(link, timeout=60)
    assert page.status_code == 200
    assert "sandbox" in page.headers["content-security-policy"]
    prefix = link.removesuffix("/status")
    assert requests.get(f"{prefix}/", allow_redirects=False, timeout=60).headers["location"].endswith("/status")
    assert requests.get(f"{prefix}/statics/css/base.css", timeout=60).status_code == 200
    assert "worker-1" in requests.get(f"{prefix}/info/main/workers.html", timeout=60).text
    assert requests.get(f"{prefix}/no-such-page", timeout=60).status_code == 404
    assert requests.get(link, headers={"Host": "evil.example"}, timeout=60).status_code == 403
    assert requests.get(prefix.rsplit("/", 1)[0] + "/7/status", timeout=60).status_code == 404

    token = re.findall(r'"token":"([^"]+)"', page.text)[0]
    address = prefix.replace("http://", "ws://") + "/status/ws"
    with websockets.connect(address, subprotocols=["bokeh", token], origin="null", proxy=None) as socket:
        assert socket.subprotocol == "bokeh"
        assert '"ACK"' in "".join(str(socket.recv(timeout=60)) for _ in range(3))
    with pytest.raises(exceptions.InvalidStatus), websockets.connect(address, origin="http://evil.example", proxy=None):
        pass

    until.touch()
    ended, _ = launching.wait(server, EXECUTION)
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    gone = requests.get(link, timeout=60)
    assert gone.status_code == 404
    assert "no living Dask cluster" in gone.json()["error"]
    logs = server.dayfly("logs", NAME, "--config", server.config)
    assert "Dask dashboard" not in logs.stdout
    assert "driver" in logs.stdout


def wait_for_link(server: Server) -> str:
    """Return the link among the attempt's logs, as clients see it, once the cluster has one."""
    found: list[str] = []

    def look() -> list[str]:
        nodes = launching.look(server, EXECUTION).nodes
        logs = [log for node in nodes for attempt in node.attempts for log in attempt.logs]
        found.extend(log.uri for log in logs if log.name == "Dask dashboard")
        return found

    launching.wait_until(look, "a link to the dashboard")
    return found[0]
