r"""Writes Flyte's filter language for lists: what `services/filters` reads. Pure.

A name can have `+` or `;` in it, which would end the condition, or the value: whoever puts names into filters does it
by this. With a backslash before it, either is part of the value.
"""

from __future__ import annotations

import re


def equal(field: str, value: str) -> str:
    """Return the condition that a field has a value."""
    return f"eq({field},{escape(value)})"


def escape(value: str) -> str:
    """Return a text as the one value of a condition; not for those that take several, `value_in` and `value_not_in`."""
    space = " " if value.startswith(" ") else ""  # The first one is not the value's.
    return space + re.sub("[+;]", r"\\\g<0>", value)
