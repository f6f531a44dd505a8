"""Hands reports to whoever watches. A slow reader sees the last report of each group, and every end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from dayfly.ports.process_groups import GroupReport, GroupSpec, ProcessGroups, Room


class Watchers:
    """All who watch, and the last report of every group that is not forgotten."""

    def __init__(self) -> None:
        self._last: dict[str, GroupReport] = {}
        self._open: list[_Watcher] = []
        self._closed = False

    def tell(self, report: GroupReport) -> None:
        """Pass a report on."""
        self._last[report.key] = report
        for watcher in self._open:
            watcher.take(report)

    def drop(self, key: str) -> None:
        """Forget a group."""
        self._last.pop(key, None)

    def close(self) -> None:
        """Let all who watch finish, once they have read what waits."""
        self._closed = True
        for watcher in self._open:
            watcher.close()

    async def watch(self, keys: set[str] | None) -> AsyncIterator[GroupReport]:
        """Yield the last report of each group, then every new one; of the groups in `keys` only, if given."""
        watcher = _Watcher(keys)
        for report in list(self._last.values()):
            watcher.take(report)
        if self._closed:
            watcher.close()
        self._open.append(watcher)
        try:
            async for report in watcher:
                yield report
        finally:
            self._open.remove(watcher)

    def tell_again(self, keys: set[str], key: str) -> None:
        """Give the last report of `key` to those who watch `keys`: it has just become one of theirs."""
        if key in self._last:
            for watcher in self._open:
                if watcher.keys is keys:
                    watcher.take(self._last[key])


class Share:
    """The groups of one executor: it hears of those only that it has started or taken back itself."""

    def __init__(self, whole: ProcessGroups, watchers: Watchers) -> None:
        self._whole = whole
        self._watchers = watchers
        self._keys: set[str] = set()

    async def start(self, spec: GroupSpec) -> None:
        """Start the group as soon as the host has room, or find it started, or ended, by its key."""
        self._keys.add(spec.key)
        self._watchers.tell_again(self._keys, spec.key)
        await self._whole.start(spec)

    async def recover(self, key: str) -> GroupReport | None:
        """Return how a group is that an earlier platform started, and watch it; None if it was never started."""
        self._keys.add(key)
        self._watchers.tell_again(self._keys, key)
        return await self._whole.recover(key)

    def watch(self) -> AsyncIterator[GroupReport]:
        """Yield the reports of this executor's groups; ends when the platform has closed them."""
        return self._watchers.watch(self._keys)

    async def stop(self, key: str, *, grace_seconds: float) -> None:
        """SIGTERM to the main role, SIGKILL to all after the grace; `ended` with `stopped` follows."""
        await self._whole.stop(key, grace_seconds=grace_seconds)

    async def forget(self, key: str) -> None:
        """Remove its record and its working folder."""
        await self._whole.forget(key)
        self._keys.discard(key)

    async def leftovers(self, key: str) -> list[str]:
        """Name every process, port and file that is left of the group, logs apart; empty when clean."""
        return await self._whole.leftovers(key)

    def room(self) -> Room:
        """Return what the whole host has to give, and who has it."""
        return self._whole.room()

    async def close(self, *, grace_seconds: float) -> None:
        """End all groups, those of the other executors too: the platform ends."""
        await self._whole.close(grace_seconds=grace_seconds)


class _Watcher:
    """One reader: the reports that it has not read, the newest of each group."""

    def __init__(self, keys: set[str] | None) -> None:
        self.keys = keys
        self._waiting: dict[str, GroupReport] = {}
        self._news = asyncio.Event()
        self._closed = False

    def take(self, report: GroupReport) -> None:
        if self.keys is None or report.key in self.keys:
            self._waiting[report.key] = report
            self._news.set()

    def close(self) -> None:
        self._closed = True
        self._news.set()

    def __aiter__(self) -> _Watcher:
        return self

    async def __anext__(self) -> GroupReport:
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._news.clear()
            await self._news.wait()
        return self._waiting.pop(next(iter(self._waiting)))
