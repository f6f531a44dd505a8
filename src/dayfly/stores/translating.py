"""Turns the database's errors into ours, with a remedy. Pure; called by `connections` around every transaction."""

from __future__ import annotations

import sqlalchemy as sa

from dayfly.base import errors

_REMEDIES = (
    ("database or disk is full", "the disk is full", "Free some space there; nothing that was committed is lost."),
    ("readonly", "it may not be written to", "Make the file and its folder writable, or name another data folder."),
    ("read-only", "it may not be written to", "Make the file and its folder writable, or name another data folder."),
    ("unable to open", "it cannot be opened", "Check that its folder exists and may be read and written."),
    ("locked", "another process is writing to it for too long", "End that process, or wait and try again."),
    ("malformed", "it is damaged", "Restore it from a copy, or start with another data folder."),
    ("not a database", "it is not an SQLite database", "Name another data folder."),
    ("disk i/o", "the disk does not read or write", "Check the disk and its mount."),
)
"""What SQLite says (https://www.sqlite.org/rescode.html), what that means, and what to do."""


def translate(error: sa.exc.SQLAlchemyError, place: str) -> errors.StoreUnavailable:
    """Return the error to raise instead; `place` is the file or server that the database lies in."""
    cause = getattr(error, "orig", None) or error
    said = str(cause).lower()
    for words, meaning, remedy in _REMEDIES:
        if words in said:
            return errors.StoreUnavailable(f"database {place}: {meaning} ({cause}).", remedy=remedy)
    return errors.StoreUnavailable(f"database {place}: {cause}.", remedy="Check that it can be reached and try again.")
