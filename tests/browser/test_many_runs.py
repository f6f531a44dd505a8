"""A list of more runs than anybody reads: more as one scrolls, new ones at the top, and no jump."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from benchmarks import million_rows
from playwright.sync_api import Browser, Page, expect

from dayfly.base.clock import SystemClock
from dayfly.stores import database
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms.server import Server

RUNS = f"{shops.PLACE}/executions"


@pytest.fixture
def crowded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A platform with some 400 runs in the place where programs are registered."""
    monkeypatch.setattr(million_rows, "EXECUTIONS", 4_000)
    monkeypatch.setattr(million_rows, "UNDER_WAY", 0)
    monkeypatch.setattr(million_rows, "GIANT_NODES", 10)
    with Server(tmp_path / "data"):
        pass  # It makes the folder.
    file = tmp_path / "data" / "dayfly.db"
    file.unlink()
    shops.aside(_fill, database.url_of(file))
    with Server(tmp_path / "data") as server:
        yield Shop(server, tmp_path)


def _fill(url: str) -> None:
    async def make() -> None:
        await (await database.open(url, clock=SystemClock())).close()

    asyncio.run(make())
    million_rows.fill(url)


def count(page: Page) -> int:
    return int(page.locator(".under").inner_text().split(" ")[0].replace(",", ""))


def test_more_runs_are_read_as_one_scrolls_and_new_ones_do_not_push(browser: Browser, crowded: Shop) -> None:
    assert crowded.remote
    eyes = Eyes(browser, crowded.url)
    page = eyes.go(RUNS)
    expect(page.locator(".under")).to_contain_text("100 runs read, more below")
    for wanted in (200, 300):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_function(f"() => parseInt(document.querySelector('.under').innerText) >= {wanted}")
    assert page.locator("tr[data-id]").count() < 100  # Only what is in sight is drawn.
    page.evaluate("scrollTo(0, 3000)")
    # One in sight: those that were drawn before the scrolling may still be there.
    seen_at = "e.getBoundingClientRect().top"
    found = f"[...document.querySelectorAll('tr[data-id]')].find((e) => {seen_at} > 300 && {seen_at} < 600)"
    name = page.wait_for_function(f"() => {found}?.dataset.id").json_value()
    where = f"document.querySelector('tr[data-id=\"{name}\"]')?.getBoundingClientRect().top"
    before = page.evaluate(where)
    page.evaluate("window.seen = true")  # Gone if the page is loaded again.
    seen = count(page)
    crowded.launch("budget", "newcomer", teams=2)
    page.wait_for_function(f"() => parseInt(document.querySelector('.under').innerText) > {seen}")
    page.wait_for_function(f"() => Math.abs({where} - {before}) < 2")
    assert page.evaluate("window.seen")
    page.evaluate("scrollTo(0, 0)")
    first = page.locator("tr[data-id]").first
    expect(first).to_contain_text("newcomer")
    expect(first).to_contain_text("Succeeded", timeout=30_000)
    eyes.picture("runs-many")
    eyes.check()
    eyes.close()
