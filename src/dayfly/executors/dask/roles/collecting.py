"""How often a role's garbage is looked for.

Dask's commands for schedulers and workers make it a third as often as Python would (dask/distributed#1653): a scheduler
makes and keeps so many objects that what the collector takes can be seen in its time.
"""

from __future__ import annotations

import gc

SELDOMER = 3


def seldom() -> None:
    """Collect garbage as seldom as under Dask's own commands."""
    first, second, third = gc.get_threshold()
    gc.set_threshold(first * SELDOMER, second * SELDOMER, third * SELDOMER)
