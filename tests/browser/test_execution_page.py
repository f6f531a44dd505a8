"""The page of one run."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_a_run_is_shown_with_its_nodes(eyes: Eyes, shop: Shop) -> None:
    run = shop.succeeded
    page = eyes.go(f"{shops.PLACE}/executions/{run.name}")
    expect(page.get_by_role("heading", name=run.name)).to_be_visible()
    eyes.check()
    eyes.picture("run")


def test_a_run_that_is_not_there_is_said_so(eyes: Eyes) -> None:
    answer = eyes.context.request.get(f"{eyes.url}{shops.PLACE}/executions/nosuch")
    assert answer.status == 404
    eyes.page.goto(f"{eyes.url}{shops.PLACE}/executions/nosuch")
    expect(eyes.page.get_by_role("alert")).to_contain_text("nosuch")
    eyes.wrong.clear()  # Chromium reports the 404.
    eyes.check()
