"""Turns the database's errors into ours, with a remedy. Pure; called by `connections` around every transaction, and by
`waking`."""

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

_STATES = (
    ("53100", "its disk is full", "Free some space there; nothing that was committed is lost."),
    ("53300", "it has no connection left", "Raise its max_connections, or end other clients of it."),
    ("53", "it is out of resources", "Look at the server's log."),
    ("25006", "it may not be written to", "Name the primary server rather than a replica."),
    ("28", "it does not let us in", "Check user and password in the URL."),
    ("3D", "there is no such database", "Create it with createdb, or correct the URL."),
    ("42501", "the user may not do that", "Grant the user the right to create and change tables there."),
    ("57", "the server is ending or ended this", "It is tried again once the server is back."),
    ("40", "other transactions kept getting in the way", "Try again."),
)
"""Beginnings of Postgres' SQLSTATE, first match wins, what that means, and what to do:
https://www.postgresql.org/docs/current/errcodes-appendix.html."""

_REFUSED = (
    ("password authentication failed", "it does not let us in", "Check user and password in the URL."),
    ("does not exist", "there is no such database or user", "Create it, or correct the URL."),
    ("connection refused", "no server listens there", "Start the server, or correct host and port in the URL."),
    ("no such file", "no server listens there", "Start the server, or correct the host in the URL."),
    ("resolve", "its host is not known", "Correct the host in the URL."),
    ("timeout", "it does not answer", "Check that it can be reached and try again."),
    ("too many clients", "it has no connection left", "Raise its max_connections, or end other clients of it."),
)
"""What libpq says where no connection comes about: such errors have no SQLSTATE."""

_SERIALIZATION, _DEADLOCK = "40001", "40P01"


def translate(error: Exception, place: str) -> errors.DayflyError:
    """Return the error to raise instead of SQLAlchemy's or a driver's; `place` is the database's file or server."""
    cause = getattr(error, "orig", None) or error
    state, said = _state(error), " ".join(str(cause).split())
    if isinstance(error, sa.exc.DataError):
        return errors.InvalidArgument(
            f"A value of the request cannot be stored or compared: {said}.",
            remedy="Text must be without NUL characters, and numbers must fit 64 bits.",
        )
    if state:
        known = ((meaning, remedy) for begins, meaning, remedy in _STATES if state.startswith(begins))
    else:
        known = ((meaning, remedy) for words, meaning, remedy in (*_REMEDIES, *_REFUSED) if words in said.lower())
    found = next(known, None)
    if found is None:
        return errors.StoreUnavailable(
            f"database {place}: {said}.", remedy="Check that it can be reached and try again."
        )
    meaning, remedy = found
    return errors.StoreUnavailable(f"database {place}: {meaning} ({said}).", remedy=remedy)


def may_be_repeated(error: Exception) -> bool:
    """Say whether the transaction was undone only so that another could go on."""
    return _state(error) in (_SERIALIZATION, _DEADLOCK)


def _state(error: Exception) -> str:
    return getattr(getattr(error, "orig", None) or error, "sqlstate", None) or ""
