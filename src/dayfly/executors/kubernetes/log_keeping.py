"""Brings the logs of a group's containers home while they are written, so that they outlive their pods."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.base import errors, log_tails, logs
from dayfly.executors.kubernetes import manifests, names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import Manifest

TAIL_LINES, TAIL_BYTES = 20, 16 * 1024

PAUSE_SECONDS = 1.0
"""Before a log is asked for again that broke off."""

_log = logs.get("executors.kubernetes")


class LogKeeper:
    """Follows containers' logs into files: `<role>.log` of the primary container, `<role>.<container>.log` of others.

    `folder_of` returns the folder of an attempt's logs; no file grows above `max_bytes`, 0 is no limit.
    """

    def __init__(self, api: Api, folder_of: Callable[[str], Path], max_bytes: int) -> None:
        self._api, self._folder_of, self._max_bytes = api, folder_of, max_bytes
        self._following: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._by_key: dict[str, set[asyncio.Task[None]]] = {}

    def look(self, key: str, pod: Manifest) -> None:
        """Follow every container of the pod that has begun, and is not followed yet."""
        metadata, status = pod["metadata"], pod.get("status") or {}
        role, primary = names.role_of(pod), manifests.primary_of(pod)
        for container in (*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])):
            state = container.get("state") or {}
            if not ("running" in state or "terminated" in state):
                continue
            which = (metadata["uid"], container["name"], int(container.get("restartCount") or 0))
            if which in self._following:
                continue
            name = container["name"]
            file = self._folder_of(key) / (f"{role}.log" if name == primary else f"{role}.{name}.log")
            # What was brought by an earlier platform is brought again, from the beginning, while the pod has it.
            anew = not any(known[:2] == which[:2] for known in self._following) and which[2] == 0
            follow = self._follow(metadata["namespace"], metadata["name"], name, file, anew=anew)
            task = asyncio.create_task(follow, name=f"log of {metadata['name']}/{name}")
            self._following[which] = task
            self._by_key.setdefault(key, set()).add(task)

    async def wait(self, key: str, seconds: float) -> None:
        """Wait until all logs of the group that were begun are complete, so long at most."""
        tasks = self._by_key.get(key, set())
        if tasks:
            await asyncio.wait(tasks, timeout=seconds)

    def drop(self, key: str) -> None:
        """Forget a group; what is still followed is let go."""
        tasks = self._by_key.pop(key, set())
        for task in tasks:
            task.cancel()
        self._following = {which: task for which, task in self._following.items() if task not in tasks}

    def tail(self, key: str, role: str) -> str:
        """Return the last lines of a role's log; empty if there is none."""
        return log_tails.last_lines(self._folder_of(key) / f"{role}.log", TAIL_BYTES, TAIL_LINES)

    async def close(self) -> None:
        """Let go of all, and return once nothing reads any more: connections that are closed under a reader leak."""
        tasks = [task for each in self._by_key.values() for task in each]
        for key in tuple(self._by_key):
            self.drop(key)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, namespace: str, pod: str, container: str, path: Path, *, anew: bool) -> None:
        """Write the log until the container ends. One that breaks off is continued where it was."""
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True)
        lines, written = 0, 0
        while True:
            skip = lines
            try:
                with path.open("wb" if anew and not lines else "ab", buffering=0) as file:
                    async for line in self._api.follow_log(namespace, pod, container):
                        if skip:
                            skip -= 1
                            continue
                        lines += 1
                        written += self._write(file.write, line, written)
                return
            except errors.NotFound:
                return
            except errors.DayflyError as error:
                _log.info("a log broke off", pod=pod, container=container, error=str(error))
                await asyncio.sleep(PAUSE_SECONDS)

    def _write(self, write: Callable[[bytes], object], line: str, written: int) -> int:
        raw = line.encode() + b"\n"
        if not self._max_bytes or written + len(raw) <= self._max_bytes:
            write(raw)
            return len(raw)
        if written <= self._max_bytes:
            write(b"... the rest of this log is left out: it is longer than the platform keeps\n")
        return len(raw)
