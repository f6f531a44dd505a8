"""`make bench-million`: lists of a million executions, pages 1 and 1,000, in SQLite and in Postgres.

    python -m benchmarks.million_executions [sqlite] [postgres]

Each list is read through the store that the API uses: page 1 again and again, as consoles do that look every few
seconds, and the pages from 1,000 on one after the other by the token of the one before, so that none is read twice.
Beside it stands the same page as a plain OFFSET reads it. At the end some of the same calls over gRPC, from flytekit's
own client to a `dayfly up` on that database.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa
from flyteidl.admin import common_pb2, node_execution_pb2
from flytekit.clients.raw import RawSynchronousFlyteClient
from flytekit.configuration import PlatformConfig
from tests.platforms import postgres as postgres_servers
from tests.platforms.server import Server

from benchmarks import million_rows
from benchmarks.million_rows import MAIN
from dayfly.base.clock import SystemClock
from dayfly.model import identifiers
from dayfly.model.identifiers import NodeId
from dayfly.ports.definitions import Filter, Listed, Page
from dayfly.services import filters
from dayfly.stores import database, run_reading, run_rows
from dayfly.stores.connections import Connections
from dayfly.stores.pages import Listing

PAGE = 100
"""Rows of a page, flytekit's own default; consoles ask for fewer."""

DEEP = 1000
"""The page after which it is measured how deep ones do."""

SAMPLES = 200
DEEP_PAGES = 50
"""Pages from `DEEP` on; read over again until there are `SAMPLES`."""

OFFSETS = 5
"""Times that the baseline is read."""

TARGET_MS = 50


class List(NamedTuple):
    """A list that clients read, and how the store is asked for it."""

    what: str
    page: Page
    of: str = "executions"


def _page(told: str, sort_key: str = "created_at") -> Page:
    """Return what the API makes of a request: archived executions are hidden unless a filter names `state`."""
    asked = filters.parse(told)
    if not any(one.field == "state" for one in asked):
        asked = (*asked, Filter("state", "eq", ("0",)))
    return Page(PAGE, filters=asked, sort_key=sort_key)


_WORKFLOW = million_rows.WORKFLOWS[0]
LISTS = (
    List("newest", _page("")),
    List("failed", _page("eq(phase,FAILED)")),
    List("in one of several phases", _page("value_in(phase,FAILED;ABORTED;TIMED_OUT)")),
    List("of a workflow", _page(f"eq(workflow.name,{_WORKFLOW})")),
    List("of a workflow's version", _page(f"eq(workflow.name,{_WORKFLOW})+eq(workflow.version,v3)")),
    List("of a launch plan, failed", _page(f"eq(launch_plan.name,{_WORKFLOW})+eq(phase,FAILED)")),
    List("of a workflow, running", _page(f"eq(workflow.name,{_WORKFLOW})+eq(phase,RUNNING)")),
    List("of a task", _page(f"eq(task.name,{_WORKFLOW})+eq(launch_entity,task)")),
    List("of a user", _page("eq(user,user0)")),
    List("started in a quarter", _page("gte(started_at,2025-04-01T00:00:00Z)+lte(started_at,2025-07-01T00:00:00Z)")),
    List("started in an hour", _page("gte(started_at,2025-04-01T00:00:00Z)+lte(started_at,2025-04-01T01:00:00Z)")),
    List("longer than 10 minutes", _page("gte(duration,10m)")),
    List("longest first", _page("", "duration")),
    List("with a tag", _page("eq(execution_tag.key,team)+eq(execution_tag.value,red)")),
    List("running, longest first", _page("eq(phase,RUNNING)", "duration")),
    List("with a rare tag", _page("eq(execution_tag.key,team)+eq(execution_tag.value,team7)")),
    List("with a tag of its own", _page("eq(execution_tag.key,eager)+eq(execution_tag.value,eager7000)")),
    List("archived", _page("eq(state,1)")),
    List("name contains (no index)", _page("contains(execution_name,00123456)")),
    List("nodes of an execution", Page(PAGE, sort_key="", descending=False), "nodes"),
)


def main(*wanted: str) -> None:
    for kind in wanted or ("sqlite", "postgres"):
        with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name, contextlib.ExitStack() as stack:
            folder = Path(name) / "data"
            folder.mkdir()
            url = database.url_of(folder / "dayfly.db") if kind == "sqlite" else _postgres(stack)
            asyncio.run(_make(url))
            began = time.monotonic()
            million_rows.fill(url)
            print(f"{kind}: {million_rows.EXECUTIONS:,} executions, made in {time.monotonic() - began:.0f} s")
            print(f"{'in milliseconds':<28}{'page 1':>8}{'p99':>8}{'page':>8}{'':>8}{'p99':>8}{'OFFSET':>10}")
            asyncio.run(_measure(url))
            with Server(folder, *([] if kind == "sqlite" else ["--database", url])) as server:
                _measure_calls(server)


def _postgres(stack: contextlib.ExitStack) -> str:
    server = stack.enter_context(postgres_servers.serving("synchronous_commit=off", "max_wal_size=8GB"))
    return server.url(server.create())


async def _make(url: str) -> None:
    await (await database.open(url, clock=SystemClock())).close()


