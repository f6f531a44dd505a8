"""The list of Dask clusters."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_clusters_are_listed_live_and_lead_to_their_runs(eyes: Eyes, shop: Shop) -> None:
    dead = shop.starved
    until = shop.absent("listed")
    run = shop.launch("simulate", "listed", task=True, until=str(until), seconds=0.02)
    page = eyes.go(f"{shops.PLACE}/clusters")
    table = page.get_by_role("table", name="Clusters")
    living = table.get_by_role("row").filter(has_text=run.name)
    expect(living).to_contain_text("2 / 2")
    expect(living).to_contain_text("busy")
    gone = table.get_by_role("row").filter(has_text=dead.name)
    expect(gone).to_contain_text("DaskWorkerOutOfMemory")
    expect(gone).to_contain_text("%")
    eyes.check()
    eyes.picture("clusters")
    until.touch()
    expect(living).to_contain_text("Succeeded")
    living.click()
    expect(page).to_have_url(re.compile(f"/executions/{run.name}\\?.*tab=dask"))
    expect(page.get_by_text("Flight record")).to_be_visible()


def test_clusters_are_filtered_by_the_address(eyes: Eyes, shop: Shop) -> None:
    dead = shop.starved
    page = eyes.go(f"{shops.PLACE}/clusters")
    page.get_by_role("link", name="Past", exact=True).click()
    expect(page).to_have_url(re.compile("state=past"))
    page.get_by_label("Task", exact=True).fill("showcase.hoard")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("state=past&task=showcase.hoard"))
    expect(page.get_by_role("table", name="Clusters").get_by_role("row")).to_have_count(2)
    page.get_by_role("link", name="All projects").click()
    expect(page).to_have_url(re.compile(r"/console/clusters\?state=past&task=showcase.hoard"))
    expect(page.get_by_role("row").filter(has_text=dead.name)).to_contain_text("flytesnacks / development")
    eyes.go("/console/clusters?task=no.such.task")
    expect(page.get_by_text("No cluster is as the filter says.")).to_be_visible()
    eyes.check()
