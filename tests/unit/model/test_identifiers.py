"""Identifiers in words."""

from __future__ import annotations

from dayfly.model import identifiers


def test_a_number_that_is_no_resource_type_is_told_all_the_same() -> None:
    assert identifiers.kind_name(1) == "task"
    assert identifiers.kind_name(2**31 - 1) == "resource type 2147483647"
    assert str(identifiers.EntityId(77, "p", "d", "n", "v")) == "resource type 77 p:d:n:v"
