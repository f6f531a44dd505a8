"""The first page."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_home_shows_the_newest_runs_of_all_places(eyes: Eyes, shop: Shop) -> None:
    run = shop.failed
    page = eyes.go("/console/")
    expect(page.get_by_role("table").get_by_role("link", name=run.name)).to_be_visible()
    eyes.check()
    eyes.picture("home")
    eyes.page.keyboard.press("g")
    eyes.page.keyboard.press("r")
    expect(page).to_have_url(f"{shop.url}/console/projects/flytesnacks/domains/development/executions")
