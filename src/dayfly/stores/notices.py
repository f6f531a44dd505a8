"""Notices in SQL. Implements `ports.notices.Notices`."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from dayfly.base.clock import Micros
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION
from dayfly.ports.notices import EndedRun, NewNotice, Notice
from dayfly.stores import run_rows, schema, upserting
from dayfly.stores.connections import Connections

_notices, _marks, _executions = schema.notices, schema.notice_marks, schema.executions

_MARK = 1
"""The number of the one mark that there is."""

_ENDED = (
    sa.select(
        _executions.c.project,
        _executions.c.domain,
        _executions.c.name,
        _executions.c.spec,
        _executions.c.closure,
        _executions.c.phase,
        _executions.c.updated_at,
    )
    .where(
        _executions.c.updated_at >= sa.select(_marks.c.at).where(_marks.c.id == _MARK).scalar_subquery(),
        _executions.c.phase.in_([phase.name for phase in TERMINAL_EXECUTION]),
    )
    .order_by(_executions.c.updated_at, _executions.c.id)
    .limit(sa.bindparam("at_most"))
)
_DUE = (
    sa.select(_notices.c.id, _notices.c.kind, _notices.c.target, _notices.c.subject, _notices.c.body, _notices.c.tries)
    .where(_notices.c.due_at <= sa.bindparam("now"))
    .order_by(_notices.c.due_at, _notices.c.id)
    .limit(sa.bindparam("at_most"))
)
_SETTLE = (
    _notices.update()
    .where(_notices.c.id == sa.bindparam("number"))
    .values(tries=_notices.c.tries + 1, error=sa.bindparam("said"), due_at=sa.bindparam("due"))
)
_ADVANCE = (
    _marks.update().where(_marks.c.id == _MARK, _marks.c.at < sa.bindparam("until")).values(at=sa.bindparam("until"))
)


class SqlNotices:
    """Notices in the database."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    async def begin(self, now: Micros) -> None:
        """Look at what ends from `now` on; nothing if that was settled before."""

        def work(connection: sa.Connection) -> None:
            connection.execute(upserting.keeping(connection.dialect.name, _marks, ("id",)), {"id": _MARK, "at": now})

        await self._connections.write(work)

    async def list_ended(self, limit: int) -> list[EndedRun]:
        """Return executions that have ended and were not taken up, oldest end first."""
        rows = await self._connections.read(lambda connection: connection.execute(_ENDED, {"at_most": limit}).all())
        return [
            EndedRun(
                ExecutionId(row.project, row.domain, row.name),
                bytes(row.spec),
                bytes(row.closure),
                row.phase,
                Micros(row.updated_at),
            )
            for row in rows
        ]

    async def take_up(self, seen_until: Micros, notices: Sequence[NewNotice], *, now: Micros) -> None:
        """Add notices and note that what was updated before `seen_until` has been looked at, in one commit."""

        def work(connection: sa.Connection) -> None:
            rows = [
                {
                    "execution_id": run_rows.get_number(connection, one.execution),
                    "kind": one.kind,
                    "target": one.target,
                    "subject": one.subject,
                    "body": one.body,
                    "due_at": now,
                }
                for one in notices
            ]
            if rows:
                key = ("execution_id", "kind", "target")
                connection.execute(upserting.keeping(connection.dialect.name, _notices, key), rows)
            connection.execute(_ADVANCE, {"until": seen_until})

        await self._connections.write(work)

    async def list_due(self, now: Micros, limit: int) -> list[Notice]:
        """Return notices that are to be delivered, the most overdue first."""
        asked = {"now": now, "at_most": limit}
        rows = await self._connections.read(lambda connection: connection.execute(_DUE, asked).all())
        return [Notice(row.id, row.kind, row.target, row.subject, row.body, row.tries) for row in rows]

    async def settle(self, number: int, *, error: str, due_at: Micros | None) -> None:
        """Note a delivery that was tried: `error` is empty if it went well, `due_at` None if it is not tried again."""
        said = {"number": number, "said": error, "due": due_at}
        await self._connections.write(lambda connection: connection.execute(_SETTLE, said))
