"""Which lines of a view are told, and where in a range such lines may be. Pure."""

from __future__ import annotations

import msgspec

from dayfly.gateway.extras import line_heads
from dayfly.gateway.extras.lines import Line, Reading

_SIGNS = {
    line_heads.LEVELS["WARNING"]: (b"warn",),
    line_heads.LEVELS["ERROR"]: (b"error", b"traceback (most", b"exception"),
    line_heads.LEVELS["CRITICAL"]: (b"critical", b"fatal"),
}
"""Without one of these, in lower case, no line has the level, but for those that continue one."""


class Wanted(msgspec.Struct, frozen=True):
    """Which lines are told."""

    level: int = 0
    """This one and worse; 0 is all lines, also plain ones."""
    search: bytes = b""
    """Text that a line has, letters A-Z in lower case, which stand for both cases."""

    def takes(self, line: Line, raw: bytes) -> bool:
        """Say whether a line is told."""
        return line.level >= self.level and (not self.search or self.search in raw.lower())

    def goes_on(self, before: Reading) -> bool:
        """Say whether a line is told, wherever no other record begins, because of what stands before it."""
        return not self.search and 0 < self.level <= before.level

    def signs(self) -> tuple[bytes, ...]:
        """Return texts of which each line that is told has one, or continues a line that has; none if it need not."""
        if self.search:
            return (self.search,)
        if self.level < min(_SIGNS):
            return ()
        return tuple(sign for level, signs in _SIGNS.items() if level >= self.level for sign in signs)


class Signs:
    """Where signs are in a range, from its beginning to its end."""

    def __init__(self, data: bytes, signs: tuple[bytes, ...]) -> None:
        self._data = data.lower() if signs else b""
        self._next = dict.fromkeys(signs, -1)
        self._any = not signs

    def find(self, start: int) -> int | None:
        """Return the first place from `start` on, which never goes back, None where there is none."""
        if self._any:
            return start
        for sign, place in list(self._next.items()):
            if place < start:
                found = self._data.find(sign, start)
                if found < 0:
                    del self._next[sign]
                else:
                    self._next[sign] = found
        return min(self._next.values(), default=None)
