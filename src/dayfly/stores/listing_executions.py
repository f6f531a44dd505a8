"""Makes the list of executions, and says for which of its conditions an index is used.

Called by `run_reading`. Every index has the executions of a project, domain and state: those of one value of a field by
their time of creation, or all of them by another field. So the index of a condition may or may not have the rows in the
list's order. Where it has not, the condition is looked at in passing only, unless few rows meet it (`narrowing`).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from dayfly.ports.definitions import Filter, Page
from dayfly.stores import fields, filtering, finding, narrowing, pages, schema
from dayfly.stores.filtering import Column
from dayfly.stores.pages import Listing, Order
from dayfly.stores.positions import Position

MOST_BRANCHES = 16
"""Into how many lists, merged, one with `value_in` is split; one of more values is sorted by the database."""

_executions, _tags = schema.executions.c, schema.execution_tags.c
_NEWEST = Order(_executions.created_at, descending=True)

_VALUED = frozenset({"phase", "principal", "workflow_name", "launch_plan_name", "task_name"})
"""Columns of which an index has the executions of one value by their time of creation."""

_RANGED = frozenset({"created_at", "started_at", "duration"})
"""Columns by which an index has all executions."""

_VALUES = frozenset({"eq", "value_in"})
_LOOKED_UP = _VALUES | {"gt", "gte", "lt", "lte"}
"""Functions that an index answers."""


class _Condition(NamedTuple):
    """One filter."""

    item: Filter
    column: Column
    met: Column
    in_order: bool
    """Whether no index has the rows that meet it in another order than the list's."""

    @property
    def is_looked_up(self) -> bool:
        """Whether there is an index to look up the rows that meet it."""
        return self.column.key in _VALUED | _RANGED and self.item.function in _LOOKED_UP

    @property
    def is_state(self) -> bool:
        """Whether it is on the column that every index has before the one it is for."""
        return self.column is _executions.state

    @property
    def is_choice(self) -> bool:
        """Whether it can be split into one list for each value."""
        return self.item.function == "value_in" and 1 < len(set(self.item.values)) <= MOST_BRANCHES


def build(columns: sa.Select[Any], project: str, domain: str, page: Page) -> Listing:
    """Return the list, of these columns. Archived executions are in it only where a filter names `state`.

    Raises `InvalidArgument`.
    """
    sort = _column(page.sort_key, "sort key") if page.sort_key else _NEWEST.key
    apart = [*fields.TAGS, *finding.FIELDS, finding.TEXT]
    conditions = [_condition(item, sort) for item in page.filters if item.field not in apart]
    tagged = [filtering.condition(item, fields.TAGS) for item in page.filters if item.field in fields.TAGS]
    having = [finding.having(item) for item in page.filters if item.field in finding.FIELDS]
    scope = [_executions.project == project, _executions.domain == domain]
    if not any(one.is_state for one in conditions):
        scope.append(_executions.state == 0)
    split = [one for one in conditions if one.is_choice and one.in_order]
    while math.prod(len(set(one.item.values)) for one in split) > MOST_BRANCHES:
        split.pop()
    where = [one.met if one.in_order else narrowing.Aside(one.met) for one in conditions if one not in split]
    if tagged:
        where.append(sa.exists().where(_tags.execution_id == _executions.id, *tagged))
    where += [one.met for one in having]
    where += [finding.text(item) for item in page.filters if item.field == finding.TEXT]
    choices = [filtering.alternatives(one.item, fields.EXECUTIONS) for one in split]
    return pages.listing(
        [columns.where(*scope, *where, *chosen) for chosen in itertools.product(*choices)],
        page,
        fields.EXECUTIONS,
        _NEWEST,
        _executions.id,
        ("executions", project, domain),
        narrower=[*_narrower(scope, conditions, tagged), *(one.numbers for one in having)],
        start=_start(conditions) if sort is _NEWEST.key and (page.descending or not page.sort_key) else None,
    )


def _condition(item: Filter, sort: Column) -> _Condition:
    column, met = _column(item.field, "filter"), filtering.condition(item, fields.EXECUTIONS)
    if column.key in _VALUED and item.function in _VALUES:
        in_order = sort is _executions.created_at
    else:
        in_order = column is sort or column.key not in _VALUED | _RANGED
    return _Condition(item, column, met, in_order)


def _narrower(
    scope: Sequence[Column], conditions: Sequence[_Condition], tagged: Sequence[Column]
) -> list[sa.Select[Any]]:
    """Return what may be few rows: for each index that conditions have, the numbers of those that meet them."""
    within = [*scope, *(one.met for one in conditions if one.is_state)]
    looked_up = [one for one in conditions if one.is_looked_up]
    columns = list(dict.fromkeys(one.column for one in looked_up))
    found = [
        sa.select(_executions.id).where(*within, *(one.met for one in looked_up if one.column is column))
        for column in columns
    ]
    if tagged:
        found.append(sa.select(_tags.execution_id).where(*tagged))
    # A single condition whose index is in order needs no other way.
    return [] if len(found) == 1 and looked_up and all(one.in_order for one in looked_up) else found


def _start(conditions: Sequence[_Condition]) -> Position | None:
    """Return what the list, newest first, certainly begins behind: nothing has started before it was created."""
    bounds = [
        filtering.moment(one.item.values[0])
        for one in conditions
        if one.column is _executions.started_at and one.item.function in ("eq", "lt", "lte")
    ]
    return Position(min(bounds) + 1, 0) if bounds else None


def _column(name: str, what: str) -> Any:
    return filtering.find_field(name, fields.EXECUTIONS, what).column
