"""What Dayfly adds to a driver in a pod: how much memory it has held, which nobody else sees.

Loaded through `distributed.client.preload`, with the driver's first client.
"""

from __future__ import annotations

import atexit
import json
import threading
from typing import Any

from . import holding, telling

LOOK_SECONDS = 5.0

STEP_BYTES = 16 * 2**20
"""A peak that is higher by less is not told before the end."""

LAST_SECONDS = 1.0
"""What telling the end may take."""


def dask_setup(client: Any) -> None:
    """Begin with the first client; others are of the same process."""
    if not _begun:
        _begun.append(Peak(telling.Teller()))


_begun: list[Peak] = []


class Peak:
    """Tells the highest memory of this process, now and then and at its end."""

    def __init__(self, teller: telling.Teller) -> None:
        self._teller = teller
        self._told = 0
        self._over = threading.Event()
        atexit.register(self.end)
        threading.Thread(target=self._run, name="dayfly-peak", daemon=True).start()

    def end(self) -> None:
        """Tell it a last time."""
        self._over.set()
        self._tell(1)
        self._teller.close(LAST_SECONDS)

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self._tell(STEP_BYTES)

    def _tell(self, step_bytes: int) -> None:
        peak = holding.peak_of_pod()
        if peak - self._told >= step_bytes:
            self._told = peak
            self._teller.tell("facts", json.dumps({"peak_bytes": peak}).encode)
