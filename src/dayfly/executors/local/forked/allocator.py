"""Tells the C library's allocator what its variables say: it reads them as a program starts, and a role is forked.

Called by `role`. Without this, who sets `MALLOC_TRIM_THRESHOLD_` or `MALLOC_ARENA_MAX` for a task is not heard, and a
Dask worker, for which a nanny would set the former, keeps what it has freed: it stays paused for memory that holds
nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

from . import processes

PARAMETERS = {
    "MALLOC_TRIM_THRESHOLD_": -1,
    "MALLOC_TOP_PAD_": -2,
    "MALLOC_MMAP_THRESHOLD_": -3,
    "MALLOC_MMAP_MAX_": -4,
    "MALLOC_ARENA_MAX": -8,
}
"""What glibc reads, and the number by which `mallopt` has it (malloc/malloc.h, mallopt(3))."""

_LARGEST = 2**31 - 1
"""`mallopt` takes an int."""


def heed(environ: Mapping[str, str]) -> None:
    """Set what the variables ask for. A value that is no number is passed over, as glibc does."""
    for name, parameter in PARAMETERS.items():
        value = environ.get(name, "")
        if value.isdecimal():
            processes.set_allocator(parameter, min(int(value), _LARGEST))