async def _measure(url: str) -> None:
    store, plain = await database.open(url, clock=SystemClock()), Connections(url)
    try:
        for one in LISTS:
            await _measure_list(store, plain, one)
        found = [million_rows.giant(), *(row.id for row in await store.runs.list_executions(*MAIN, LISTS[0].page))]
        each, attempts = itertools.cycle(found), Page(PAGE, sort_key="", descending=False)
        _tell("one execution", await _times(SAMPLES, lambda: store.runs.find_execution(next(each))))
        _tell("attempts of a node", await _times(SAMPLES, lambda: store.runs.list_attempts(next(each), _N0, attempts)))
    finally:
        await plain.close()
        await store.close()


async def _measure_list(store: database.Database, plain: Connections, one: List) -> None:
    first = await _times(SAMPLES, lambda: _read(store, one))
    number, positions = await _find_deep(store, one)
    each = itertools.cycle(positions)
    deep = await _times(SAMPLES, lambda: _read(store, one, position=next(each)))
    naive = await _times(OFFSETS, lambda: plain.read(_by_offset(one, (number - 1) * PAGE)))
    _tell(one.what, first, number, deep, naive)


async def _find_deep(store: database.Database, one: List) -> tuple[int, list[str]]:
    """Return the number of the first deep page, and where the pages from it on begin. A short list has its last."""
    number = DEEP
    while not (before := await _read(store, one, offset=(number - 2) * PAGE)):
        assert number > 2, f"nothing is listed as {one.what}"
        number = max(2, number * 9 // 10)
    positions = []
    while before and len(positions) < DEEP_PAGES:
        positions.append(before.position)
        before = await _read(store, one, position=before.position)
    return number, positions


async def _read(store: database.Database, one: List, **changes: Any) -> Listed[Any]:
    page = msgspec.structs.replace(one.page, **changes)
    if one.of == "nodes":
        return await store.runs.list_nodes(million_rows.giant(), None, page)
    return await store.runs.list_executions(*MAIN, page)


def _by_offset(one: List, offset: int) -> Callable[[sa.Connection], Any]:
    """Return what reads the same page as everybody would at first."""
    if one.of == "nodes":
        listing, values = run_reading.nodes(million_rows.giant(), None, one.page), run_rows.naming(million_rows.giant())
    else:
        listing, values = run_reading.executions(*MAIN, one.page), {}
    rows = sa.union_all(*(_keyed(listing, branch) for branch in listing.branches)).subquery()
    columns = [rows.c.position_key, rows.c.position_number]
    order = [column.desc() if listing.order.descending else column for column in columns]
    query = sa.select(rows).order_by(*order).limit(PAGE).offset(offset)
    return lambda connection: connection.execute(query, values).all()


def _keyed(listing: Listing, branch: sa.Select[Any]) -> sa.Select[Any]:
    return branch.add_columns(listing.order.key.label("position_key"), listing.number.label("position_number"))


async def _times(count: int, read: Callable[[], Awaitable[object]]) -> list[float]:
    """Return how many milliseconds each of `count` reads took."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        await read()
        took.append(1000 * (time.perf_counter() - began))
    return took


def _measure_calls(server: Server) -> None:
    """Read some of the lists as flytekit does, from here to the server and back into messages."""
    client = RawSynchronousFlyteClient(PlatformConfig(endpoint=server.address, insecure=True))
    giant = identifiers.to_execution_identifier(million_rows.giant())

    def executions(told: str, token: str = "") -> Any:
        scope = common_pb2.NamedEntityIdentifier(project=MAIN[0], domain=MAIN[1])
        request = common_pb2.ResourceListRequest(id=scope, limit=PAGE, token=token, filters=told)
        return client.list_executions_paginated(request)

    def nodes(_: str, token: str = "") -> Any:
        request = node_execution_pb2.NodeExecutionListRequest(workflow_execution_id=giant, limit=PAGE, token=token)
        return client.list_node_executions_paginated(request)

    for what, read, told in (
        ("gRPC: newest", executions, ""),
        ("gRPC: of a workflow", executions, f"eq(workflow.name,{_WORKFLOW})"),
        ("gRPC: nodes", nodes, ""),
    ):
        first = [_timed(lambda: read(told)) for _ in range(SAMPLES)]  # noqa: B023  called at once
        tokens = [str((DEEP - 2) * PAGE)]
        while len(tokens) <= DEEP_PAGES:
            tokens.append(read(told, tokens[-1]).token)
        each = itertools.cycle(tokens[1:])
        deep = [_timed(lambda: read(told, next(each))) for _ in range(SAMPLES)]  # noqa: B023  called at once
        _tell(what, first, DEEP, deep)


def _timed(call: Callable[[], object]) -> float:
    """Return how many milliseconds the call took."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def _tell(
    what: str, first: list[float], number: int = 0, deep: list[float] | None = None, naive: list[float] | None = None
) -> None:
    told = f"{what:<28}{_figures(first)}"
    if deep:
        told += f"{number:>8}{_figures(deep)}"
    if naive:
        told += f"{statistics.median(naive):>10.1f}"
    print(told, flush=True)


def _figures(took: list[float]) -> str:
    worst = statistics.quantiles(took, n=100, method="inclusive")[98]
    return f"{statistics.median(took):>8.1f}{worst:>8.1f}{'!' if worst > TARGET_MS else ' '}"


_N0 = NodeId("n0")


if __name__ == "__main__":
    main(*sys.argv[1:])
