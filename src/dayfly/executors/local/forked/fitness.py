"""Whether user modules may be imported before a fork: what importing them leaves behind that children must not share.

Used by `preloading`. Threads do not survive a fork; sockets, pipes and event loops would be one for all children;
processes have one parent only; and what an attempt alone finds in its environment is not there yet.
"""

from __future__ import annotations

import contextlib
import os
import threading
from types import TracebackType
from typing import ClassVar

from . import processes

FORK_SAFE_THREADS = frozenset({"jemalloc_bg_thd"})
"""Names of threads that importing may start: jemalloc, which pyarrow and so pandas bring, ends its own before a fork
and starts it anew in the child (`background_thread_postfork_child` in jemalloc/jemalloc)."""

OF_ATTEMPT = (
    "FLYTE_INTERNAL_EXECUTION_",
    "FLYTE_INTERNAL_TASK_",
    "FLYTE_ATTEMPT_NUMBER",
    "FLYTE_EXECUTION_URL",
    "DASK_SCHEDULER_ADDRESS",
)
"""Variables, by how their names begin, that an attempt alone has."""


class _NotingEnviron(os._Environ):  # type: ignore[type-arg]
    """The environment while modules are imported: it notes which variables of an attempt they ask for by name."""

    asked: ClassVar[set[str]] = set()

    def __getitem__(self, key: str) -> str:
        if isinstance(key, str) and key.startswith(OF_ATTEMPT):
            self.asked.add(key)
        value: str = super().__getitem__(key)
        return value


class Watch:
    """What changes in this process while the context lives."""

    def __enter__(self) -> Watch:
        self._threads, self._shared = _native_threads(), _shared()
        self._children = set(processes.children(os.getpid()))
        self._environ = os.environ.__class__
        _NotingEnviron.asked = set()
        os.environ.__class__ = _NotingEnviron
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.environ.__class__ = self._environ

    def objection(self) -> str:
        """Return what speaks against forking children that all have it; empty if nothing does."""
        if threading.active_count() > 1:
            return f"starts threads ({', '.join(thread.name for thread in threading.enumerate()[1:])})"
        if _native_threads() > self._threads:
            return "starts native threads"
        if started := set(processes.children(os.getpid())) - self._children:
            return f"starts processes ({', '.join(map(processes.command, started))})"
        if opened := _shared() - self._shared:
            return f"opens {', '.join(sorted({link.partition(':[')[0] for _, link in opened}))}"
        if _NotingEnviron.asked:
            return f"asks for {', '.join(sorted(_NotingEnviron.asked))}, which attempts alone have"
        return ""


def _native_threads() -> int:
    """Count this process's threads, those left out that their library stops before a fork and starts again after it."""
    count = 0
    for thread in os.listdir("/proc/self/task"):
        with contextlib.suppress(OSError), open(f"/proc/self/task/{thread}/comm") as name:
            count += name.read().strip() not in FORK_SAFE_THREADS
    return count


def _shared() -> set[tuple[str, str]]:
    """Return the open descriptors that are no files, each with what it is: sockets, pipes, what event loops wait on."""
    found = set()
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):
            found.add((descriptor, os.readlink(f"/proc/self/fd/{descriptor}")))
    return {(descriptor, link) for descriptor, link in found if not link.startswith("/")}
