"""Places in addresses, quoted and read back."""

from __future__ import annotations

import pytest

from dayfly.console import addresses
from dayfly.console.addresses import Place


@pytest.mark.parametrize("place", [Place("flytesnacks", "development"), Place("a/b ;", "ü")])
def test_a_place_is_read_as_it_stands_in_addresses(place: Place) -> None:
    project, _, domain = addresses.below(place).removeprefix("/console/projects/").partition("/domains/")
    assert addresses.read_place(f"{project}/{domain}") == place


@pytest.mark.parametrize("told", ["", "flytesnacks", "/development", "flytesnacks/"])
def test_what_names_no_place_is_none(told: str) -> None:
    assert addresses.read_place(told) is None
