"""What every `Attributes` does."""

from __future__ import annotations

import pytest

from dayfly.base import errors
from dayfly.ports.attributes import Place, StoredAttributes
from dayfly.stores import database

KIND, OTHER = 0, 6
PLACES = [Place("p"), Place("p", "d"), Place("p", "d", "w"), Place("p", "d", "w", "l")]


async def put(opened: database.Database, *places: Place, kind: int = KIND, document: bytes = b"told") -> None:
    for place in places:
        await opened.attributes.put(StoredAttributes(kind, place, document))


async def test_the_most_special_comes_first(opened: database.Database) -> None:
    await put(opened, *PLACES, Place("q"), Place("p", "e"), Place("p", "d", "v"))
    await put(opened, Place("p"), kind=OTHER)
    for depth, place in enumerate(PLACES, start=1):
        found = await opened.attributes.matching(KIND, place)
        assert [one.place for one in found] == PLACES[:depth][::-1]


async def test_attributes_of_one_place_replace_each_other(opened: database.Database) -> None:
    await put(opened, PLACES[1], document=b"before")
    await put(opened, PLACES[1], document=b"after")
    assert await opened.attributes.list(KIND) == [StoredAttributes(KIND, PLACES[1], b"after")]


async def test_lists_are_by_place_and_kind(opened: database.Database) -> None:
    await put(opened, *PLACES[::-1])
    assert [one.place for one in await opened.attributes.list(KIND)] == PLACES
    assert await opened.attributes.list(OTHER) == []


async def test_only_what_is_there_can_be_removed(opened: database.Database) -> None:
    await put(opened, *PLACES)
    await opened.attributes.delete(KIND, PLACES[1])
    assert [one.place for one in await opened.attributes.matching(KIND, PLACES[1])] == [PLACES[0]]
    for kind, place in ((KIND, PLACES[1]), (OTHER, PLACES[0])):
        with pytest.raises(errors.NotFound):
            await opened.attributes.delete(kind, place)
