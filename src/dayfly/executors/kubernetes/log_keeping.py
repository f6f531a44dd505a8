"""Brings the logs of a group's containers home while they are written, so that they outlive their pods.

Lines come with the moments at which they were written. After a break, or under a new platform, a log is asked for from
where it was: what the kubelet still has of it is not brought twice, and what it has no more stays.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dayfly.base import errors, log_tails, logs
from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import log_stamps, log_writing, manifests, names, remembering
from dayfly.model.identifiers import AttemptKey

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import LineTaker, Manifest

TAIL_LINES, TAIL_BYTES = 20, 16 * 1024

PAUSE_SECONDS = 1.0
"""Before a log is asked for again that broke off."""

AGAIN_SECONDS = 15
"""Of what an earlier platform has brought, so much is shown again to who takes lines: it may have ended amid some."""

_log = logs.get("executors.kubernetes")


class LogKeeper:
    """Follows containers' logs into files: `<role>.log` of the primary container, `<role>.<container>.log` of others.

    `folder_of` returns the folder of an attempt's logs; no file grows much above `max_bytes`, 0 is no limit.
    """

    def __init__(self, api: Api, folder_of: Callable[[str], Path], max_bytes: int) -> None:
        self._api, self._folder_of, self._max_bytes = api, folder_of, max_bytes
        self.memory = remembering.Memory(folder_of)
        self._following: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._by_key: dict[str, dict[asyncio.Task[None], str]] = {}
        """With the role of each."""
        self._logs: dict[str, dict[str, log_writing.TimedLog]] = {}
        self._sources: dict[tuple[str, str], dict[tuple[str, str, int], Source]] = {}
        """Those that are followed, by group and pod."""
        self._failed = self._taker_failed = False
        self.taker: LineTaker | None = None

    def look(self, key: str, pod: Manifest) -> None:
        """Follow every container of the pod that has begun, and is not followed yet."""
        metadata, status = pod["metadata"], pod.get("status") or {}
        sources = self._sources.setdefault((key, metadata["name"]), {})
        for which, source in sources.items():
            if _is_over(which, pod):
                source.over.set()
        role, primary = names.role_of(pod), manifests.primary_of(pod)
        for container in (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])):
            state = container.get("state") or {}
            if not ("running" in state or "terminated" in state):
                continue
            which = (metadata["uid"], container["name"], int(container.get("restartCount") or 0))
            if which in self._following:
                continue
            name = container["name"]
            source = Source(metadata["namespace"], metadata["name"], name, key, role, name == primary, asyncio.Event())
            if _is_over(which, pod):
                source.over.set()
            sources[which] = source
            task = asyncio.create_task(self._follow(source), name=f"log of {source.pod}/{name}")
            self._following[which] = task
            self._by_key.setdefault(key, {})[task] = role

    def tell_gone(self, key: str, pod: str) -> None:
        """Take in that the pod of this name is no more: its logs, once they end, are complete."""
        for source in self._sources.get((key, pod), {}).values():
            source.over.set()

    async def wait(self, key: str, seconds: float, role: str = "") -> None:
        """Wait until all logs of the group that were begun are complete, or those of one role; so long at most."""
        tasks = [task for task, its in self._by_key.get(key, {}).items() if role in ("", its)]
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def drop(self, key: str) -> None:
        """Forget a group; what is still followed is let go."""
        self.memory.drop(key)
        tasks = self._by_key.pop(key, {})
        for task in tasks:
            task.cancel()
        self._following = {which: task for which, task in self._following.items() if task not in tasks}
        self._sources = {of: sources for of, sources in self._sources.items() if of[0] != key}
        for log in self._logs.pop(key, {}).values():
            log.close()

    def tail(self, key: str, role: str) -> str:
        """Return the last lines of a role's log; empty if there is none."""
        return log_tails.last_lines(self._folder_of(key) / f"{role}.log", TAIL_BYTES, TAIL_LINES)

    async def close(self) -> None:
        """Let go of all, and return once nothing reads any more: connections that are closed under a reader leak."""
        tasks = [task for each in self._by_key.values() for task in each]
        for key in tuple(self._by_key):
            self.drop(key)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, source: Source) -> None:
        """Write the log until the container ends. One that breaks off is continued where it was, and so is one that
        ends while its container goes on: the API server, or who stands before it, has ended the answer."""
        name = source.role if source.primary else f"{source.role}.{source.container}"
        opened = self._logs.setdefault(source.key, {})
        if name not in opened:
            path = self._folder_of(source.key) / f"{name}.log"
            opened[name] = log_writing.TimedLog(path, self._max_bytes)
        log, last = opened[name], 0
        asked = False
        since = max(0, log.begins_micros // 1_000_000 - AGAIN_SECONDS) if log.begins_micros else 0
        while True:
            again = last  # Later on, stamps may be alike or go back: clocks are set.
            try:
                async for raw in self._api.follow_log(source.namespace, source.pod, source.container, since):
                    at_nanos, line = log_stamps.split(raw)
                    if (again and at_nanos <= again) or ((last or asked) and not at_nanos):
                        continue  # It came before the break, or is what the kubelet has to say itself.
                    again, last = 0, at_nanos or last
                    self._take(source, log, line, last // 1000)
            except errors.NotFound:
                break
            except errors.DayflyError as error:
                _log.info("a log broke off", pod=source.pod, container=source.container, error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)
            else:
                # The log may end before it is seen that its container has.
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(source.over.wait(), PAUSE_SECONDS)
                if source.over.is_set():
                    break
            asked, since = True, last // 1_000_000_000 or since
        with contextlib.suppress(OSError):
            log.end()

    def _take(self, source: Source, log: log_writing.TimedLog, line: bytes, at_micros: int) -> None:
        if source.primary and self.taker is not None:
            try:
                kept = self.taker(AttemptKey(source.key), source.role, line, Micros(at_micros))
            # A line is the user's, and no reason not to bring home those that follow.
            except Exception:  # noqa: BLE001
                if not self._taker_failed:
                    _log.exception("a line of a log cannot be read", key=source.key, role=source.role)
                self._taker_failed, kept = True, line
            if kept is None:
                return
            line = kept
        try:
            log.add(line, at_micros)
        except OSError as error:
            if not self._failed:
                _log.warning("logs have gaps", key=source.key, role=source.role, error=str(error))
            self._failed = True


class Source(NamedTuple):
    """A container whose log is followed."""

    namespace: str
    pod: str
    container: str
    key: str
    role: str
    primary: bool
    over: asyncio.Event
    """The container has ended, or is no more: its log, once it ends, is complete."""


def _is_over(which: tuple[str, str, int], pod: Manifest) -> bool:
    """Say whether a container has ended that was begun so many times, as the pod that has its name now says."""
    uid, name, restarts = which
    status = pod.get("status") or {}
    if pod["metadata"]["uid"] != uid or status.get("phase") in ("Succeeded", "Failed"):
        return True
    for one in (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])):
        if one["name"] == name:
            begun = int(one.get("restartCount") or 0)
            return begun > restarts or (begun == restarts and "terminated" in (one.get("state") or {}))
    return False
