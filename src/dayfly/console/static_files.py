"""Style sheets and scripts of the console, served under an address that changes with their content."""

from __future__ import annotations

import hashlib
from pathlib import Path

from nicegui.app import App

FOLDER = Path(__file__).parent / "static"

YEAR_SECONDS = 365 * 24 * 3600


def _digest() -> str:
    content = hashlib.sha256()
    for path in sorted(FOLDER.iterdir()):
        content.update(path.name.encode() + path.read_bytes())
    return content.hexdigest()[:12]


URL = f"/static/{_digest()}"
"""Below the console's root."""


def serve(app: App) -> None:
    """Serve the folder; browsers keep what they have got, for another content has another address."""
    app.add_static_files(URL, FOLDER, max_cache_age=YEAR_SECONDS)
