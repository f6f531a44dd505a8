r"""Flyte's filter language for lists: `eq(phase,RUNNING)+contains(launch_plan.name,train)`.

    filters := expression ('+' expression)*                                    '+' means AND
    expression := function '(' [entity '.'] field ',' [space] value (';' value)* ')'

In a value, `\+` is a plus sign, and `\;` a semicolon where the function takes one value. A backslash before anything
else stands for itself. Flyte refuses both, so that nothing that it reads has another meaning here.

Source: flyteadmin/pkg/manager/impl/util/filters.go and pkg/common/filters.go in flyteorg/flyte. The store, which knows
the list's columns, refuses unknown fields and reads values as numbers or times.
"""

from __future__ import annotations

import re

from dayfly.base import errors
from dayfly.ports.definitions import Filter

FUNCTIONS = frozenset({"contains", "not_like", "gt", "gte", "lt", "lte", "eq", "ne", "value_in", "value_not_in"})
REPEATABLE = frozenset({"value_in", "value_not_in"})
"""The functions that take several values."""

_PLUS = re.compile(r"(?<!\\)\+")
_SEMICOLON = re.compile(r"(?<!\\);")


def parse(text: str) -> tuple[Filter, ...]:
    """Return the conditions of a filter string, none for an empty one. Raise `InvalidArgument`."""
    return tuple(_expression(one) for one in _PLUS.split(text)) if text else ()


def _expression(text: str) -> Filter:
    function, opened, rest = text.strip().partition("(")
    name, comma, values = rest.removesuffix(")").partition(",")
    if not (opened and comma and rest.endswith(")") and name.strip() and values):
        raise errors.InvalidArgument(
            f"The filter {text!r} cannot be read.", remedy="Filters look like eq(phase,RUNNING)+contains(name,train)."
        )
    function = function.strip().lower()
    if function not in FUNCTIONS:
        raise errors.InvalidArgument(
            f"The filter {text!r} has no known function.", remedy=f"Known are: {', '.join(sorted(FUNCTIONS))}."
        )
    values = values.removeprefix(" ").replace("\\+", "+")
    if function in REPEATABLE:
        return Filter(name.strip(), function, tuple(values.split(";")))
    if _SEMICOLON.search(values):
        raise errors.InvalidArgument(
            f"The filter {text!r} has several values.", remedy="Use value_in for those; a semicolon in a value is \\;."
        )
    return Filter(name.strip(), function, (values.replace("\\;", ";"),))
