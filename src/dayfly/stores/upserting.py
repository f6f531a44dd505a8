"""Inserts that meet a row already there. SQLite and Postgres spell these alike; SQLAlchemy has one builder for each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite


@lru_cache(maxsize=64)
def keeping(dialect: str, table: sa.Table, key: tuple[str, ...]) -> sa.Insert:
    """Return an insert that leaves the row with the same `key` as it is."""
    insert: sa.Insert = _insert(dialect, table).on_conflict_do_nothing(index_elements=list(key))
    return insert


@lru_cache(maxsize=64)
def replacing(dialect: str, table: sa.Table, key: tuple[str, ...], changing: tuple[str, ...]) -> sa.Insert:
    """Return an insert that overwrites the columns `changing` of the row with the same `key`."""
    insert = _insert(dialect, table)
    values = {column: insert.excluded[column] for column in changing}
    updating: sa.Insert = insert.on_conflict_do_update(index_elements=list(key), set_=values)
    return updating


@lru_cache(maxsize=64)
def extending(dialect: str, table: sa.Table, key: tuple[str, ...], owner: str, changing: tuple[str, ...]) -> sa.Insert:
    """Return an insert that overwrites the columns `changing` of the row with the same `key`, if its `owner` is the
    same too. The row that is there is locked either way."""
    insert = _insert(dialect, table)
    values = {column: insert.excluded[column] for column in changing}
    same = table.c[owner] == insert.excluded[owner]
    updating: sa.Insert = insert.on_conflict_do_update(index_elements=list(key), set_=values, where=same)
    return updating


def replace_rows(connection: sa.Connection, table: sa.Table, key: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Insert or overwrite `rows`, which all have the same columns."""
    if rows:
        changing = tuple(column for column in rows[0] if column not in key)
        connection.execute(replacing(connection.dialect.name, table, tuple(key), changing), rows)


def _insert(dialect: str, table: sa.Table) -> Any:
    insert = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    return insert.inline().execution_options(preserve_rowcount=True)
