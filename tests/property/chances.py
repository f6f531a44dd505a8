"""Choices made from bytes: 0 is the calm choice, and so is everything after the last byte.

Hypothesis draws and shrinks the bytes; plans and worlds are read from them, which is a hundred times faster than to
draw each choice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class Chances:
    """Choices made from bytes."""

    def __init__(self, chances: bytes) -> None:
        self._left = list(reversed(chances))

    def __bool__(self) -> bool:
        return bool(self._left)

    def pick(self, choices: int) -> int:
        """Return a number below `choices`; 0 when the bytes are used up."""
        return self._left.pop() % choices if self._left else 0

    def choose(self, choices: Sequence[T]) -> T:
        """Return one of `choices`, the first when the bytes are used up."""
        return choices[self.pick(len(choices))]

    def one_in(self, chances: int) -> bool:
        """Say yes once in so many times, and never when the bytes are used up."""
        return self.pick(chances) == chances - 1


def lives(most: int) -> st.SearchStrategy[bytes]:
    """Bytes of any length up to `most`. A binary strategy on its own gives five on average, which is a calm life."""
    return st.integers(0, most).flatmap(lambda size: st.binary(min_size=size, max_size=size))
