"""How long Dask's own reports of a cluster may take, which nobody waits for but its attempt. Standard library only."""

from __future__ import annotations

import logging

SHARE = 0.05
"""Of the cluster's life that its reports may take."""

LEAST_SECONDS, MOST_SECONDS = 0.5, 5.0
"""In less no report can be made; more is not waited for."""

TROUBLED_SECONDS = 3.0
"""What the reports of a cluster in which something went wrong may take at least."""

VARIABLE = "DAYFLY_REPORT_SECONDS"
"""Of the task's environment: what reports may take, whatever the rules; 0 for none."""

MOST_ASKED_SECONDS = 60.0
"""What a task may allow them."""

log = logging.getLogger("distributed.scheduler")


def allow(lived_seconds: float, asked: str, *, troubled: bool) -> float:
    """Return how many seconds the reports of a cluster may take that has lived so long; 0 for none. `asked` is what the
    task's environment says."""
    if (seconds := read_asked(asked)) is not None:
        return seconds
    share = min(SHARE * lived_seconds, MOST_SECONDS)
    allowed = max(share, TROUBLED_SECONDS) if troubled else share
    return allowed if allowed >= LEAST_SECONDS else 0.0


def read_asked(told: str) -> float | None:
    """Return how many seconds a task allows its reports, None where it says nothing, or nothing that can be read."""
    try:
        asked = float(told)
    except ValueError:
        if told:
            log.warning("%s=%s is not a number of seconds, and is passed over", VARIABLE, told)
        return None
    # What is no number is neither more nor less.
    return min(max(0.0, asked), MOST_ASKED_SECONDS)
