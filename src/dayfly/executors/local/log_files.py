"""Where the logs of local processes lie, and where they can be read."""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

from dayfly.base import log_tails
from dayfly.model.identifiers import AttemptKey

TAIL_LINES = 20
"""Lines of a log's end that are told with an exit."""

TAIL_BYTES = 16 * 1024
"""What is read for them at most."""

FULL_BYTES = 1024 * 1024
"""A disk with less room than this is told of: something may not have fitted any more."""


def folder(data: Path, key: AttemptKey) -> Path:
    """Return the folder of an attempt's logs."""
    return data / "logs" / key


def path_for(data: Path, key: AttemptKey, role: str) -> Path:
    """Return the log file of one role."""
    return folder(data, key) / f"{role}.log"


def uri_for(public_url: str, key: AttemptKey, role: str) -> str:
    """Return the address at which people read it."""
    return f"{public_url.rstrip('/')}/api/dayfly/v1/logs/{quote(key)}/{quote(role)}"


def tail(log: Path) -> str:
    """Return the last lines of a log, empty if there is none; and that its disk is full, which it cannot say itself."""
    return "\n".join(filter(None, (log_tails.last_lines(log, TAIL_BYTES, TAIL_LINES), _tell_full_disk(log))))


def _tell_full_disk(log: Path) -> str:
    folder = next(parent for parent in log.parents if parent.exists())
    free = shutil.disk_usage(folder).free
    return f"The disk of {folder} is full ({free} bytes left): free some space on it." if free < FULL_BYTES else ""
