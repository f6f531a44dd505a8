"""Hands notices over: to a mail server, to Slack, to any webhook. Vendors' errors end here."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import httpx

from dayfly.base.settings import NotificationsSettings
from dayfly.ports.notices import Notice
from dayfly.services.notifying import CannotDeliver, Channels, Deliver, Undeliverable

SECONDS = 20.0
"""For one delivery."""

REFUSED_FOR_GOOD = frozenset({400, 401, 403, 404, 405, 410, 413, 422})
"""Answers of a webhook that another try would get again."""


def channels(settings: NotificationsSettings) -> Channels:
    """Return what the settings name."""
    by_kind: dict[str, Deliver] = {}
    if settings.smtp_host:
        by_kind["email"] = Mail(settings)
    if settings.slack_webhook:
        by_kind["slack"] = Slack(settings.slack_webhook)
    if settings.webhooks:
        by_kind["webhook"] = post_webhook
    return Channels(by_kind, dict(settings.webhooks))


class Mail:
    """Mail by SMTP."""

    def __init__(self, settings: NotificationsSettings) -> None:
        self._settings = settings

    async def __call__(self, notice: Notice) -> None:
        """Send it. Raises `CannotDeliver`, `Undeliverable` for an address that the server refuses."""
        await asyncio.to_thread(self._send, self._written(notice))

    def _written(self, notice: Notice) -> EmailMessage:
        message = EmailMessage()
        try:
            message["From"], message["To"] = self._settings.sender, notice.target
            message["Subject"] = " ".join(notice.subject.split())
        except ValueError as error:
            raise Undeliverable(f"{notice.target!r} is no address: {error}.") from error
        message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="dayfly.local")
        message.set_content(notice.body)
        return message

    def _send(self, message: EmailMessage) -> None:
        said = self._settings
        place = f"{said.smtp_host}:{said.smtp_port}"
        try:
            context = ssl.create_default_context() if said.smtp_security else None
            if said.smtp_security == "tls":
                connected: smtplib.SMTP = smtplib.SMTP_SSL(
                    said.smtp_host, said.smtp_port, timeout=SECONDS, context=context
                )
            else:
                connected = smtplib.SMTP(said.smtp_host, said.smtp_port, timeout=SECONDS)
            with connected as server:
                if said.smtp_security == "starttls":
                    server.starttls(context=context)
                if said.smtp_user:
                    server.login(said.smtp_user, said.smtp_password)
                server.send_message(message)
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPSenderRefused) as error:
            raise _judged(error, place) from error
        except (smtplib.SMTPException, OSError) as error:
            raise CannotDeliver(f"the mail server {place} does not take it: {error}") from error


class Slack:
    """A channel of Slack, by its incoming webhook."""

    def __init__(self, address: str) -> None:
        self._address = address

    async def __call__(self, notice: Notice) -> None:
        """Post it. Raises `CannotDeliver`, `Undeliverable`."""
        # The address is a secret: it is not told.
        await _post(self._address, "Slack", json={"text": f"*{notice.subject}*\n{notice.body}"})


async def post_webhook(notice: Notice) -> None:
    """Post it as JSON. Raises `CannotDeliver`, `Undeliverable`."""
    await _post(notice.target, notice.target, content=notice.body)


async def _post(address: str, name: str, *, json: object = None, content: str | None = None) -> None:
    headers = {"Content-Type": "application/json", "User-Agent": "dayfly"}
    try:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            answer = await client.post(address, json=json, content=content, headers=headers)
    except httpx.InvalidURL as error:
        raise Undeliverable(f"{name} is no address: {error}") from error
    except httpx.HTTPError as error:
        raise CannotDeliver(f"{name} does not answer: {error!r}") from error
    if answer.status_code in REFUSED_FOR_GOOD:
        raise Undeliverable(f"{name} refuses it: {answer.status_code} {answer.text[:200]}")
    if not answer.is_success:
        raise CannotDeliver(f"{name} answers {answer.status_code} {answer.text[:200]}")


def _judged(
    error: smtplib.SMTPRecipientsRefused | smtplib.SMTPSenderRefused, place: str
) -> CannotDeliver | Undeliverable:
    """A code from 500 is the server's last word, one below asks for patience (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPSenderRefused):
        codes = [error.smtp_code]
    else:
        codes = [code for code, _ in error.recipients.values()]
    kind = Undeliverable if all(code >= 500 for code in codes) else CannotDeliver
    return kind(f"the mail server {place} refuses it: {error}")
