"""The list of runs."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_runs_are_listed_with_how_they_ended(eyes: Eyes, shop: Shop) -> None:
    good, bad = shop.succeeded, shop.failed
    page = eyes.go(f"{shops.PLACE}/executions")
    table = page.get_by_role("table", name="Runs")
    expect(table.get_by_role("row").filter(has_text=good.name)).to_contain_text("Succeeded")
    expect(table.get_by_role("row").filter(has_text=bad.name)).to_contain_text("Failed")
    eyes.check()
    eyes.picture("runs")
    table.get_by_role("link", name=bad.name).click()
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/executions/{bad.name}")


def test_a_new_run_appears_while_one_looks(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/executions")
    until = shop.folder / "appears"
    shop.launch("slow", "appears", until=str(until))
    row = page.get_by_role("row").filter(has_text="appears")
    expect(row).to_contain_text("Running")
    until.touch()
    expect(row).to_contain_text("Succeeded")
