"""Deaths and sizes in words, for `diagnosis` and `fitting`. Pure."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from dayfly.ports.clusters import Death

ASKED_TO_END = 128 + signal.SIGTERM
"""Exit code of a role that has ended in good order because it was asked to."""

_UNITS = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def size(amount_bytes: float) -> str:
    """Return an amount of memory as people say it: `1.5 GiB`."""
    for unit, factor in _UNITS:
        if amount_bytes >= factor:
            return f"{amount_bytes / factor:.1f}".removesuffix(".0") + f" {unit}"
    return f"{amount_bytes:.0f} bytes"


def ending(death: Death) -> str:
    """Return how a process ended, to follow its name: `was killed by SIGSEGV (a crash in compiled code)`."""
    if death.over_limit_bytes:
        return f"was killed for its memory: {size(death.over_limit_bytes)} of {size(death.limit_bytes)}"
    if death.cause:
        return f"was lost ({death.cause.rstrip('.')})"
    if death.exit_code == ASKED_TO_END:
        return f"was asked to end by SIGTERM ({signal.SIGTERM:d})"
    if death.exit_code >= 0:
        return f"ended with exit code {death.exit_code}"
    number = -death.exit_code
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = "signal"
    crash = " (a crash in compiled code)" if number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL) else ""
    return f"was killed by {name} ({number}){crash}"


def count(deaths: Sequence[Death]) -> str:
    """Return `1 worker` or `3 workers`."""
    return f"{len(deaths)} worker{'' if len(deaths) == 1 else 's'}"
