"""Who is told what of an execution's end, and how often it is tried; with a real mail server and a real web server."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2

from dayfly.base.clock import SECOND, ManualClock, Micros
from dayfly.base.settings import NotificationsSettings
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.notices import EndedRun, NewNotice, Notice
from dayfly.services import delivering, notice_texts, notifying

FAILED, SUCCEEDED = core_execution_pb2.WorkflowExecution.FAILED, core_execution_pb2.WorkflowExecution.SUCCEEDED
URL = "http://dayfly"


def ended(phase: int = FAILED, updated_at: int = 0, name: str = "one") -> EndedRun:
    spec = execution_pb2.ExecutionSpec()
    spec.launch_plan.name = "flows.train"
    spec.labels.values["team"] = "ml"
    mail = spec.notifications.notifications.add(phases=[FAILED])
    mail.email.recipients_email.extend(["ann@example.org", "bob@example.org", "ann@example.org"])
    spec.notifications.notifications.add(phases=[FAILED]).slack.recipients_email.append("slack@example.org")
    spec.notifications.notifications.add(phases=[SUCCEEDED]).pager_duty.recipients_email.append("duty@example.org")
    closure = execution_pb2.ExecutionClosure(phase=phase)
    closure.workflow_id.name, closure.workflow_id.version = "flows.train", "v1"
    closure.duration.FromSeconds(65)
    if phase == FAILED:
        closure.error.code, closure.error.message = "USER:ValueError", "it broke\nbadly"
    name_of = core_execution_pb2.WorkflowExecution.Phase.Name(phase)
    return EndedRun(
        ExecutionId("p", "d", name), spec.SerializeToString(), closure.SerializeToString(), name_of, Micros(updated_at)
    )


def build(run: EndedRun, *, slack: bool = False, webhooks: dict[str, str] | None = None) -> list[NewNotice]:
    return notice_texts.build(run, public_url=URL, slack=slack, webhooks=webhooks or {})


def test_those_are_told_who_asked_for_this_phase() -> None:
    assert [(one.kind, one.target) for one in build(ended())] == [
        ("email", "ann@example.org"),
        ("email", "bob@example.org"),
        ("email", "slack@example.org"),
    ]
    assert [(one.kind, one.target) for one in build(ended(), slack=True)][-1] == ("slack", "")
    assert [(one.kind, one.target) for one in build(ended(SUCCEEDED))] == [("email", "duty@example.org")]


def test_the_text_says_what_happened_and_where_to_look() -> None:
    first = build(ended())[0]
    assert first.subject == "p/d: flows.train FAILED"
    assert "ended FAILED after 0:01:05" in first.body
    assert "USER:ValueError: it broke" in first.body
    assert first.body.endswith("http://dayfly/console/projects/p/domains/d/executions/one")


def test_webhooks_get_the_phases_they_want_as_json() -> None:
    webhooks = {"http://all": "", "http://failed": "aborted, failed", "http://good": "SUCCEEDED"}
    found = [one for one in build(ended(), webhooks=webhooks) if one.kind == "webhook"]
    assert [one.target for one in found] == ["http://all", "http://failed"]
    told = json.loads(found[0].body)
    assert told["execution"] == {"project": "p", "domain": "d", "name": "one"}
    assert (told["phase"], told["duration_seconds"], told["labels"]) == ("FAILED", 65.0, {"team": "ml"})
    assert told["error"] == {"code": "USER:ValueError", "message": "it broke\nbadly", "kind": "UNKNOWN"}


class Kept:
    """Notices in memory, as far as the notifier sees them."""

    def __init__(self, *ends: EndedRun) -> None:
        self.ends = list(ends)
        self.waiting: dict[int, tuple[Notice, Micros]] = {}
        self.settled: list[tuple[int, str, Micros | None]] = []
        self.taken_up = 0

    async def begin(self, now: Micros) -> None: ...

    async def list_ended(self, limit: int) -> list[EndedRun]:
        return self.ends[:limit]

    async def take_up(self, seen_until: Micros, notices: Any, *, now: Micros) -> None:
        self.taken_up += 1
        for one in notices:
            number = len(self.waiting)
            self.waiting[number] = (Notice(number, one.kind, one.target, one.subject, one.body, 0), now)

    async def list_due(self, now: Micros, limit: int) -> list[Notice]:
        return [notice for notice, due in self.waiting.values() if due <= now][:limit]

    async def settle(self, number: int, *, error: str, due_at: Micros | None) -> None:
        self.settled.append((number, error, due_at))
        notice, _ = self.waiting.pop(number)
        if due_at is not None:
            again = Notice(number, notice.kind, notice.target, notice.subject, notice.body, notice.tries + 1)
            self.waiting[number] = (again, due_at)


async def test_an_end_is_taken_up_once_though_it_is_looked_at_again() -> None:
    kept, clock = Kept(ended(SUCCEEDED, updated_at=100 * SECOND)), ManualClock()
    notifier = notifying.Notifier(kept, notifying.Channels({}), clock, public_url=URL)
    assert not await notifier.take_up_ended()
    assert not await notifier.take_up_ended()
    assert kept.taken_up == 1
    kept.ends.append(ended(SUCCEEDED, updated_at=101 * SECOND, name="two"))
    await notifier.take_up_ended()
    assert [notice.target for notice, _ in kept.waiting.values()] == ["duty@example.org"] * 2


async def test_a_delivery_is_tried_again_with_growing_pauses_and_given_up_at_last() -> None:
    kept, clock = Kept(ended(SUCCEEDED)), ManualClock()
    tried: list[Micros] = []

    async def fail(notice: Notice) -> None:
        tried.append(clock.now())
        raise notifying.CannotDeliver("nobody answers")

    notifier = notifying.Notifier(kept, notifying.Channels({"email": fail}), clock, public_url=URL)
    await notifier.take_up_ended()
    for _ in range(20):
        await notifier.deliver_due()
        clock.advance(max(notifying.PAUSES_SECONDS))
    assert len(tried) == len(notifying.PAUSES_SECONDS) + 1
    pauses = [due - at for (_, _, due), at in zip(kept.settled, tried, strict=True) if due is not None]
    assert pauses == [int(pause * SECOND) for pause in notifying.PAUSES_SECONDS]
    assert kept.settled[-1] == (0, "nobody answers", None)
    assert not kept.waiting


async def test_what_nothing_is_set_up_for_is_given_up_and_says_so() -> None:
    kept = Kept(ended(SUCCEEDED))
    notifier = notifying.Notifier(kept, notifying.Channels({}), ManualClock(), public_url=URL)
    await notifier.take_up_ended()
    await notifier.deliver_due()
    ((_, error, due),) = kept.settled
    assert "No way to send notices of kind 'email' is set" in error
    assert due is None


class Mailbox:
    """What a mail server got; it refuses `nobody@` for good and `later@` for now."""

    def __init__(self) -> None:
        self.got: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody@"):
            return "550 there is nobody here"
        if address.startswith("later@"):
            return "450 try again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.got.append(envelope)
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, delivering.Mail]]:
    box = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, delivering.Mail(NotificationsSettings(smtp_host="127.0.0.1", smtp_port=port, sender="dayfly@here"))
    server.stop()


def notice(kind: str, target: str) -> Notice:
    return Notice(1, kind, target, "p/d: flows\nFAILED", "it broke", 0)


async def test_mail_arrives(mail: tuple[Mailbox, delivering.Mail]) -> None:
    box, send = mail
    await send(notice("email", "ann@example.org"))
    (got,) = box.got
    assert (got.mail_from, got.rcpt_tos) == ("dayfly@here", ["ann@example.org"])
    text = got.content.decode()
    assert "Subject: p/d: flows FAILED" in text
    assert "it broke" in text


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("nobody@example.org", notifying.Undeliverable),
        ("later@example.org", notifying.CannotDeliver),
        ("ann@example.org\nBcc: all@example.org", notifying.Undeliverable),
    ],
)
async def test_what_the_mail_server_refuses(
    mail: tuple[Mailbox, delivering.Mail], target: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        await mail[1](notice("email", target))
    assert mail[0].got == []


async def test_a_mail_server_that_is_away_is_tried_again() -> None:
    send = delivering.Mail(NotificationsSettings(smtp_host="127.0.0.1", smtp_port=9))
    with pytest.raises(notifying.CannotDeliver, match=r"127\.0\.0\.1:9"):
        await send(notice("email", "ann@example.org"))


@asynccontextmanager
async def answering(status: int) -> AsyncIterator[tuple[str, list[bytes]]]:
    got: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(next(line for line in head.lower().split(b"\r\n") if b"content-length" in line).split(b":")[1])
        got.append(await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook", got


async def test_webhooks_and_slack_are_posted() -> None:
    async with answering(200) as (address, got):
        channels = delivering.channels(NotificationsSettings(slack_webhook=address, webhooks={address: ""}))
        assert set(channels.by_kind) == {"slack", "webhook"}
        await channels.by_kind["slack"](notice("slack", ""))
        await channels.by_kind["webhook"](notice("webhook", address))
    assert json.loads(got[0])["text"].startswith("*p/d: flows")
    assert got[1] == b"it broke"


@pytest.mark.parametrize(
    ("status", "kind"), [(404, notifying.Undeliverable), (500, notifying.CannotDeliver), (429, notifying.CannotDeliver)]
)
async def test_what_a_webhook_refuses(status: int, kind: type[Exception]) -> None:
    async with answering(status) as (address, _):
        with pytest.raises(kind, match=str(status)):
            await delivering.post_webhook(notice("webhook", address))


async def test_a_webhook_that_is_away_is_tried_again() -> None:
    with pytest.raises(notifying.CannotDeliver):
        await delivering.post_webhook(notice("webhook", "http://127.0.0.1:9/hook"))
