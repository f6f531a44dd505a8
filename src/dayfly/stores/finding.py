"""What the list of executions is searched by beside Flyte's own fields: `label`, `input` and `text`.

    eq(label,team=red)   eq(label,team)   eq(input,region=north)   value_in(input,days=3;days=6)   contains(text,fit)

Called by `listing_executions`. Unlike those on `execution_tag`, several conditions may each hold for another label.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from dayfly.base import errors
from dayfly.ports.definitions import Filter
from dayfly.stores import schema
from dayfly.stores.filtering import Column

FIELDS: Mapping[str, sa.Table] = {"label": schema.execution_tags, "input": schema.execution_inputs}
"""By the table that has key and value."""

TEXT = "text"

_executions = schema.executions.c
_WORDS = sa.func.lower(
    _executions.name
    + " "
    + _executions.workflow_name
    + " "
    + _executions.launch_plan_name
    + " "
    + _executions.task_name
)


class Having(NamedTuple):
    """A condition on what an execution has in another table."""

    met: Column
    numbers: sa.Select[Any]
    """Of the executions that meet it, by an index."""


def having(item: Filter) -> Having:
    """Return the condition that a label or an input has one of the values. Raises `InvalidArgument`."""
    if item.function not in ("eq", "value_in"):
        raise errors.InvalidArgument(
            f"filter {item.function}({item.field}, ...) is not known.",
            remedy=f"Write eq({item.field},NAME=VALUE), eq({item.field},NAME), or value_in for one of several.",
        )
    table = FIELDS[item.field]
    one_of = sa.or_(*(_pair(table, value) for value in item.values))
    return Having(
        sa.exists().where(table.c.execution_id == _executions.id, one_of),
        sa.select(table.c.execution_id).where(one_of),
    )


def text(item: Filter) -> Column:
    """Return the condition that a name of the execution or of what it runs has a text in it, in whatever case. Raises
    `InvalidArgument`."""
    if item.function != "contains" or len(item.values) != 1:
        raise errors.InvalidArgument(
            f"filter {item.function}(text, ...) is not known.", remedy="Write contains(text,WORD)."
        )
    return _WORDS.contains(item.values[0].lower(), autoescape=True)


def _pair(table: sa.Table, told: str) -> Column:
    key, given, value = told.partition("=")
    named: Column = table.c.key == key
    return sa.and_(named, table.c.value == value) if given else named
