"""What is refused leaves nothing behind, in no table."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from dayfly.base.clock import ManualClock
from dayfly.ports.definitions import Definition
from dayfly.stores import database, schema
from tests.contract import stored
from tests.contract.stored import at


async def test_a_workflow_that_differs_from_the_stored_one_leaves_no_plan() -> None:
    store = await database.open("sqlite://", clock=ManualClock())
    first = Definition(stored.WORKFLOW, "digest", b"one", at(0), at(0), plan=stored.make_plan(2))
    other = msgspec.structs.replace(first, digest="other", document=b"two", plan=stored.make_plan(3))
    assert await store.definitions.create(first) is None
    kept = await store.definitions.create(other)
    assert kept is not None and kept.document == b"one"
    plans = await store._connections.read(lambda connection: connection.scalars(sa.select(schema.plans.c.digest)).all())
    assert plans == ["plan of 2"]
    await store.close()
