"""Two runs beside each other."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_two_runs_are_compared_from_the_list(eyes: Eyes, shop: Shop) -> None:
    first, second = shop.failed, shop.wait(shop.launch("budget", "budget-four", teams=4))
    page = eyes.go(f"{shops.PLACE}/executions?workflow=showcase.budget&text=budget-")
    for one in (first, second):
        page.get_by_label(f"Choose {one.name}", exact=True).check()
    page.get_by_role("toolbar").get_by_role("button", name="Compare").click()
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/compare?a={first.name}&b={second.name}")
    expect(
        page.get_by_role("table", name="Inputs that differ").get_by_role("row").filter(has_text="teams")
    ).to_contain_text("4")
    nodes = page.get_by_role("table", name="Nodes of both runs")
    expect(nodes.get_by_role("row").filter(has_text="divide")).to_contain_text("Failed")
    expect(nodes.get_by_role("row").filter(has_text="divide")).to_contain_text("Succeeded")
    eyes.check()
    eyes.picture("compare-small")
    page.get_by_role("link", name="Swap the two runs").click()
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/compare?a={second.name}&b={first.name}")


def test_runs_of_different_workflows_are_matched_by_name(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(f"{shops.PLACE}/compare?a={shop.succeeded.name}&b={shop.failed.name}")
    expect(page.get_by_text("runs of different workflows")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="divide").first).to_contain_text("not there")
    eyes.check()
    eyes.picture("compare-different")


def test_two_runs_of_one_workflow_show_where_the_time_went(eyes: Eyes, shop: Shop) -> None:
    again = shop.wait(shop.launch("forecast", "forecast-more", days=90, scored=[1, 2, 3]))
    page = eyes.go(f"{shops.PLACE}/compare?a={shop.succeeded.name}&b={again.name}")
    expect(
        page.get_by_role("table", name="Inputs that differ").get_by_role("row").filter(has_text="days")
    ).to_contain_text("90")
    nodes = page.get_by_role("table", name="Nodes of both runs")
    expect(nodes.get_by_role("row").filter(has_text="train")).to_be_visible()
    # What sub-workflows and dynamic tasks consist of comes below them.
    for inside in ("scoring, total", "refine, shrink", "size, "):
        expect(nodes.get_by_role("rowheader", name=re.compile(f"^{inside}")).first).to_be_visible()
    eyes.check()
    eyes.picture("compare", full=True)


def test_runs_to_compare_are_asked_for(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(f"{shops.PLACE}/compare")
    page.get_by_label("First run").fill(shop.failed.name)
    page.get_by_label("Second run").fill(f"flytesnacks/development/{shop.failed.name}")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing differs.").first).to_be_visible()
