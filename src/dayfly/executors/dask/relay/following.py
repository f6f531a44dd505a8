"""News of clusters of pods: what their groups report, and the last report again where a role has told something new."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import msgspec

from dayfly.base.clock import Micros

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.pod_groups import PodGroupReport, PodGroups


class News:
    """The news of one provider's clusters."""

    def __init__(self, groups: PodGroups, clock: Clock) -> None:
        self._groups, self._clock = groups, clock
        self._last: dict[AttemptKey, PodGroupReport] = {}
        self._waiting: asyncio.Queue[PodGroupReport | AttemptKey | None] = asyncio.Queue()
        self._noted: set[AttemptKey] = set()

    def begin(self, report: PodGroupReport) -> None:
        """An attempt was taken back: this is how it is."""
        self._last[report.key] = report

    def note(self, key: AttemptKey) -> None:
        """A role of this attempt has told something."""
        if key not in self._noted:
            self._noted.add(key)
            self._waiting.put_nowait(key)

    def forget(self, key: AttemptKey) -> None:
        """Let go of an attempt."""
        self._last.pop(key, None)

    async def watch(self) -> AsyncIterator[PodGroupReport]:
        """Yield reports until the groups are let go. After the one in which a group has ended, none is repeated."""
        reading = asyncio.create_task(self._read(), name="reports of pods")
        try:
            while (news := await self._waiting.get()) is not None:
                if isinstance(news, str):
                    self._noted.discard(news)
                    last = self._last.get(news)
                    if last is None or last.ended:
                        continue
                    report = msgspec.structs.replace(last, at=self._clock.now())
                else:
                    report = news
                yield self._dated(report)
            reading.result()
        finally:
            reading.cancel()

    def _dated(self, report: PodGroupReport) -> PodGroupReport:
        """Return a report as news: what is no younger than what was told before, nobody takes for that. An end is told
        when its logs are complete, which is later than when it was seen."""
        last = self._last.get(report.key)
        if last is not None and report.at <= last.at:
            report = msgspec.structs.replace(report, at=Micros(last.at + 1))
        self._last[report.key] = report
        return report

    async def _read(self) -> None:
        try:
            async for report in self._groups.watch():
                self._waiting.put_nowait(report)
        finally:
            self._waiting.put_nowait(None)
