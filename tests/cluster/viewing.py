"""One execution of a Dask task as people see it: by Dayfly's own HTTP API, and its dashboard as browsers ask for it."""

from __future__ import annotations

import html
import re
from pathlib import Path
from typing import Any

import requests
from websockets.sync import client as websockets

from dayfly.client import extras
from dayfly.model.identifiers import ExecutionId
from tests.platforms import launching
from tests.platforms.server import Server

PATIENCE_SECONDS = 120


class Viewed:
    """One execution of a Dask task, as Dayfly's own HTTP API shows it."""

    def __init__(self, server: Server, execution: ExecutionId, go: Path) -> None:
        self.server, self.execution, self.go = server, execution, go

    def look(self, attempt: int = 0) -> Any:
        """Return the attempt as clients see it; None before it is there."""
        nodes = launching.look(self.server, self.execution).nodes
        found = [one for node in nodes for one in node.attempts if one.number == attempt]
        return found[0] if found else None

    def read(self, what: str = "", attempt: int = 0, of: str = "clusters", **query: Any) -> Any:
        """Return what the API answers."""
        (node,) = [node.id for node in launching.look(self.server, self.execution).nodes if node.attempts]
        path = f"{self.execution}/{node}/{attempt}{what}"
        if of != "clusters":
            path = f"{self.execution}/nodes/{node}/attempts/{attempt}{what}"
        return extras.call(self.server.address, f"/{of}/{path}", query)

    def frames(self, attempt: int = 0) -> list[dict[str, Any]]:
        """Return the record, frame by frame."""
        frames: list[dict[str, Any]] = []
        while more := self.read("/frames", attempt, since=frames[-1]["t"] if frames else 0.0)["frames"]:
            frames += more
        return frames

    def record(self, attempt: int = 0) -> Any:
        """Return the record summed up; None before there is one."""
        return self.read("", attempt)["record"]

    def until_computing(self, attempt: int = 0) -> None:
        """Wait until the record tells of tasks."""

        def computes() -> bool:
            seen = self.look(attempt)
            if seen is None or seen.info.get("dask", {}).get("workers") != 2:
                return False
            record = self.record(attempt)
            return bool(record and record["prefixes"] and record["prefixes"][0]["done"] > 10)

        launching.wait_until(computes, "tasks in the record", PATIENCE_SECONDS)

    def end(self) -> Any:
        """Let it end, and return how it did."""
        self.go.touch()
        return launching.wait(self.server, self.execution, PATIENCE_SECONDS)[0]


def look_at_dashboard(link: str) -> requests.Response:
    """Look at a cluster of two workers whose driver is at work: pages, what they load, and what moves on them."""
    page = requests.get(link, timeout=60)
    assert page.status_code == 200, page.text
    prefix = link.removesuffix("/status")
    assert requests.get(f"{prefix}/statics/css/base.css", timeout=60).status_code == 200
    assert "worker-1" in requests.get(f"{prefix}/info/main/workers.html", timeout=60).text
    token = re.findall(r'"token":"([^"]+)"', page.text)[0]
    address = prefix.replace("http://", "ws://") + "/status/ws"
    with websockets.connect(address, subprotocols=["bokeh", token], origin="null", proxy=None) as socket:  # type: ignore[list-item]
        assert '"ACK"' in "".join(str(socket.recv(timeout=60)) for _ in range(3))
    return page


def read_report(attempt: Any) -> str:
    """Return Dask's performance report of an attempt, as its link leads to it, and see that browsers can show it."""
    link = next(log.uri for log in attempt.logs if log.name == "Dask performance report")
    page = requests.get(link, timeout=60)
    assert page.status_code == 200, page.text
    assert page.headers["content-type"].startswith("text/html")
    text = html.unescape(html.unescape(page.text))
    assert "Dask Performance Report" in text
    assert "Bokeh" in text
    assert text.rstrip().endswith("</html>"), "it is whole"
    return text.replace("\\n", " \n")
