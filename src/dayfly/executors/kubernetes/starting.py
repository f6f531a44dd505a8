"""Tells what an API server refuses from what one says that is only just starting.

For a moment after its start it knows neither who may do what, nor the kinds that were defined: it forbids what is
allowed, and knows no resources that are there. Whoever believed that would fail tasks, and take clusters for deleted.
By `/readyz`, which anybody may ask for, it says when that is over. Pure.
"""

from __future__ import annotations

READY_PATH = "/readyz"

_REFUSED = (401, 403)

_UNKNOWN = 404

_OF_KINDS = ("page not found", "could not find the requested resource")
"""What is said where a kind is unknown, not where one object is missing."""


def may_be(status: int, message: str) -> bool:
    """Say whether an answer may be that of one that is only just starting."""
    return status in _REFUSED or (status == _UNKNOWN and any(words in message for words in _OF_KINDS))


def is_over(status: int) -> bool:
    """Say whether this status, of an answer to `READY_PATH`, is that of one that has started; older ones do not know
    that path."""
    return status < 400 or status == _UNKNOWN
