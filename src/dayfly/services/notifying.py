"""Tells people of executions that have ended: by mail, in Slack, and by webhooks. Started by `assembly`.

No execution waits for this. What is to be told is stored first and delivered then, again and again with growing pauses
until it goes well or there is no hope; a crash in between tells somebody twice at worst, and nobody not at all.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from dayfly.base import errors, logs
from dayfly.base.clock import SECOND, Clock, Micros
from dayfly.ports.notices import Notice, Notices
from dayfly.services import notice_texts

POLL_SECONDS = 1.0

ENDS_AT_ONCE = 200

DELIVERIES_AT_ONCE = 16

LATE_SECONDS = 60.0
"""Commits come out of order by less than this: ends of the last minute are looked at again."""

PAUSES_SECONDS = (10.0, 30.0, 120.0, 600.0, 1800.0, 3600.0, 7200.0, 14400.0)
"""After each try that failed; after the last there is none, about eight hours later."""

_log = logs.get("notifications")


class CannotDeliver(errors.PlatformError):
    """A notice could not be handed over now."""


class Undeliverable(errors.UserError):
    """A notice that no further try would deliver."""


Deliver = Callable[[Notice], Awaitable[None]]
"""Hands a notice over. Raises `CannotDeliver`, `Undeliverable`."""


@dataclass(frozen=True)
class Channels:
    """What there is to deliver with."""

    by_kind: Mapping[str, Deliver]
    """`email`, `slack`, `webhook`; one that is missing is not set up."""
    webhooks: Mapping[str, str] = field(default_factory=dict)
    """Addresses that are told of every end, with the phases they want, separated by commas; none is all."""


class Notifier:
    """Takes up what has ended, and delivers what is due."""

    def __init__(self, notices: Notices, channels: Channels, clock: Clock, *, public_url: str) -> None:
        self._notices, self._channels, self._clock, self._public_url = notices, channels, clock, public_url
        self._seen: dict[str, Micros] = {}

    async def run(self) -> None:
        """Go on until cancelled."""
        begun = False
        while True:
            try:
                if not begun:
                    await self._notices.begin(self._clock.now())
                    begun = True
                busy = await self.take_up_ended()
                busy = await self.deliver_due() or busy
            except errors.PlatformError as error:
                _log.warning("cannot look for what has ended; trying again", error=str(error))
                busy = False
            if not busy:
                await asyncio.sleep(POLL_SECONDS)

    async def take_up_ended(self) -> bool:
        """Store notices of what has ended since the last look; say whether there may be more."""
        ended = await self._notices.list_ended(ENDS_AT_ONCE + len(self._seen))
        new = [one for one in ended if self._seen.get(str(one.id)) != one.updated_at]
        if not new:
            return False
        told = [
            notice
            for one in new
            for notice in notice_texts.build(
                one,
                public_url=self._public_url,
                slack="slack" in self._channels.by_kind,
                webhooks=self._channels.webhooks,
            )
        ]
        until = Micros(new[-1].updated_at - int(LATE_SECONDS * SECOND))
        await self._notices.take_up(until, told, now=self._clock.now())
        self._seen = {name: at for name, at in self._seen.items() if at >= until}
        self._seen.update((str(one.id), one.updated_at) for one in new if one.updated_at >= until)
        return len(ended) >= ENDS_AT_ONCE

    async def deliver_due(self) -> bool:
        """Try what is due once; say whether there may be more."""
        due = await self._notices.list_due(self._clock.now(), DELIVERIES_AT_ONCE)
        await asyncio.gather(*(self._deliver(notice) for notice in due))
        return len(due) == DELIVERIES_AT_ONCE

    async def _deliver(self, notice: Notice) -> None:
        error, again = "", False
        try:
            deliver = self._channels.by_kind.get(notice.kind)
            if deliver is None:
                raise Undeliverable(
                    f"No way to send notices of kind {notice.kind!r} is set.", remedy="See docs/notifications.md."
                )
            await deliver(notice)
        except CannotDeliver as failed:
            error, again = str(failed), notice.tries < len(PAUSES_SECONDS)
        except Undeliverable as failed:
            error = str(failed)
        pause = PAUSES_SECONDS[min(notice.tries, len(PAUSES_SECONDS) - 1)]
        due_at = Micros(self._clock.now() + int(pause * SECOND)) if again else None
        await self._notices.settle(notice.number, error=error, due_at=due_at)
        if error:
            said = "a notice could not be delivered; it is tried again" if again else "a notice is given up"
            _log.warning(said, kind=notice.kind, to=notice.target, about=notice.subject, error=error)
