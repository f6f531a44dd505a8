"""What every `Descriptions` does."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Filter, Page
from dayfly.ports.descriptions import Description
from dayfly.stores import database
from tests.contract import stored
from tests.contract.stored import at

TASK, WORKFLOW = int(identifier_pb2.TASK), int(identifier_pb2.WORKFLOW)
NEWEST = Page(limit=10, sort_key="")


def definition(name: str = "f", version: str = "v1", *, kind: int = TASK, seconds: float = 0, **fields) -> Definition:
    entity = EntityId(kind, fields.pop("project", "p"), "d", name, version)
    plan = stored.make_plan() if kind == WORKFLOW else None
    return Definition(entity, "digest", b"document", at(seconds), at(seconds), f"does {name}", plan=plan, **fields)


async def test_a_description_comes_with_its_version(opened: database.Database) -> None:
    one = definition()
    assert await opened.descriptions.find(one.id) is None
    await opened.definitions.create(one, description=b"told")
    assert await opened.descriptions.find(one.id) == Description(one.id, b"told", "does f", at(0))
    assert await opened.descriptions.find(definition(kind=WORKFLOW).id) is None
    assert await opened.descriptions.find(definition(version="v2").id) is None
    assert await opened.definitions.find(one.id) == one


async def test_a_version_may_have_none(opened: database.Database) -> None:
    await opened.definitions.create(definition())
    assert await opened.descriptions.find(definition().id) is None
    assert await opened.descriptions.list(TASK, "p", "d", "", NEWEST) == []


async def test_what_was_registered_first_stays(opened: database.Database) -> None:
    one = definition(kind=WORKFLOW)
    await opened.definitions.create(one, description=b"first")
    other = msgspec.structs.replace(one, digest="other", short_description="other")
    assert await opened.definitions.create(other, description=b"second") == one
    found = await opened.descriptions.find(one.id)
    assert found is not None
    assert (found.document, found.short_description) == (b"first", "does f")


async def test_descriptions_are_listed(opened: database.Database) -> None:
    for seconds, (name, version) in enumerate((("b", "v1"), ("a", "v1"), ("b", "v2"))):
        await opened.definitions.create(definition(name, version, seconds=seconds), description=b"told")
    for other in (definition("b", kind=WORKFLOW), definition("b", project="q")):
        await opened.definitions.create(other, description=b"told")

    async def listed(name: str = "", *filters: Filter, **page) -> list[str]:
        asked = Page(**{"limit": 10, "sort_key": "", **page}, filters=filters)
        found = await opened.descriptions.list(TASK, "p", "d", name, asked)
        return [one.id.name + one.id.version for one in found]

    assert await listed() == ["bv2", "av1", "bv1"]
    assert await listed("b") == ["bv2", "bv1"]
    assert await listed(sort_key="name", descending=False) == ["av1", "bv1", "bv2"]
    assert await listed(limit=1, offset=1) == ["av1"]
    assert await listed("", Filter("version", "eq", ("v2",))) == ["bv2"]
    assert await listed("", Filter("task.short_description", "contains", ("does a",))) == ["av1"]
    first = await opened.descriptions.list(TASK, "p", "d", "", Page(limit=2, sort_key=""))
    rest = await opened.descriptions.list(TASK, "p", "d", "", Page(limit=2, sort_key="", position=first.position))
    assert [one.id.version for one in rest] == ["v1"]
    with pytest.raises(errors.InvalidArgument, match=r"workflow\.name"):
        await listed("", Filter("workflow.name", "eq", ("a",)))
