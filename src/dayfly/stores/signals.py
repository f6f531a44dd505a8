"""Signals in SQL. Implements `ports.signals.Signals`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.base.clock import Clock, Micros
from dayfly.model.events import Event
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.definitions import Listed, Page
from dayfly.ports.signals import Signal
from dayfly.stores import fields, filtering, pages, run_rows, schema, upserting
from dayfly.stores.connections import Connections
from dayfly.stores.pages import Order

_signals, _executions = schema.signals, schema.executions

_IN_EXECUTION = (
    sa.select(_signals.c.signal_id, _signals.c.type, _signals.c.value, _signals.c.created_at)
    .join_from(_signals, _executions, _executions.c.id == _signals.c.execution_id)
    .where(run_rows.NAMED)
)
_ONE = _IN_EXECUTION.where(_signals.c.signal_id == sa.bindparam("which"))
_SET = (
    _signals.update()
    .where(_signals.c.execution_id == sa.bindparam("number"), _signals.c.signal_id == sa.bindparam("which"))
    .values(value=sa.bindparam("given"), updated_at=sa.bindparam("now"))
)


class SqlSignals:
    """Signals in the database. `wake` tells the runs' store that it has something unread."""

    def __init__(self, connections: Connections, clock: Clock, wake: Callable[[], None]) -> None:
        self._connections, self._clock, self._wake = connections, clock, wake

    async def get_or_create(self, execution: ExecutionId, signal: str, type: bytes) -> Signal:
        """Return the signal, made with this type if there was none. Raise `NotFound` for an unknown execution."""
        now = self._clock.now()
        return await self._connections.write(
            lambda connection: _get_or_create(connection, execution, signal, type, now)
        )

    async def find(self, execution: ExecutionId, signal: str) -> Signal | None:
        """Return one signal, None if no gate has waited for it yet."""
        return await self._connections.read(lambda connection: _find(connection, execution, signal))

    async def set(self, execution: ExecutionId, signal: str, value: bytes, event: Event) -> None:
        """Store the value and append the event, in one commit. Raise `NotFound`, with nothing changed."""
        now = self._clock.now()
        await self._connections.write(lambda connection: _set(connection, execution, signal, value, event, now))
        self._wake()

    async def list(self, execution: ExecutionId, page: Page) -> Listed[Signal]:
        """Return the signals of an execution in the order they came up, unless sorted otherwise."""
        query = _IN_EXECUTION.where(*filtering.conditions(page, fields.SIGNALS))
        first, scope = Order(_signals.c.id, descending=False), ("signals", str(execution))
        listing = pages.listing(query, page, fields.SIGNALS, first, _signals.c.id, scope)
        return await self._connections.read(
            lambda connection: listing.read(connection, lambda row: _signal(execution, row), run_rows.naming(execution))
        )


def _get_or_create(connection: sa.Connection, execution: ExecutionId, signal: str, type: bytes, now: Micros) -> Signal:
    number = run_rows.get_number(connection, execution)
    row = {"execution_id": number, "signal_id": signal, "type": type, "created_at": now, "updated_at": now}
    connection.execute(upserting.keeping(connection.dialect.name, _signals, ("execution_id", "signal_id")), row)
    return _signal(execution, connection.execute(_ONE, {**run_rows.naming(execution), "which": signal}).one())


def _find(connection: sa.Connection, execution: ExecutionId, signal: str) -> Signal | None:
    row = connection.execute(_ONE, {**run_rows.naming(execution), "which": signal}).one_or_none()
    return None if row is None else _signal(execution, row)


def _set(
    connection: sa.Connection, execution: ExecutionId, signal: str, value: bytes, event: Event, now: Micros
) -> None:
    number = run_rows.get_number(connection, execution)
    done = connection.execute(_SET, {"number": number, "which": signal, "given": value, "now": now})
    if done.rowcount != 1:
        raise errors.NotFound(f"execution {execution} has no signal {signal!r}.")
    run_rows.append(connection, number, [event])


def _signal(execution: ExecutionId, row: Any) -> Signal:
    value = None if row.value is None else bytes(row.value)
    return Signal(execution, row.signal_id, bytes(row.type), Micros(row.created_at), value)
