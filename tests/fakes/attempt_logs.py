"""Logs in memory, with the looks at them that a test says there were."""

from __future__ import annotations

import re

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import LogFile, Mark, Piece


class MemoryLogs:
    """Implements `ports.attempt_logs.AttemptLogs`. `reads` are the bytes of each read, in order."""

    def __init__(self) -> None:
        self.written: dict[AttemptKey, dict[str, bytes]] = {}
        self.marks: dict[str, tuple[Mark, ...]] = {}
        self.reads: list[int] = []

    def write(self, key: str, role: str, text: str | bytes) -> None:
        """Append to a log."""
        logs = self.written.setdefault(AttemptKey(key), {})
        logs[role] = logs.get(role, b"") + (text.encode() if isinstance(text, str) else text)

    async def list_files(self, key: AttemptKey) -> list[LogFile]:
        files = [LogFile(role, len(data), Micros(1)) for role, data in self.written.get(key, {}).items()]
        return sorted(
            files, key=lambda file: [(int(n or -1), text) for text, n in re.findall(r"(\D*)(\d*)", file.role)]
        )

    async def read(self, key: AttemptKey, role: str, start: int, limit_bytes: int) -> Piece:
        if role not in self.written.get(key, {}):
            raise errors.NotFound(f"no log of {role}")
        data = self.written[key][role]
        read = data[start : start + limit_bytes]
        self.reads.append(len(read))
        return Piece(start, read, len(data), self.marks.get(role, ()))
