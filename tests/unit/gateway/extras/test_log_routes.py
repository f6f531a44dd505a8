"""Logs over HTTP: listed, read in ranges, searched, followed, merged."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from dayfly.model.phases import AttemptPhase

ATTEMPT = "/executions/p/d/e/nodes/n0/attempts/0"


@pytest.fixture
def key(world: Any) -> str:
    made: str = world.put()
    for role in ("driver", "scheduler", "worker-0", "worker-1"):
        world.logs.write(made, role, f"{role} begins\n")
    return made


async def test_which_logs_there_are(http: httpx.AsyncClient, world: Any, key: str) -> None:
    told = (await http.get(f"{ATTEMPT}/logs", params={"limit": 3})).json()
    assert [(one["role"], one["kind"], one["size_bytes"]) for one in told["logs"]] == [
        ("driver", "driver", 14),
        ("scheduler", "scheduler", 17),
        ("worker-0", "worker", 16),
    ]
    assert (told["phase"], told["ended"]) == ("RUNNING", False)
    rest = (await http.get(f"{ATTEMPT}/logs", params={"limit": 3, "token": told["token"]})).json()
    assert [one["role"] for one in rest["logs"]] == ["worker-1"] and rest["token"] == ""
    url = rest["logs"][0]["url"].removeprefix("/api/dayfly/v1")
    assert (await http.get(url)).text == "worker-1 begins\n"
    assert (await http.get(told["lines_url"].removeprefix("/api/dayfly/v1"))).status_code == 200


async def test_an_attempt_that_has_written_nothing_has_no_logs(http: httpx.AsyncClient, world: Any) -> None:
    world.put(phase=AttemptPhase.QUEUED)
    assert (await http.get(f"{ATTEMPT}/logs")).json()["logs"] == []
    assert (await http.get(f"{ATTEMPT}/lines")).json()["lines"] == []


async def test_logs_outlive_what_the_database_knows(http: httpx.AsyncClient, world: Any, key: str) -> None:
    world.attempts.clear()
    told = (await http.get(f"{ATTEMPT}/logs")).json()
    assert len(told["logs"]) == 4 and (told["phase"], told["ended"]) == ("", True)


@pytest.mark.parametrize(
    ("query", "text", "start"),
    [
        ({}, "driver begins\n", "0"),
        ({"from": 7}, "begins\n", "7"),
        ({"from": -7, "bytes": 5}, "begin", "7"),
        ({"from": 99}, "", "14"),
        ({"from": -99, "bytes": 99}, "driver begins\n", "0"),
    ],
)
async def test_ranges(http: httpx.AsyncClient, key: str, query: dict[str, int], text: str, start: str) -> None:
    answer = await http.get(f"{ATTEMPT}/logs/driver", params=query)
    assert (answer.text, answer.headers["x-log-start"], answer.headers["x-log-size"]) == (text, start, "14")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_large_log_is_sent_in_ranges(http: httpx.AsyncClient, world: Any, key: str) -> None:
    world.logs.write(key, "driver", b"0123456789abcde\n" * 2**17)
    assert len((await http.get(f"{ATTEMPT}/logs/driver")).content) == 2**21 + 14
    assert max(world.logs.reads) <= 2**18


async def test_search(http: httpx.AsyncClient, world: Any, key: str) -> None:
    world.logs.write(key, "driver", "one fox\ntwo\nthree Fox\n")
    query: dict[str, Any] = {"search": "FOX", "limit": 1, "context": 1}
    told = (await http.get(f"{ATTEMPT}/logs/driver", params=query)).json()
    (match,) = told["matches"]
    assert match == {"line": 2, "offset": 14, "text": "one fox", "before": ["driver begins"], "after": ["two"]}
    told = (await http.get(f"{ATTEMPT}/logs/driver", params=query | {"token": told["token"]})).json()
    assert [one["line"] for one in told["matches"]] == [4]
    assert told["token"] == ""


async def test_follow_one_log(http: httpx.AsyncClient, world: Any, key: str, events: Any) -> None:
    async with http.stream("GET", f"{ATTEMPT}/logs/driver", params={"follow": True, "from": 7}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
        first = await told.take()
        assert first == {"event": "text", "id": "14", "data": {"start": 7, "next": 14, "text": "begins\n"}}
        world.logs.write(key, "driver", "é".encode()[:1])
        world.logs.write(key, "driver", "é".encode()[1:] + b"a")
        assert "".join([(await told.take())["data"]["text"]]) == "éa"
        world.put(phase=AttemptPhase.SUCCEEDED)
        assert (await told.take())["data"]["phase"] == "SUCCEEDED"
    again = {"Last-Event-ID": "14"}
    async with http.stream("GET", f"{ATTEMPT}/logs/driver", params={"follow": True}, headers=again) as answer:
        assert (await events(answer).take())["data"]["text"] == "éa"


async def test_a_log_is_followed_before_it_is_begun(http: httpx.AsyncClient, world: Any, events: Any) -> None:
    key = world.put(phase=AttemptPhase.QUEUED)
    async with http.stream("GET", f"{ATTEMPT}/logs/driver", params={"follow": True}) as answer:
        world.logs.write(key, "driver", "at last")
        assert (await events(answer).take())["data"]["text"] == "at last"


async def test_follow_the_view(http: httpx.AsyncClient, world: Any, key: str, events: Any) -> None:
    query: dict[str, Any] = {"follow": True, "search": "begins", "role": "worker"}
    async with http.stream("GET", f"{ATTEMPT}/lines", params=query) as answer:
        told = events(answer)
        first = await told.take()
        assert [one["role"] for one in first["data"]["lines"]] == ["worker-0", "worker-1"]
        world.logs.write(key, "worker-0", "nothing\n")
        world.logs.write(key, "worker-2", "worker-2 begins\nworker-2 begins with no end")
        second = await told.take()
        assert [one["text"] for one in second["data"]["lines"]] == ["worker-2 begins"]
        world.put(phase=AttemptPhase.FAILED)
        third = await told.take()
        assert [one["text"] for one in third["data"]["lines"]] == ["worker-2 begins with no end"]
        assert third["data"]["ended"]
        assert (await told.take())["data"] == {"phase": "FAILED", "error": ""}
    again = {"Last-Event-ID": first["id"]}
    async with http.stream("GET", f"{ATTEMPT}/lines", params=query, headers=again) as answer:
        assert [one["role"] for one in (await events(answer).take())["data"]["lines"]] == ["worker-2", "worker-2"]


async def test_followers_are_let_go_when_the_platform_ends(
    http: httpx.AsyncClient, world: Any, key: str, events: Any
) -> None:
    async with http.stream("GET", f"{ATTEMPT}/lines", params={"follow": True, "tail": 1}) as answer:
        told = events(answer)
        assert len((await told.take())["data"]["lines"]) == 1
        world.closing.set()
        assert await told.take() == {"event": "end", "data": {"phase": "", "error": ""}}


async def test_the_view(http: httpx.AsyncClient, world: Any, key: str) -> None:
    world.logs.write(key, "worker-1", "2026-03-14 12:00:00,000 - w - ERROR - bad\nTraceback (most recent call last):\n")
    told = (await http.get(f"{ATTEMPT}/lines", params={"level": "warning"})).json()
    assert [(one["role"], one["level"], one["timed"]) for one in told["lines"]] == [
        ("worker-1", "ERROR", True),
        ("worker-1", "ERROR", False),
    ]
    told = (await http.get(f"{ATTEMPT}/lines", params={"role": ["driver", "worker-0"], "limit": 1})).json()
    assert [one["text"] for one in told["lines"]] == ["driver begins"] and not told["at_end"]
    told = (await http.get(f"{ATTEMPT}/lines", params={"role": ["driver", "worker-0"], "token": told["token"]})).json()
    assert [one["text"] for one in told["lines"]] == ["worker-0 begins"] and told["at_end"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        (f"{ATTEMPT}/logs/worker-9", 404, "no log of 'worker-9'"),
        ("/executions/p/d/e/nodes/n0/attempts/7/logs", 404, "no attempt p/d/e/n0/7"),
        ("/executions/p/d/e/nodes/n0/attempts/7/lines", 404, "no attempt p/d/e/n0/7"),
        ("/executions/p/d/e/nodes/n0/attempts/7/lines?follow=true", 404, "no attempt p/d/e/n0/7"),
        ("/executions/p/d/e/nodes/n0/attempts/7/logs/driver?follow=true", 404, "no attempt p/d/e/n0/7"),
        ("/executions/p/d/e/nodes/n0/attempts/-1/logs", 400, "attempt"),
        ("/executions/p/d/%2e%2e/nodes/n0/attempts/0/logs", 400, "not a name"),
        (f"{ATTEMPT}/logs/a%20b", 400, "not a name"),
        (f"{ATTEMPT}/logs/driver?search=a&follow=true", 400, "not both"),
        (f"{ATTEMPT}/logs/driver?search=a&token=x", 400, "token"),
        (f"{ATTEMPT}/logs/driver?bytes=0", 400, "bytes"),
        (f"{ATTEMPT}/logs?token=-1", 400, "token"),
        (f"{ATTEMPT}/logs?limit=0", 400, "limit"),
        (f"{ATTEMPT}/lines?token=x", 400, "token"),
        (f"{ATTEMPT}/lines?level=loud", 400, "level"),
        (f"{ATTEMPT}/lines?tail=1&token=x", 400, "not both"),
    ],
)
async def test_refusals(http: httpx.AsyncClient, key: str, path: str, status: int, told: str) -> None:
    answer = await http.get(path)
    assert answer.status_code == status
    assert set(answer.json()) == {"error", "code", "remedy"}
    assert told in answer.json()["error"]
    assert answer.json()["code"] == {400: "INVALID_ARGUMENT", 404: "NOT_FOUND"}[status]


async def test_elements_of_arrays_have_logs_of_their_own(http: httpx.AsyncClient, world: Any) -> None:
    world.logs.write(world.put("n0#7", AttemptPhase.SUCCEEDED), "driver", "the seventh\n")
    told = (await http.get("/executions/p/d/e/nodes/n0%237/attempts/0/logs")).json()
    assert told["phase"] == "SUCCEEDED"
    assert (await http.get(told["logs"][0]["url"].removeprefix("/api/dayfly/v1"))).text == "the seventh\n"
    (line,) = (await http.get(told["lines_url"].removeprefix("/api/dayfly/v1"))).json()["lines"]
    assert line["text"] == "the seventh"


async def test_other_names_of_this_address_are_refused(http: httpx.AsyncClient, key: str) -> None:
    for path in (f"{ATTEMPT}/logs", f"{ATTEMPT}/lines", f"{ATTEMPT}/logs/driver", "/logs/p/d/e/n0/0/driver"):
        assert (await http.get(path, headers={"Host": "evil.example"})).status_code == 403
