"""Copies ahead of time the memory that a role is going to write to.

A forked process shares its parent's pages until it writes to them; half the time of a short task goes into these
copies. The first attempt of a fork server notes which pages it has copied, and processes that wait for their order
meanwhile copy the same. A wrong guess costs a little memory, nothing else.
"""

from __future__ import annotations

import array
import mmap
from collections.abc import Iterator

from . import processes

PRESENT = 1 << 63
EXCLUSIVE = 1 << 56
"""Bits of an entry of /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst in the Linux sources)."""

POPULATE_WRITE = 23
"""MADV_POPULATE_WRITE of madvise(2); Linux before 5.14 refuses it, and then nothing is copied."""

MOST_BYTES = 32 * 1024 * 1024
"""A task that writes to more than this is no short one: the copies would cost more than they save."""


def find_copied() -> list[tuple[int, int]]:
    """Return the private memory that this process shares with nobody: pairs of start and length in bytes."""
    found: list[tuple[int, int]] = []
    try:
        with open("/proc/self/pagemap", "rb", buffering=0) as pagemap:
            for start, end in _writable():
                pagemap.seek(start // mmap.PAGESIZE * 8)
                entries = array.array("Q", pagemap.read((end - start) // mmap.PAGESIZE * 8))
                found += _runs(start, entries)
    except (OSError, ValueError):
        return []
    return found if sum(length for _, length in found) <= MOST_BYTES else []


def copy(ranges: list[tuple[int, int]]) -> None:
    """Copy these pages now, where this process has them."""
    for start, length in ranges:
        processes.advise(start, length, POPULATE_WRITE)


def _writable() -> Iterator[tuple[int, int]]:
    with open("/proc/self/maps") as maps:
        for line in maps:
            addresses, permissions = line.split()[:2]
            if permissions == "rw-p":
                start, end = (int(part, 16) for part in addresses.split("-"))
                yield start, end


def _runs(start: int, entries: array.array[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    wanted = PRESENT | EXCLUSIVE
    first = None
    for number, entry in enumerate(entries):
        if entry & wanted == wanted:
            if first is None:
                first = number
        elif first is not None:
            runs.append((start + first * mmap.PAGESIZE, (number - first) * mmap.PAGESIZE))
            first = None
    if first is not None:
        runs.append((start + first * mmap.PAGESIZE, (len(entries) - first) * mmap.PAGESIZE))
    return runs
