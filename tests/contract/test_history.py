"""What every `History` tells: events in pages, and which attempts have clusters."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from dayfly.base import errors
from dayfly.model.phases import AttemptPhase, NodePhase
from dayfly.ports.history import WantedClusters
from dayfly.stores import database, history
from tests.contract import stored
from tests.contract.stored import N0, N1, launched, new_run


async def start(opened: database.Database, name: str, *, dask: tuple[Any, ...] = (N0,), **changes: Any) -> None:
    """Create an execution, the nodes named by `dask` of which are Dask tasks."""
    plan = stored.make_plan()
    for node in dask:
        plan.nodes[node] = msgspec.structs.replace(plan.nodes[node], task_type="dask")
    plan = msgspec.structs.replace(plan, digest=f"plan of {dask}")
    await opened.runs.create(msgspec.structs.replace(new_run(name, plan=plan), **changes), launched())


async def show(opened: database.Database, name: str, *phases: AttemptPhase) -> None:
    """Let node n0 have attempts in these phases, and n1 a running one."""
    run, unread = await opened.runs.load(stored.execution(name))
    tries = [stored.attempt(number, phase) for number, phase in enumerate(phases)]
    state = stored.running(
        n0=stored.node(NodePhase.RUNNING, *tries),
        n1=stored.node(NodePhase.RUNNING, stored.attempt(0, AttemptPhase.RUNNING)),
    )
    await opened.runs.commit(run, state, unread, [])


async def names(opened: database.Database, wanted: WantedClusters = WantedClusters(), limit: int = 100) -> list[str]:  # noqa: B008
    told, then = [], 0
    for _ in range(100):
        page = await opened.history.list_clusters(wanted, then=then, limit=limit)
        assert len(page.attempts) <= limit
        told += [f"{one.execution.name}/{one.node}/{one.attempt}" for one in page.attempts]
        then = page.then
        if not then:
            return told
    raise AssertionError("the list does not end")


async def test_events_in_pages(opened: database.Database) -> None:
    await start(opened, "one")
    await start(opened, "two")
    await opened.runs.append(stored.execution("one"), [stored.progressed(), stored.progressed(N1), stored.abort()])
    first = await opened.history.list_events(stored.execution("one"), after=0, limit=3)
    assert [type(one.event).__name__ for one in first] == ["Launched", "AttemptProgressed", "AttemptProgressed"]
    rest = await opened.history.list_events(stored.execution("one"), after=first[-1].sequence, limit=3)
    assert [one.event for one in rest] == [stored.abort()]
    assert await opened.history.list_events(stored.execution("one"), after=rest[-1].sequence, limit=3) == []
    with pytest.raises(errors.NotFound, match="none"):
        await opened.history.list_events(stored.execution("none"), after=0, limit=3)


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_clusters_are_listed_newest_first(opened: database.Database, limit: int) -> None:
    assert await names(opened) == []
    await start(opened, "one")
    await start(opened, "two", dask=(N0, N1))
    await show(opened, "one", AttemptPhase.FAILED, AttemptPhase.RUNNING)
    await show(opened, "two", AttemptPhase.SUCCEEDED)
    every = await names(opened, limit=limit)
    assert every == ["two/n1/0", "two/n0/0", "one/n0/1", "one/n0/0"]
    assert await names(opened, WantedClusters(live=True), limit) == ["two/n1/0", "one/n0/1"]
    assert await names(opened, WantedClusters(live=False), limit) == ["two/n0/0", "one/n0/0"]
    assert await names(opened, WantedClusters("p", "d", "one"), limit) == ["one/n0/1", "one/n0/0"]
    assert await names(opened, WantedClusters("p"), limit) == every
    assert await names(opened, WantedClusters("other"), limit) == []
    task = (await opened.history.list_clusters(WantedClusters(), then=0, limit=1)).attempts[0].task.name
    assert await names(opened, WantedClusters(task=task), limit) == every
    assert await names(opened, WantedClusters(task=f"{task}x"), limit) == []


@pytest.mark.parametrize("bound", ["SCANNED_ATTEMPTS", "READ_ATTEMPTS"])
async def test_a_list_looks_at_so_many_attempts_and_goes_on(
    opened: database.Database, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    monkeypatch.setattr(history, bound, 2)
    await start(opened, "old")
    await show(opened, "old", AttemptPhase.SUCCEEDED)
    for number in range(3):
        await start(opened, f"plain{number}", dask=())
        await show(opened, f"plain{number}", AttemptPhase.SUCCEEDED)
    page = await opened.history.list_clusters(WantedClusters(), then=0, limit=10)
    assert page.attempts == [] and page.then > 0
    assert await names(opened) == ["old/n0/0"]
