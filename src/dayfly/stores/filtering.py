"""Turns a page's filters and order into SQL. Pure; values are always bound, never spelled into the statement.

Which fields a list knows and how their values are read is in `fields`. Functions and their meaning follow
flyteadmin/pkg/common/filters.go in flyteorg/flyte.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import sqlalchemy as sa

from dayfly.base import clock, errors
from dayfly.ports.definitions import Filter, Page
from dayfly.stores import columns

Column = sa.ColumnElement[Any]


class Field(msgspec.Struct, frozen=True):
    """A field that a list can be filtered and sorted by."""

    column: Any
    read: Callable[[str], object]
    """From the text in the filter to the column's value; raises ValueError."""


Fields = Mapping[str, Field]


def _contains(column: Column, values: list[Any]) -> Column:
    return sa.cast(column, sa.Text).contains(str(values[0]), autoescape=True)


_FUNCTIONS: dict[str, Callable[[Column, list[Any]], Column]] = {
    "contains": _contains,
    "not_like": lambda column, values: sa.cast(column, sa.Text).not_like(str(values[0])),
    "gt": lambda column, values: column > values[0],
    "gte": lambda column, values: column >= values[0],
    "lt": lambda column, values: column < values[0],
    "lte": lambda column, values: column <= values[0],
    "eq": lambda column, values: column == values[0],
    "ne": lambda column, values: column != values[0],
    "value_in": lambda column, values: column.in_(values),
    "value_not_in": lambda column, values: column.not_in(values),
}

_PATTERNS = ("contains", "not_like")
_MANY = ("value_in", "value_not_in")


def condition(item: Filter, fields: Fields) -> Column:
    """Return one filter as a condition. Raises `InvalidArgument` for an unknown field or function, or a bad value."""
    field = find_field(item.field, fields, "filter")
    function = _FUNCTIONS.get(item.function)
    if function is None:
        known = ", ".join(_FUNCTIONS)
        raise errors.InvalidArgument(f"filter function {item.function!r} is unknown.", remedy=f"Known are {known}.")
    if not item.values or (len(item.values) > 1 and item.function not in _MANY):
        raise errors.InvalidArgument(f"filter {item.function}({item.field}, ...) needs exactly one value.")
    read = str if item.function in _PATTERNS else field.read
    try:
        found = function(field.column, [read(value) for value in item.values])
    except ValueError as error:
        raise errors.InvalidArgument(f"filter on {item.field}: {error}.") from error
    # What is not known yet is neither less than anything nor unequal to it.
    return sa.and_(found, field.column >= 0) if isinstance(field.column.type, columns.Later) else found


def alternatives(item: Filter, fields: Fields) -> list[Column]:
    """Return a `value_in` as conditions of which one must hold, and never two at once. Raises `InvalidArgument`."""
    field = find_field(item.field, fields, "filter")
    try:
        return [field.column == value for value in dict.fromkeys(map(field.read, item.values))]
    except ValueError as error:
        raise errors.InvalidArgument(f"filter on {item.field}: {error}.") from error


def conditions(page: Page, fields: Fields) -> list[Column]:
    """Return all filters of a page as conditions that must hold together. Raises `InvalidArgument`."""
    return [condition(item, fields) for item in page.filters]


def find_field(name: str, fields: Fields, what: str) -> Field:
    """Return the field that a filter or sort key names. Raises `InvalidArgument`."""
    field = fields.get(name)
    if field is None:
        raise errors.InvalidArgument(f"{what} {name!r} is unknown here.", remedy=f"Known are {', '.join(fields)}.")
    return field


def number(text: str) -> int:
    """Read an integer."""
    try:
        return _fitting(int(text))
    except ValueError:
        raise ValueError(f"{text[:40]!r} is not an integer of 64 bits") from None


def moment(text: str) -> int:
    """Read an RFC 3339 time, to microseconds since the epoch."""
    # Python 3.10 knows neither `Z` nor fractions of other than 3 or 6 digits.
    plain = re.sub(r"\.(\d+)", lambda found: "." + found[1][:6].ljust(6, "0"), text.strip())
    try:
        return clock.from_datetime(datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", plain)))
    except ValueError:
        raise ValueError(f"{text!r} is not a time such as 2026-01-31T09:30:00Z") from None


_UNITS = {"h": 3_600_000_000, "m": 60_000_000, "s": 1_000_000, "ms": 1_000, "us": 1, "µs": 1, "ns": 0.001}
_SPAN = re.compile(r"([0-9.]+)(h|ms|m|s|us|µs|ns)")


def span(text: str) -> int:
    """Read a span, seconds as a number or Go's `1h2m3.5s`, to microseconds."""
    try:
        return _fitting(round(float(text) * 1_000_000))
    except (ValueError, OverflowError):
        pass
    parts = _SPAN.findall(text)
    if not parts or "".join(value + unit for value, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration such as 90 or 1m30s")
    return _fitting(round(sum(float(value) * _UNITS[unit] for value, unit in parts)))


def _fitting(value: int) -> int:
    """Return the value. Raises ValueError where databases have no integer for it."""
    if not -(2**63) <= value < 2**63:
        raise ValueError(f"{value} does not fit 64 bits")
    return value
