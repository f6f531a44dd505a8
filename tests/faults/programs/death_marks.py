"""Says when an attempt began to die, for whoever measures how long it takes until that is told."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


def mark(folder: str) -> None:
    """Leave a file with the number of this attempt; only the first one counts, however many workers follow."""
    with contextlib.suppress(FileExistsError):
        Path(folder, os.environ["FLYTE_ATTEMPT_NUMBER"]).touch(exist_ok=False)
