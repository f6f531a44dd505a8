"""What gate nodes wait for: values that somebody gives a running execution, each under the id that its gate names."""

from __future__ import annotations

from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.events import Event
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.definitions import Listed, Page


class Signal(msgspec.Struct, frozen=True):
    """One value that an execution waits for, or waited for."""

    execution: ExecutionId
    id: str
    type: bytes
    """The flyteidl.core.LiteralType that the value must be castable to."""
    created_at: Micros
    value: bytes | None = None
    """The flyteidl.core.Literal; None until somebody sets it."""


class Signals(Protocol):
    """Signals in the database. Raises `StoreUnavailable`."""

    async def get_or_create(self, execution: ExecutionId, signal: str, type: bytes) -> Signal:
        """Return the signal, made with this type if there was none. Raise `NotFound` for an unknown execution."""
        ...

    async def find(self, execution: ExecutionId, signal: str) -> Signal | None:
        """Return one signal, None if no gate has waited for it yet."""
        ...

    async def set(self, execution: ExecutionId, signal: str, value: bytes, event: Event) -> None:
        """Store the value and append the event, in one commit; wake whoever drives the execution. A later value takes
        the place of an earlier one. Raise `NotFound`, with nothing changed.
        """
        ...

    async def list(self, execution: ExecutionId, page: Page) -> Listed[Signal]:
        """Return the signals of an execution in the order they came up, unless sorted otherwise."""
        ...
