"""Processes as Linux shows them: who descends from whom, what memory they hold, and how to be told of a parent's death.

Everything reads /proc; nothing here keeps state.
"""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36

FALLOC_FL_KEEP_SIZE = 1
FALLOC_FL_PUNCH_HOLE = 2

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

_libc = ctypes.CDLL(None, use_errno=True)
_libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def name_this(name: str) -> None:
    """Set what `ps` shows as the command of this process: 15 characters at most."""
    _libc.prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent dies, daemons included."""
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with(parent: int, signum: int) -> bool:
    """Have `signum` sent to this process when its parent dies; False if `parent` is dead already."""
    _libc.prctl(PR_SET_PDEATHSIG, signum, 0, 0, 0)
    return os.getppid() == parent


def advise(start: int, length: int, advice: int) -> bool:
    """Give the kernel advice about memory of this process; False if it does not take it."""
    return bool(_libc.madvise(start, length, advice) == 0)


def set_allocator(parameter: int, value: int) -> bool:
    """Set a parameter of glibc's allocator; False if it does not take it, or the C library is another."""
    mallopt = getattr(_libc, "mallopt", None)
    return mallopt is not None and bool(mallopt(parameter, value))


def punch_hole(descriptor: int, start: int, length: int) -> bool:
    """Give back the disk of a part of a file, which reads as zeros then; False if its file system cannot."""
    return bool(_libc.fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, length) == 0)


def children(pid: int) -> list[int]:
    """Return the children of a process, zombies included; none if it is gone."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children") as file:
                found += map(int, file.read().split())
    except (FileNotFoundError, ProcessLookupError):
        return found if os.path.exists("/proc/self/task") and _has_children_files() else _children_by_scan(pid)
    return found


def descendants(pid: int) -> list[int]:
    """Return all processes below `pid`, parents before their children."""
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = children(waiting.pop())
        found += below
        waiting += below
    return found


def stat(pid: int) -> tuple[str, int, int, int]:
    """Return (state, parent, session, start in clock ticks since boot). Raise `ProcessLookupError` if it is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except FileNotFoundError as error:
        raise ProcessLookupError(pid) from error
    return fields[0], int(fields[1]), int(fields[3]), int(fields[19])


def start_ticks(pid: int) -> int:
    """Return when the process started, in clock ticks since boot: with its id, its identity. 0 if it is gone."""
    try:
        return stat(pid)[3]
    except ProcessLookupError:
        return 0


def alive(pid: int, ticks: int) -> bool:
    """Say whether that very process still runs; a zombie does not."""
    try:
        state, _, _, started = stat(pid)
    except ProcessLookupError:
        return False
    return started == ticks and state not in "ZX"


def command(pid: int) -> str:
    """Return what `ps` shows as its command; empty if it is gone."""
    try:
        with open(f"/proc/{pid}/comm") as file:
            return file.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def tree_memory(pid: int, limit_bytes: int) -> int:
    """Return the bytes of memory that a process and all below it hold.

    Resident memory first, which is cheap. Only where that is above the limit and shared between several processes are
    the shares of each counted: children forked from one parent would count the same pages again and again.
    """
    tree = [pid, *descendants(pid)]
    total = sum(_resident(one) for one in tree)
    if total > limit_bytes and len(tree) > 1:
        return max(_resident(pid), sum(_proportional(one) for one in tree))
    return total


def tree_cpu_seconds(pid: int) -> float:
    """Return the seconds of CPU that a process and all below it have used, those included that they have waited for."""
    ticks = 0
    for one in (pid, *descendants(pid)):
        try:
            with open(f"/proc/{one}/stat") as file:
                ticks += sum(map(int, file.read().rpartition(")")[2].split()[11:15]))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return ticks / _TICKS_A_SECOND


def give_way(pid: int, niceness: int) -> None:
    """Lower the priority of a process and all below it to that, where it is higher."""
    for one in (pid, *descendants(pid)):
        try:
            # On Linux each thread has a priority of its own; those that it starts have its own.
            for thread in map(int, os.listdir(f"/proc/{one}/task")):
                if os.getpriority(os.PRIO_PROCESS, thread) < niceness:
                    os.setpriority(os.PRIO_PROCESS, thread, niceness)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def send(pid: int, signum: int, *, group: bool = False) -> None:
    """Send a signal to a process, or its process group; one that is gone is fine."""
    try:
        (os.killpg if group else os.kill)(pid, signum)
    except (ProcessLookupError, PermissionError):
        pass


def kill_all(find: Callable[[], list[int]], reap: Callable[[], None], *, patience_seconds: float = 10.0) -> bool:
    """Kill what `find()` returns, and `reap()`, until it returns nothing; False if something outlives the patience."""
    end = time.monotonic() + patience_seconds
    pause = 0.0005
    while left := find():
        for pid in left:
            send(pid, signal.SIGKILL)
        reap()
        if time.monotonic() > end:
            return False
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
    return True


def reap() -> list[tuple[int, int, int]]:
    """Reap all children that have ended: (pid, wait status, peak resident bytes of it and what it waited for)."""
    ended: list[tuple[int, int, int]] = []
    while True:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return ended
        if pid == 0:
            return ended
        ended.append((pid, status, usage.ru_maxrss * 1024))


def _has_children_files() -> bool:
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def _children_by_scan(pid: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if stat(int(name))[1] == pid:
                    found.append(int(name))
            except ProcessLookupError:
                continue
    return found


def _resident(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def _proportional(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0
