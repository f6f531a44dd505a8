"""Attempts that were over before it was stored that they had been started.

Whoever stores that and is interrupted starts the attempt again, and must then find it over, or it runs twice: so its
executor may forget it only afterwards. Shared by `observing`, which sees ends, and `attempts`, which stores starts;
each writes here before it looks whether the other has been there, so that one of them lets the executor forget.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.model.identifiers import AttemptKey


class Unsaid:
    """What one platform has seen end too early. After its death, the next start finds the attempt over."""

    def __init__(self) -> None:
        self._keys: set[AttemptKey] = set()

    def note(self, key: AttemptKey) -> None:
        """Remember that its end was seen."""
        self._keys.add(key)

    def take(self, key: AttemptKey) -> bool:
        """Say whether its end was seen, and forget that."""
        known = key in self._keys
        self._keys.discard(key)
        return known
