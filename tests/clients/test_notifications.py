"""Notifications and concurrency policies of launch plans, from flytekit's own classes to a mail server and a webhook."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.base import errors
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "noticed.py"


class Mailbox:
    def __init__(self) -> None:
        self.got: list[tuple[list[str], str]] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append((envelope.rcpt_tos, envelope.content.decode()))
        return "250 OK"


class Hook(HTTPServer):
    """Keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)

        self.got: list[dict[str, Any]] = []


class Answer(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))

        self.server.got.append(json.loads(body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        return


@pytest.fixture(scope="module")
def hook():
    with Hook() as hook:
        thread = threading.Thread(target=hook.serve_forever)
        thread.start()
        yield hook
        hook.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def mailbox():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    box = Mailbox()
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    yield port, box
    controller.stop()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, mailbox: tuple[int, Mailbox], hook: Hook):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_NOTIFICATIONS__SMTP_HOST", "127.0.0.1")
        patch.setenv("DAYFLY_NOTIFICATIONS__SMTP_PORT", str(mailbox[0]))
        address = f"http://127.0.0.1:{hook.server_port}/ended"
        patch.setenv("DAYFLY_NOTIFICATIONS__WEBHOOKS", json.dumps({address: "FAILED"}))
        with Server(tmp_path_factory.mktemp("noticed") / "data") as server:
            done = server.pyflyte("register", "--version", launching.VERSION, PROGRAM, cwd=PROGRAM.parent)
            assert done.returncode == 0, done.stdout + done.stderr
            yield server


def test_ends_are_told_to_whom_the_launch_plan_names(server: Server, mailbox: tuple[int, Mailbox], hook: Hook) -> None:
    _, box = mailbox
    well = launching.launch(server, "told", wait_for="")
    badly = launching.launch(server, "told", wait_for="fail")
    assert launching.wait(server, well)[0].phase is ExecutionPhase.SUCCEEDED
    assert launching.wait(server, badly)[0].phase is ExecutionPhase.FAILED
    launching.wait_until(lambda: len(box.got) == 3 and hook.got, "three mails and a webhook")
    told = sorted((to[0], "SUCCEEDED" in text, badly.name in text) for to, text in box.got)
    assert told == [
        ("ann@example.org", False, True),
        ("ann@example.org", True, False),
        ("team@example.org", False, True),
    ]
    assert any("it could not be done" in text for _, text in box.got)
    (posted,) = hook.got
    assert (posted["execution"]["name"], posted["phase"]) == (badly.name, "FAILED")
    assert "it could not be done" in posted["error"]["message"]


def test_a_policy_of_one_refuses_a_second_until_the_first_has_ended(server: Server, tmp_path: Path) -> None:
    first = launching.launch(server, "single", wait_for=str(tmp_path / "go"))
    with pytest.raises(errors.AlreadyExists, match="concurrency policy allows 1"):
        launching.launch(server, "single", wait_for="")
    (tmp_path / "go").touch()
    assert launching.wait(server, first)[0].phase is ExecutionPhase.SUCCEEDED
    second = launching.launch(server, "single", wait_for="")
    assert launching.wait(server, second)[0].phase is ExecutionPhase.SUCCEEDED
