"""What the tables are made of: kinds of columns, and the naming of indexes and keys.

Times are microseconds since the epoch, spans microseconds, phases upper-case names, documents serialized messages.
Text columns that filters compare are never NULL, so that `ne` finds rows that have nothing there.
"""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""The type of rows' numbers: SQLite numbers rows by itself only where it is spelled INTEGER."""


def number() -> sa.Column[int]:
    """Return the number of a row, by which the others refer to it."""
    return sa.Column("id", Number, primary_key=True, autoincrement=True)


def text(name: str) -> sa.Column[str]:
    """Return a column of text, never NULL."""
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def small(name: str) -> sa.Column[int]:
    """Return a column of small numbers, 0 where nothing is said."""
    return sa.Column(name, sa.Integer, nullable=False, server_default="0")


def raw(name: str) -> sa.Column[bytes]:
    """Return a column of bytes."""
    return sa.Column(name, sa.LargeBinary, nullable=False)


def micros(name: str, *, nullable: bool = False) -> sa.Column[int]:
    """Return a column of times or spans in microseconds."""
    return sa.Column(name, sa.BigInteger, nullable=nullable)


class Later(sa.types.TypeDecorator[int]):
    """Microseconds that are not known at first: None to us, -1 in the database.

    That has a place in every order and index; NULL has none that SQLite and Postgres agree on.
    """

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: int | None, dialect: sa.Dialect) -> int:
        """To the database."""
        return -1 if value is None else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> int | None:
        """From the database."""
        return None if value is None or value < 0 else value


def later(name: str) -> sa.Column[int]:
    """Return a column of times or spans that are not known at first."""
    return sa.Column(name, Later, nullable=True)


def entity(prefix: str) -> list[sa.Column[str]]:
    """Return the four columns that name a registered version."""
    return [text(f"{prefix}_{part}") for part in ("project", "domain", "name", "version")]
