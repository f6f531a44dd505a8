"""The Dask tab of a run: while the cluster lives, when it has died, and replayed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms import launching

LONG_RECORD = Path(__file__).parent / "programs" / "long_record.js"


@pytest.fixture
def simulated(shop: Shop) -> Iterator[tuple[ExecutionId, Path]]:
    """A Dask task on spot machines that goes on until a file appears, which the end of the test makes sure of."""
    until = shop.absent("simulated")
    task = shop.remote.fetch_task(name="showcase.simulate", version=launching.VERSION)
    inputs = {"until": str(until), "seconds": 0.02}
    run = ExecutionId(launching.PROJECT, launching.DOMAIN, shop.unused("simulated"))
    shop.remote.execute(task, inputs=inputs, execution_name=run.name, interruptible=True)
    yield run, until
    until.touch()
    shop.wait(run)


@pytest.fixture(scope="module")
def seasons(shop: Shop) -> ExecutionId:
    """A Dask task of several steps, which has ended."""
    return shop.wait(shop.launch("seasons", "seasons", task=True, until="", years=3))


def tab(run: ExecutionId, node: str, **query: str) -> str:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    return f"{shops.PLACE}/executions/{run.name}?node={node}&tab=dask{more}"


def done(page: Page) -> int:
    told = page.locator("[data-fact=done] b").inner_text()
    return int(told.replace(",", ""))


def test_a_cluster_is_followed_while_it_lives_and_stays_when_it_has_ended(
    eyes: Eyes, simulated: tuple[ExecutionId, Path]
) -> None:
    run, until = simulated
    page = eyes.go(tab(run, "showcasesimulate"))
    expect(page.locator("[data-worker]")).to_have_count(2)
    expect(page.locator("[data-fact=workers]")).to_have_text("2 of 2 workers")
    expect(page.get_by_text("Live", exact=True).first).to_be_visible()
    expect(page.locator("[data-prefix=slow_square]")).to_contain_text("each")
    expect(page.locator("[data-worker=worker-0]")).to_contain_text("1 running")
    expect(page.locator("[data-worker=worker-0]")).to_contain_text("spot")
    before = done(page)
    page.wait_for_function(
        "(before) => Number(document.querySelector('[data-fact=done] b').textContent.replace(/,/g, '')) > before",
        arg=before,
    )
    expect(page.get_by_role("list", name="What happened, the newest first")).to_contain_text("worker-1 joined")
    board = page.get_by_role("link", name="Dask dashboard")
    assert re.fullmatch(rf"/api/dayfly/v1/dashboards/.*/{run.name}/.*/status", board.get_attribute("href") or "")
    page.locator("section[aria-label='Task stream'] summary").click()
    expect(page.get_by_role("table", name="Tasks of the stream")).to_contain_text("slow_square")
    eyes.check()
    page.locator("section[aria-label='Task stream'] summary").click()
    eyes.picture("dask-live")
    until.touch()
    expect(page.get_by_text("Flight record")).to_be_visible()
    expect(page.get_by_role("table", name="Memory high-water marks")).to_contain_text("worker-0")
    expect(page.get_by_role("link", name="Dask dashboard")).to_have_count(0)


def test_a_cluster_that_died_says_why_and_what_to_do(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(tab(shop.starved, "showcasehoard"))
    cause = page.get_by_role("alert")
    expect(cause).to_contain_text("DaskWorkerOutOfMemory")
    expect(cause).to_contain_text("ran out of memory while computing hoard-1")
    expect(cause).to_contain_text("Give each worker more memory")
    feed = page.get_by_role("list", name="What happened, the newest first")
    expect(feed).to_contain_text("was killed while it had hoard-1")
    expect(feed).to_contain_text("its limit is 238 MiB")
    advice = page.get_by_role("table", name="Advice").get_by_role("row").filter(has_text="worker")
    expect(advice).to_contain_text("512Mi")
    expect(page.get_by_role("table", name="Memory high-water marks")).to_contain_text("lost while it had hoard-1")
    eyes.check()
    eyes.picture("dask-died")
    page.get_by_text("Show it here").click()
    report = page.frame_locator("iframe[title='Dask performance report']")
    expect(report.get_by_text("Summary").first).to_be_visible()
    eyes.wrong.clear()  # What Bokeh says of itself within its sandbox.
    expect(page.get_by_role("link", name="Performance report")).to_have_attribute("target", "_blank")


def test_a_record_is_replayed(eyes: Eyes, shop: Shop, seasons: ExecutionId) -> None:
    page = eyes.go(tab(seasons, "showcaseseasons"))
    position, slider = page.locator("[data-position]"), page.get_by_label("Position in the record")
    expect(page.locator("[data-fact=done]")).to_have_text("84 tasks done")
    end = position.inner_text().split(" of ")[1]
    expect(position).to_have_text(f"{end} of {end}")
    slider.focus()
    page.keyboard.press("Home")
    expect(position).to_have_text(f"0:00.0 of {end}")
    expect(page).to_have_url(re.compile(r"[?&]at=0\.0"))
    expect(page.locator("[data-fact=done]")).not_to_have_text("84 tasks done")
    page.keyboard.press("End")
    expect(page).not_to_have_url(re.compile("at="))
    expect(page.locator("[data-fact=done]")).to_have_text("84 tasks done")
    page.get_by_label("Speed").select_option("20")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(position).to_have_text(f"{end} of {end}")


def test_a_moment_of_a_record_has_an_address(eyes: Eyes, shop: Shop, seasons: ExecutionId) -> None:
    page = eyes.go(tab(seasons, "showcaseseasons", at="3.0"))
    expect(page.locator("[data-position]")).to_have_text(re.compile(r"^0:03\.0 of "))
    first = done(page)
    assert 0 < first < 84
    page.locator("main h1").click()
    page.keyboard.press(".")
    expect(page.locator("[data-position]")).to_have_text(re.compile(r"^0:04\.0 of "))
    expect(page).to_have_url(re.compile("at=4.0"))
    assert done(page) >= first
    eyes.check()
    eyes.picture("dask-replay")


def test_what_cannot_be_read_is_said_so(eyes: Eyes, shop: Shop) -> None:
    address = tab(shop.starved, "showcasehoard")
    eyes.page.route("**/frames?*", lambda asked: asked.fulfill(json={"frames": []}))
    page = eyes.go(address)
    expect(page.get_by_text("This cluster left no record")).to_be_visible()
    eyes.check()
    eyes.page.unroute("**/frames?*")
    refusal = {"error": "The disk does not answer.", "code": "UNAVAILABLE"}
    eyes.page.route("**/frames?*", lambda asked: asked.fulfill(status=503, json=refusal))
    page = eyes.go(address)
    expect(page.get_by_text("Not up to date: The disk does not answer.")).to_be_visible()
    eyes.page.unroute("**/frames?*")
    expect(page.get_by_text("Not up to date")).to_have_count(0)
    expect(page.get_by_role("list", name="What happened, the newest first")).to_contain_text("was killed")
    eyes.wrong.clear()  # Chromium reports the 503.


SAID = [[9, "w-1 held too much"], [1, "w-2 held too much"]]
"""What the platform said, and when."""

TOLD: list[tuple[dict[str, Any], str, str | None]] = [
    ({"kind": "add-worker", "worker": "worker-1"}, "worker-1 joined", None),
    ({"kind": "remove-worker", "worker": "w-1", "expected": True}, "w-1 retired, as it was asked to", None),
    (
        {"kind": "remove-worker", "worker": "w-1", "expected": True, "cause": "retired, no longer needed"},
        "w-1 retired, no longer needed",
        None,
    ),
    (
        {"kind": "remove-worker", "worker": "w-1-r2", "processing": ["a", "b", "c"], "lost": ["d"], "t": 10},
        "w-1-r2 was killed while it had a, b and 1 more; 1 result to be computed again",
        "w-1 held too much",
    ),
    ({"kind": "remove-worker", "worker": "w-2", "t": 10}, "w-2 was lost", ""),
    (
        {"kind": "worker-status-change", "worker": "w-1", "status": "paused"},
        "w-1 paused: too much memory in use, it takes no more tasks",
        None,
    ),
    (
        {"kind": "worker-status-change", "worker": "w-1", "status": "closing_gracefully"},
        "w-1 retires: its data moves to others",
        None,
    ),
    ({"kind": "scale", "wanted": {"worker": 3, "gpu": 1}, "told": "more work"}, "4 workers wanted", "more work"),
    ({"kind": "no-worker-fits", "told": "no worker has a GPU"}, "no worker has a GPU", None),
]
"""Events of a record, the words for each, and why it happened."""


def test_events_are_told_in_words(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go("/console/")
    base = page.locator("link[href*='dask.css']").first.get_attribute("href") or ""
    told = page.evaluate(
        "async ([url, events, said]) => { const { say } = await import(url); return events.map((e) => say(e, said)); }",
        [base.replace("dask.css", "dask-words.js"), [event for event, _, _ in TOLD], SAID],
    )
    assert [(one["text"], one.get("why")) for one in told] == [(text, why) for _, text, why in TOLD]


def test_a_long_record_of_many_workers_stays_bounded(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go("/console/")
    base = page.locator("link[href*='dask.css']").first.get_attribute("href") or ""
    kept = page.evaluate(
        LONG_RECORD.read_text(),
        base.replace("dask.css", "dask-record.js"),
    )
    assert kept == {
        "bounded": True,
        "workers": 100,
        "memory": 100,
        "high": 90000,
        "dropped": True,
        "last": "worker-99",
        "done": 3600,
        "colours": 10,
        "same": True,
    }
