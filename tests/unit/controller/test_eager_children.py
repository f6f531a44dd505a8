"""What an eager task started ends with it, where nobody will take it up: that, and nothing else."""

from __future__ import annotations

from dayfly.base.clock import ManualClock
from dayfly.controller import eager_children
from dayfly.ports.definitions import Page
from tests.contract import stored
from tests.fakes import stores

CHILDREN = 120
"""More than one page of them."""


async def test_live_children_of_what_is_ending_are_asked_to_end() -> None:
    store = await stores.open_in_memory(ManualClock())
    runs = store.runs
    await runs.create(stored.new_run("parent", spec=b""), stored.launched())
    for number in range(CHILDREN):
        child = stored.new_run(f"child-{number}", tags=(("eager-exec", "parent"),))
        await runs.create(child, stored.launched())
    await runs.create(stored.new_run("other", tags=(("eager-exec", "another"),)), stored.launched())
    await runs.create(stored.new_run("root", tags=(("eager-root-exec", "parent"),)), stored.launched())

    async def ending() -> set[str]:
        return {
            row.id.name
            for row in await runs.list_executions("p", "d", Page(limit=1000))
            if row.phase == "ABORTING" and row.id.name != "parent"
        }

    await eager_children.end(runs, stored.execution("parent"), stored.at(1))
    assert await ending() == set(), "the parent goes on, and another try takes them up"
    await runs.request_abort(stored.execution("parent"), stored.abort(), principal="bob", cause="enough")
    for _ in range(2):
        await eager_children.end(runs, stored.execution("parent"), stored.at(2))
        assert await ending() == {f"child-{number}" for number in range(CHILDREN)}
    await eager_children.end(runs, stored.execution("never-was"), stored.at(3))
    await store.close()
