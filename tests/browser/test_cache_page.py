"""The cache browser."""

from __future__ import annotations

import secrets

from playwright.sync_api import expect

from dayfly.client import extras
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_cached_outputs_are_looked_through_and_evicted(eyes: Eyes, shop: Shop) -> None:
    # What other tests have left goes first; and each try has runs of its own.
    assert shop.remote
    extras.call(shop.server.address, "/cache/entries", {"all": "true"}, verb="DELETE")
    own = secrets.token_hex(2)
    for days in (6, 7, 8, 9):
        shop.wait(shop.launch("load_sales", f"cached-{days}-{own}", task=True, region="north", days=days))
    page = eyes.go(f"{shops.PLACE}/cache")
    tasks = page.get_by_role("table", name="Tasks with cached outputs")
    entries = page.get_by_role("table", name="Entries of the cache")
    expect(tasks.get_by_role("row").filter(has_text="showcase.load_sales")).to_contain_text("4")
    expect(entries.get_by_role("link", name="cached-6")).to_be_visible()
    eyes.check()
    eyes.picture("cache")
    entries.get_by_role("row").filter(has_text="cached-7").get_by_role("button").click()
    asked = page.get_by_role("dialog", name="Evict this entry?")
    expect(asked).to_contain_text("cached-7")
    eyes.check()
    eyes.picture("cache-evict")
    asked.get_by_role("button", name="Evict", exact=True).click()
    expect(asked).to_contain_text("1 entry removed")
    asked.get_by_role("button", name="Close").click()
    expect(entries.get_by_role("row").filter(has_text="cached-7")).to_have_count(0)

    for name in ("cached-8", "cached-9"):
        entries.get_by_role("row").filter(has_text=name).get_by_role("checkbox").check()
    page.get_by_role("toolbar").get_by_role("button", name="Evict").click()
    page.get_by_role("dialog", name="Evict 2 entries?").get_by_role("button", name="Evict", exact=True).click()
    expect(page.get_by_text("1 entry removed")).to_have_count(2)
    page.get_by_role("button", name="Close").click()
    expect(entries.get_by_role("row").filter(has_text="cached-")).to_have_count(1)

    tasks.get_by_role("link", name="showcase.load_sales").click()
    expect(page.get_by_role("heading", name="showcase.load_sales")).to_be_visible()
    page.go_back()
    tasks.get_by_role("button", name="Evict showcase.load_sales").click()
    page.get_by_role("dialog").get_by_role("button", name="Evict", exact=True).click()
    expect(page.get_by_text("1 entry removed")).to_be_visible()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Nothing is cached here. Tasks with")).to_be_visible()
