"""The cache over HTTP: listed, measured, evicted."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from tests.unit.gateway.extras.test_describing import validate

from dayfly.base.clock import SECOND, Micros
from dayfly.model.caching import CacheKey, Source
from dayfly.model.identifiers import ExecutionId, NodeId

MADE = 1_773_480_000


async def keep(world: Any, task: str, tag: str, run: str = "a", seconds: int = 0, version: str = "1") -> None:
    key = CacheKey("p", "d", f"flyte_task-{task}", f"{version}-aaaaaaaa-b_-bbbbb", tag)
    source = Source("v7", ExecutionId("p", "d", run), NodeId("n0"), 2)
    await world.catalog.put(key, b"outputs", source, Micros((MADE + seconds) * SECOND))


async def test_entries_page_by_page(http: httpx.AsyncClient, world: Any) -> None:
    for number in range(3):
        await keep(world, "fit", f"t{number}", seconds=number)
    first = (await http.get("/cache/entries", params={"limit": 2})).json()
    assert [one["tags"] for one in first["entries"]] == [["t2"], ["t1"]]
    rest = (await http.get("/cache/entries", params={"limit": 2, "token": first["token"]})).json()
    assert ([one["tags"] for one in rest["entries"]], rest["token"]) == ([["t0"]], "")
    entry = rest["entries"][0]
    assert (entry["task"], entry["cache_version"], entry["task_version"]) == ("fit", "1", "v7")
    assert entry["execution"] == {"project": "p", "domain": "d", "name": "a", "node": "n0", "attempt": 2}
    assert (entry["size_bytes"], entry["made_at"]) == (7, "2026-03-14T09:20:00Z")


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"task": "fit"}, 2),
        ({"task": "fit", "cache_version": "2"}, 1),
        ({"execution": "p/d/b"}, 1),
        ({"before": "2026-03-14T09:20:05Z"}, 2),
        ({"project": "p", "domain": "e"}, 0),
        ({"all": "true"}, 3),
    ],
)
async def test_what_is_chosen_is_evicted(
    http: httpx.AsyncClient, world: Any, query: dict[str, str], count: int
) -> None:
    await keep(world, "fit", "x")
    await keep(world, "fit", "x", seconds=9, version="2")
    await keep(world, "predict", "x", run="b")
    sizes = (await http.get("/cache/sizes", params=query)).json()
    assert (sizes["entries"], sizes["size_bytes"]) == (count, 7 * count)
    assert sum(one["entries"] for one in sizes["tasks"]) == count
    assert (await http.delete("/cache/entries", params=query)).json() == {"entries": count, "size_bytes": 7 * count}
    assert len((await http.get("/cache/entries")).json()["entries"]) == 3 - count


@pytest.mark.parametrize(
    ("verb", "path", "query", "told"),
    [
        ("DELETE", "/cache/entries", {}, "all=true"),
        ("GET", "/cache/entries", {"execution": "a"}, "PROJECT/DOMAIN/NAME"),
        ("GET", "/cache/entries", {"execution": "p/../a"}, "not a name"),
        ("GET", "/cache/sizes", {"before": "yesterday"}, "before"),
        ("GET", "/cache/entries", {"token": "x-y"}, "token"),
        ("GET", "/cache/entries", {"limit": "0"}, "limit"),
        ("GET", "/cache/sizes", {"task": "a\0b"}, "task"),
    ],
)
async def test_bad_requests(http: httpx.AsyncClient, verb: str, path: str, query: dict[str, str], told: str) -> None:
    answer = await http.request(verb, path, params=query)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (400, "INVALID_ARGUMENT")
    assert told in problem["error"]


async def test_pages_of_other_sites_evict_nothing(http: httpx.AsyncClient, world: Any) -> None:
    await keep(world, "fit", "x")
    answer = await http.delete("/cache/entries", params={"all": "true"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    assert len((await http.get("/cache/entries")).json()["entries"]) == 1


async def test_answers_have_the_described_form(http: httpx.AsyncClient, world: Any) -> None:
    await keep(world, "fit", "x")
    document = (await http.get("/openapi.json")).json()
    for verb, path in (("get", "entries"), ("get", "sizes"), ("delete", "entries")):
        query = {"task": "fit"}
        answer = await http.request(verb, f"/cache/{path}", params=query)
        operation = document["paths"][f"/api/dayfly/v1/cache/{path}"][verb]
        content = operation["responses"]["200"]["content"]["application/json"]
        validate(document, content["schema"], answer.json())
