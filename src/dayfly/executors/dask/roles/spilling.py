"""Tells the scheduler of workers that have no room to spill to, for its flight record: they themselves only log it."""

from __future__ import annotations

import logging
from typing import Any


def tell_failures(worker: Any) -> None:
    """Have this worker tell from now on."""
    logging.getLogger("distributed.spill").addHandler(SpillFailures(worker))


class SpillFailures(logging.Handler):
    """Takes what Dask logs of an `OSError`; it holds back what would repeat itself."""

    def __init__(self, worker: Any) -> None:
        super().__init__(logging.ERROR)
        self._worker = worker

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of it."""
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, OSError):
            self._worker.log_event("all", {"action": "spill-failed", "error": str(error)})
