"""What is known of an attempt's end, and how it is read: the facts that all rules look at."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from dayfly.ports.clusters import ClusterReport, Death
from dayfly.ports.records import ClusterRecord

HEADER = "Traceback (most recent call last):"


class Facts(msgspec.Struct, frozen=True):
    """Everything that is known of an attempt's end."""

    report: ClusterReport
    record: ClusterRecord = ClusterRecord()
    error: str = ""
    """What the task's error.pb says, or what was said of its process."""

    @property
    def worker_deaths(self) -> tuple[Death, ...]:
        """Return the ends of workers, oldest first."""
        return tuple(death for death in self.report.deaths if death.role != "scheduler")

    @property
    def task_errors(self) -> tuple[dict[str, str], ...]:
        """Return what tasks raised on workers, oldest first."""
        return tuple(event for event in self.record.events if event["kind"] == "task-erred")

    def find_event(self, kind: str) -> dict[str, Any] | None:
        """Return the last event of a kind in the flight record."""
        return next((one for one in reversed(self.record.events) if one["kind"] == kind), None)


class Raised(NamedTuple):
    """An exception as a traceback tells it."""

    type: str
    """With its module, where it is no builtin."""
    message: str
    """Its first line."""
    frames: str
    """The lines between header and exception."""

    @property
    def told(self) -> str:
        """Return the exception as Python prints it, in one line."""
        return f"{self.type}: {self.message}" if self.message else self.type


def find_raised(text: str) -> Iterator[Raised]:
    """Yield the exceptions of all tracebacks in a text, from the top; indented or not. What is cut off is left out."""
    frames: list[str] | None = None
    indentation = ""
    for line in text.splitlines():
        bare = line.lstrip(" ")
        if bare == HEADER:
            frames, indentation = [], line[: len(line) - len(bare)]
        elif frames is None:
            continue
        elif line.startswith(f"{indentation} ") or not bare:
            frames.append(line)
        else:
            found = _EXCEPTION.match(bare)
            if found and line.startswith(indentation):
                yield Raised(found["type"], found["message"] or "", "\n".join(frames))
            frames = None


_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?:: (?P<message>.*))?$")
