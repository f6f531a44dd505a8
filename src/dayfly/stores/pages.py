"""Cuts a list to a page, in its order. Used by every store that lists; which rows a list has is `filtering`'s.

A page begins behind the position that the one before it ended with. Where a client gives no more than an offset, the
row there is found first, in an index alone, and the page begins behind that. Either way the rows themselves are read
for one page only. Where an index has the rows of one value in order, but those of several values not, a list is made
of one branch for each value, merged. Where few rows meet a condition, they are all read and sorted (`narrowing`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from dayfly.ports.definitions import Listed, Page
from dayfly.stores import columns, filtering, narrowing, positions
from dayfly.stores.filtering import Column, Fields
from dayfly.stores.positions import Position

T = TypeVar("T")


class Order(NamedTuple):
    """How a list is sorted: by a key, and among equal ones by the number of the row."""

    key: Column
    descending: bool


class Listing(NamedTuple):
    """A list that is not read yet."""

    branches: Sequence[sa.Select[Any]]
    """Each without order; a row is in one of them at the most."""
    page: Page
    order: Order
    number: Column
    fingerprint: bytes
    narrower: Sequence[sa.Select[Any]] = ()
    """Numbers of rows, each of all that meet one of the list's conditions."""
    start: Position | None = None
    """What the list certainly begins behind, where more is known than its conditions say."""

    def read(
        self, connection: sa.Connection, to: Callable[[Any], T], values: Mapping[str, Any] | None = None
    ) -> Listed[T]:
        """Return the page, each row converted; `values` are those that the branches name."""
        bound = dict(values or {})
        few = narrowing.find(connection, self.narrower)
        branches = self.branches if few is None else [narrowing.within(self.branches, self.number, few)]
        start, offset = self._begin(connection, branches, bound)
        if offset:
            return Listed([])
        rows = connection.execute(self._query(branches, [], start, self.page.limit, 0), bound).all()
        end = positions.write(_position(rows[-1]), self.fingerprint) if rows else ""
        return Listed((to(row) for row in rows), end)

    def _begin(
        self, connection: sa.Connection, branches: Sequence[sa.Select[Any]], bound: dict[str, Any]
    ) -> tuple[Position | None, int]:
        """Return the position to begin behind, or how many rows there would have to be before one."""
        page = self.page
        if page.position:
            kinds = (self.order.key.type.python_type, self.number.type.python_type)
            found = positions.read(page.position, self.fingerprint, kinds)
            if found is not None:
                return found, 0
        if not page.offset:
            return self.start, 0
        query = self._query(branches, [sa.literal(1)], self.start, 1, page.offset - 1)
        row = connection.execute(query, bound).one_or_none()
        return (None, page.offset) if row is None else (_position(row), 0)

    def _query(
        self, several: Sequence[sa.Select[Any]], columns: list[Any], start: Position | None, limit: int, offset: int
    ) -> sa.Select[Any]:
        """Return the statement for rows behind `start`, of `columns` alone where there are any."""
        key, number = _in_bytes(self.order.key), _in_bytes(self.number)
        branches = []
        for branch in several:
            chosen = branch.with_only_columns(*columns, maintain_column_froms=True) if columns else branch
            chosen = chosen.add_columns(self.order.key.label("position_key"), self.number.label("position_number"))
            branches.append(chosen if start is None else chosen.where(self._behind(key, number, start)))
        if len(branches) == 1:
            return _cut(branches[0].order_by(*self._sorted(key, number)), limit, offset)
        ordered = (
            _cut(branch.order_by(*self._sorted(key, number)), limit and limit + offset, 0).subquery()
            for branch in branches
        )
        merged = sa.union_all(*(sa.select(one) for one in ordered)).subquery()
        key, number = _in_bytes(merged.c.position_key), _in_bytes(merged.c.position_number)
        return _cut(sa.select(merged).order_by(*self._sorted(key, number)), limit, offset)

    def _sorted(self, key: Column, number: Column) -> list[Column]:
        columns = [number] if self.order.key is self.number else [key, number]
        return [column.desc() for column in columns] if self.order.descending else columns

    def _behind(self, key: Column, number: Column, start: Position) -> Column:
        last = sa.literal(start.number, self.number.type)
        if self.order.key is self.number:
            return number < last if self.order.descending else number > last
        here = sa.tuple_(key, number)
        there: Any = sa.tuple_(sa.literal(start.key, self.order.key.type), last)
        behind: Column = here < there if self.order.descending else here > there
        return behind


def listing(
    branches: sa.Select[Any] | Sequence[sa.Select[Any]],
    page: Page,
    fields: Fields,
    natural: Order,
    number: Column,
    scope: tuple[str, ...],
    *,
    narrower: Sequence[sa.Select[Any]] = (),
    start: Position | None = None,
) -> Listing:
    """Return the list in the page's order, `natural` where it names none. Raises `InvalidArgument`.

    `number` tells rows apart that are equal in the order, lest a page repeat a row of the one before. `scope` names the
    list among all others.
    """
    several = [branches] if isinstance(branches, sa.Select) else branches
    order = natural
    if page.sort_key:
        key = filtering.find_field(page.sort_key, fields, "sort key").column
        # As the database has it, where that is another value than ours.
        order = Order(
            sa.type_coerce(key, key.type.impl) if isinstance(key.type, columns.Later) else key, page.descending
        )
    return Listing(several, page, order, number, positions.fingerprint(scope, page), narrower, start)


def _cut(query: sa.Select[Any], limit: int, offset: int) -> sa.Select[Any]:
    return query.limit(limit or None).offset(offset or None)


def _position(row: Any) -> Position:
    return Position(row.position_key, row.position_number)


class _InBytes(sa.ColumnElement[Any]):
    """Text by its bytes, as SQLite compares it, whatever language a Postgres database was made for."""

    inherit_cache = True
    _traverse_internals = [("element", sa.sql.visitors.InternalTraversal.dp_clauseelement)]  # noqa: RUF012  as SQLAlchemy has it

    def __init__(self, element: Column) -> None:
        self.element, self.type = element, element.type


@compiles(_InBytes)
def _plain(element: _InBytes, compiler: Any, **how: Any) -> str:
    return str(compiler.process(element.element, **how))


@compiles(_InBytes, "postgresql")
def _collated(element: _InBytes, compiler: Any, **how: Any) -> str:
    return f'{compiler.process(element.element, **how)} COLLATE "C"'


def _in_bytes(column: Column) -> Column:
    return _InBytes(column) if isinstance(column.type, sa.Text) else column
