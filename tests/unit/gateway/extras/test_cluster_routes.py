"""Events and clusters over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dayfly.base.clock import Micros
from dayfly.gateway.extras import examples
from dayfly.model import events as happened
from dayfly.model.identifiers import NodeId
from dayfly.model.phases import AttemptPhase
from dayfly.model.run import RunOptions
from dayfly.ports.history import WantedClusters

CLUSTER = "/clusters/p/d/e/n0/0"


async def test_events_page_by_page(http: httpx.AsyncClient, world: Any) -> None:
    world.happened = [
        happened.Launched(Micros(1_000_000), RunOptions()),
        happened.AttemptProgressed(Micros(2_500_000), NodeId("n0"), 0, AttemptPhase.RUNNING),
        happened.AttemptSucceeded(Micros(3_000_000), NodeId("n0"), 0),
    ]
    told = (await http.get("/executions/p/d/e/events", params={"limit": 2})).json()
    assert told["token"] == "20"
    second = told["events"][1]
    assert {name: second[name] for name in ("sequence", "at", "kind", "node", "attempt")} == {
        "sequence": 20,
        "at": "1970-01-01T00:00:02.500000Z",
        "kind": "AttemptProgressed",
        "node": "n0",
        "attempt": 0,
    }
    assert second["told"] == "Attempt 0 of node n0 is RUNNING."
    assert second["data"]["phase"] == "RUNNING"
    assert (told["events"][0]["node"], told["events"][0]["attempt"]) == ("", None)
    told = (await http.get("/executions/p/d/e/events", params={"limit": 2, "token": "20"})).json()
    assert [one["kind"] for one in told["events"]] == ["AttemptSucceeded"] and told["token"] == ""


async def test_events_are_followed_to_the_end(http: httpx.AsyncClient, world: Any, events: Any) -> None:
    world.happened = [happened.Launched(Micros(1), RunOptions())]
    async with http.stream("GET", "/executions/p/d/e/events", params={"follow": True}) as answer:
        stream = events(answer)
        first = await stream.take()
        assert (first["event"], first["id"]) == ("events", "10")
        assert [one["kind"] for one in first["data"]["events"]] == ["Launched"]
        world.happened.append(happened.AttemptSucceeded(Micros(2), NodeId("n0"), 0))
        world.phase = "SUCCEEDED"
        assert [one["kind"] for one in (await stream.take())["data"]["events"]] == ["AttemptSucceeded"]
        assert await stream.take() == {"event": "end", "data": {"phase": "SUCCEEDED", "error": ""}}
    again = {"Last-Event-ID": "10"}
    async with http.stream("GET", "/executions/p/d/e/events", params={"follow": True}, headers=again) as answer:
        assert (await events(answer).take())["id"] == "20"


def put_cluster(world: Any, phase: AttemptPhase, **more: Any) -> None:
    info = {"dask": {"workers": 2, "wanted": 3, "tasksDone": 7, "memoryBytes": 1000}}
    logs = [{"name": "driver", "uri": "http://x"}, {"name": "Dask dashboard", "uri": "http://board"}]
    started = {"seconds": 1_773_480_001}
    world.put(phase=phase, task_type="dask", custom_info=info, logs=logs, started_at=started, **more)


async def test_clusters_are_listed_with_their_figures(http: httpx.AsyncClient, world: Any) -> None:
    put_cluster(world, AttemptPhase.RUNNING)
    world.put("n1", AttemptPhase.QUEUED, task_type="dask")
    told = (await http.get("/clusters", params={"limit": 1})).json()
    (one,) = told["clusters"]
    assert one["figures"] == {
        "workers": 2,
        "wanted": 3,
        "tasks_done": 7,
        "tasks_total": 0,
        "tasks_processing": 0,
        "memory_bytes": 1000,
    }
    assert (one["node"], one["task"], one["phase"], one["live"]) == ("n0", "flows.fit", "RUNNING", True)
    assert one["started_at"] == "2026-03-14T09:20:01Z" and one["duration_seconds"] is None
    assert (await http.get(one["url"].removeprefix("/api/dayfly/v1"))).status_code == 200
    told = (await http.get("/clusters", params={"limit": 1, "token": told["token"]})).json()
    assert [one["node"] for one in told["clusters"]] == ["n1"] and told["token"] == ""


async def test_which_clusters_are_asked_for(http: httpx.AsyncClient, world: Any) -> None:
    query = {"project": "p", "domain": "d", "execution": "e", "state": "past", "task": "t"}
    assert (await http.get("/clusters", params=query)).json() == {"clusters": [], "token": ""}
    assert world.wanted == WantedClusters("p", "d", "e", live=False, task="t")


async def test_a_living_cluster(http: httpx.AsyncClient, world: Any) -> None:
    put_cluster(world, AttemptPhase.RUNNING)
    told = (await http.get(CLUSTER)).json()
    assert (told["record"], told["idle_share"], told["diagnosis"]) == (None, None, None)
    assert told["dashboard_url"] == "http://board"
    for name in ("frames_url", "logs_url", "lines_url"):
        assert (await http.get(told[name].removeprefix("/api/dayfly/v1"))).status_code == 200


async def test_a_dead_cluster_tells_why(http: httpx.AsyncClient, world: Any) -> None:
    error = {"code": "DaskWorkerOutOfMemory", "kind": 1, "message": "worker-0 ran out. Do this.\n\nTraceback..."}
    put_cluster(world, AttemptPhase.FAILED, error=error, duration={"seconds": 2, "nanos": 500_000_000})
    world.record = examples.CLUSTER.record
    told = (await http.get(CLUSTER)).json()
    assert told["diagnosis"] == {
        "code": "DaskWorkerOutOfMemory",
        "kind": "USER",
        "sentence": "worker-0 ran out. Do this.",
        "message": "worker-0 ran out. Do this.\n\nTraceback...",
    }
    assert told["cluster"]["duration_seconds"] == 2.5 and told["cluster"]["error_code"] == "DaskWorkerOutOfMemory"
    assert told["dashboard_url"] == ""
    assert told["record"]["workers"][0]["memory_peak"] == 993 and told["idle_share"] == 0.25


async def test_frames(http: httpx.AsyncClient, world: Any) -> None:
    put_cluster(world, AttemptPhase.SUCCEEDED)
    told = (await http.get(f"{CLUSTER}/frames", params={"since": 1, "limit": 1})).json()
    assert told == {"frames": [{"t": 2.0}]}
    coarse = (await http.get(f"{CLUSTER}/frames", params={"every": 10, "tasks": 5})).json()
    assert coarse == {"frames": [{"t": 3.0}]}


async def test_reports(http: httpx.AsyncClient, world: Any) -> None:
    put_cluster(world, AttemptPhase.FAILED)
    assert (await http.get(CLUSTER)).json()["reports"] == []
    world.made = {"performance.html": b"<html>"}
    (one,) = (await http.get(CLUSTER)).json()["reports"]
    assert one["size_bytes"] == 6
    answer = await http.get(one["url"].removeprefix("/api/dayfly/v1"))
    assert answer.content == b"<html>" and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("sandbox ")


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/executions/p/d/none/events", 404, "p/d/none"),
        ("/executions/p/d/none/events?follow=true", 404, "p/d/none"),
        ("/executions/p/d/e/events?token=x", 400, "token"),
        ("/executions/p/%2e%2e/e/events", 400, "not a name"),
        ("/clusters?execution=e", 400, "project and domain"),
        ("/clusters?state=dead", 400, "state"),
        ("/clusters/p/d/e/n0/7", 404, "no attempt"),
        ("/clusters/p/d/e/n0/7/frames", 404, "no attempt"),
        ("/clusters/p/d/e/plain/0", 404, "python-task"),
        ("/clusters/p/d/e/n0/99999999999999999999", 400, "attempt"),
        (f"{CLUSTER}/frames?limit=0", 400, "limit"),
        ("/clusters/p/d/e/dask/0/reports/performance.html", 404, "no report"),
        ("/clusters/p/d/e/dask/0/reports/cluster.record", 404, "no report"),
    ],
)
async def test_refusals(http: httpx.AsyncClient, world: Any, path: str, status: int, told: str) -> None:
    world.put("plain", task_type="python-task")
    world.put("dask", task_type="dask")
    answer = await http.get(path)
    assert answer.status_code == status
    assert told in answer.json()["error"]
