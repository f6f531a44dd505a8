"""All runs together, and how the platform is."""

from __future__ import annotations

import httpx
import pytest
from tests.fakes.http_api import World

from dayfly.base import errors
from dayfly.base.settings import DataSettings, NotificationsSettings, Settings
from dayfly.gateway.extras import health, overview
from dayfly.ports.executor_parts import Condition


async def test_the_overview_of_nothing_is_empty(http: httpx.AsyncClient) -> None:
    assert (await http.get("/overview")).json() == {
        "now": {},
        "hours": [],
        "newest": [],
        "failed": [],
        "waiting": [],
    }
    assert (await http.get("/places")).json() == {"places": []}
    assert (await http.get("/overview?hours=0")).status_code == 400


async def test_a_part_that_does_not_answer_is_told_with_what_to_do(http: httpx.AsyncClient, world: World) -> None:
    told = (await http.get("/health")).json()
    parts = {one["name"]: one for one in told["parts"]}
    assert set(parts) == {"database", "storage", "disk", "memory", "executors"}
    assert parts["database"]["state"] == parts["storage"]["state"] == "well"
    assert (told["version"], told["executors"], told["settings"]) == (
        "1.2.3",
        ["dask", "local"],
        {"server.port": "30080"},
    )
    world.blobs.unavailable = True
    told = (await http.get("/health")).json()
    assert told["state"] == "failing"
    assert {one["name"]: one["state"] for one in told["parts"]}["storage"] == "failing"


async def test_what_tasks_run_on_is_a_part_too(http: httpx.AsyncClient, world: World) -> None:
    async def slow() -> Condition:
        return Condition("warning", "Kubernetes v1.20.2 answered in 1200 ms.", "It is slow.")

    async def gone() -> Condition:
        raise errors.ExecutorAway("Kubernetes does not answer.", remedy="Look whether it runs.")

    async def odd() -> Condition:
        raise KeyError("gitVersion")

    world.looks["odd"] = odd
    assert {one["name"]: one["state"] for one in (await http.get("/health")).json()["parts"]}["odd"] == "failing"
    del world.looks["odd"]
    world.looks |= {"kubernetes": slow, "dask": gone}
    told = (await http.get("/health")).json()
    assert told["state"] == "failing"
    assert [one for one in told["parts"] if one["name"] in world.looks] == [
        {
            "name": "kubernetes",
            "state": "warning",
            "told": "Kubernetes v1.20.2 answered in 1200 ms.",
            "remedy": "It is slow.",
        },
        {
            "name": "dask",
            "state": "failing",
            "told": "Kubernetes does not answer.",
            "remedy": "Look whether it runs.",
        },
    ]


def test_settings_are_told_without_secrets() -> None:
    told = health.told_settings(
        Settings(
            data=DataSettings(database="postgresql://me:hidden@host/db"),
            notifications=NotificationsSettings(smtp_host="mail"),
        )
    )
    assert told["data.database"] == "set"
    assert told["data.storage"] == "not set"
    assert told["server.port"] == "30080"
    assert told["engine.backend"] == "local"
    assert "hidden" not in str(told)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ("", ""),
        ("the image is gone\nsee the log", "the image is gone"),
        ("Traceback (most recent call last):\n  File x\nValueError: no rows\n", "ValueError: no rows"),
        (
            "Trace:\n  Traceback (most recent call last):\n    File x\n\nMessage:\n\n  ValueError: no rows\n  more",
            "ValueError: no rows",
        ),
        (
            "ZeroDivisionError: by zero\nTraceback (most recent call last):\n...\nFailed at: n0",
            "ZeroDivisionError: by zero",
        ),
        ("Traceback (most recent call last):\nValueError: no\nFailed at: n0", "ValueError: no"),
        ("x" * 400, "x" * 299 + "…"),
    ],
)
def test_a_reason_is_the_line_that_says_most(message: str, told: str) -> None:
    assert overview.reason(message) == told
