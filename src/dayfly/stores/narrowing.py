"""Finds a condition that few rows meet, so that a list is made of those, sorted, rather than sought in its own order.

Called by `pages`. SQLite knows how many values an index has to tell apart, never how often one occurs, and so takes the
index of a condition that half of all rows meet as readily as the list's own. Hence the conditions are counted here, up
to a limit, each in its index alone. Postgres has statistics: there nothing is counted, and its planner is let be.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from dayfly.stores.filtering import Column

FEW = 5_000
"""So many rows are looked up and sorted in about 10 ms. Of a million, a page of the list's own order then passes over
some tens of thousands at the most, where those that meet a condition lie evenly."""


class Aside(sa.ColumnElement[bool]):
    """A condition for which SQLite is to use no index."""

    inherit_cache = True
    _traverse_internals = [("element", sa.sql.visitors.InternalTraversal.dp_clauseelement)]  # noqa: RUF012  as SQLAlchemy has it

    def __init__(self, element: Column) -> None:
        self.element, self.type = element, sa.Boolean()

    def self_group(self, against: Any = None) -> Aside:
        """Return itself: it brings its own parentheses."""
        return self


@compiles(Aside)
def _plain(aside: Aside, compiler: Any, **how: Any) -> str:
    return f"({compiler.process(aside.element, **how)})"


@compiles(Aside, "sqlite")
def _signed(aside: Aside, compiler: Any, **how: Any) -> str:
    return f"+({compiler.process(aside.element, **how)})"  # https://www.sqlite.org/optoverview.html#uplus


def find(connection: sa.Connection, candidates: Iterable[sa.Select[Any]]) -> sa.Select[Any] | None:
    """Return the first of the candidates, each the numbers of rows, that has few; None where none has."""
    if connection.dialect.name == "postgresql":
        return None
    for numbers in candidates:
        counted = sa.select(sa.func.count()).select_from(numbers.limit(FEW + 1).subquery())
        if connection.execute(counted).scalar_one() <= FEW:
            return numbers
    return None


def within(branches: Sequence[sa.Select[Any]], number: Column, few: sa.Select[Any]) -> sa.Select[Any]:
    """Return the branches of one table as one list of those rows whose number is among the few."""
    conditions = [branch.whereclause for branch in branches if branch.whereclause is not None]
    return sa.select(*branches[0].selected_columns).where(number.in_(few), Aside(sa.or_(*conditions)))
