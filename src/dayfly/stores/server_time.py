"""The time that leases go by: on Postgres the server's, since the clocks of several controllers drift apart."""

from __future__ import annotations

import sqlalchemy as sa

from dayfly.base.clock import Clock, Micros

_NOW = sa.text("SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint")


def now(connection: sa.Connection, clock: Clock) -> Micros:
    """Return the server's time, `clock`'s where the database has none."""
    return Micros(connection.execute(_NOW).scalar_one()) if connection.dialect.name == "postgresql" else clock.now()
