"""The first page."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms.server import Server


def test_home_shows_the_newest_runs_and_failures_of_all_places(eyes: Eyes, shop: Shop) -> None:
    assert shop.succeeded and shop.failed
    waits = shop.launch("pricing", "pricing-home")
    page = eyes.go("/console/")
    expect(page.get_by_role("table", name="Newest runs").get_by_role("link", name=waits.name)).to_be_visible()
    failures = page.locator(".home-failed")
    expect(failures).to_contain_text("ZeroDivisionError: division by zero")
    expect(page.locator(".home-waiting")).to_contain_text(waits.name)
    expect(page.get_by_role("img", name="Runs by hour")).to_be_visible()
    expect(page.locator(".home-health")).to_contain_text("Database")
    eyes.check()
    eyes.picture("home", full=True)
    page.get_by_role("combobox", name="Of which project").select_option(label="flytesnacks / staging")
    expect(page.get_by_text("Nothing has run here yet.")).to_be_visible()
    page.get_by_role("combobox", name="Of which project").select_option(label="flytesnacks / development")
    page.get_by_role("link", name="Failed in 24 h").click()
    expect(page).to_have_url(
        f"{shop.url}/console/projects/flytesnacks/domains/development/executions?phase=FAILED%2CTIMED_OUT&since=24h"
    )
    eyes.page.keyboard.press("g")
    eyes.page.keyboard.press("r")
    expect(page).to_have_url(f"{shop.url}/console/projects/flytesnacks/domains/development/executions")


def test_live_clusters_are_on_the_first_page(eyes: Eyes, shop: Shop) -> None:
    until = shop.absent("busy")
    run = shop.launch("simulate", "simulate-home", task=True, until=str(until), seconds=0.02)
    page = eyes.go("/console/")
    clusters = page.locator(".home-clusters")
    expect(clusters).to_contain_text("2 of 2 workers", timeout=30_000)
    expect(page.locator(".home-now")).to_contain_text("Running")
    eyes.check()
    eyes.picture("home-cluster", full=True)
    until.touch()
    shop.wait(run)
    expect(clusters).to_contain_text("None is up now.")


def test_a_fresh_install_says_which_two_commands_to_run(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        eyes = Eyes(browser, f"http://{server.address}")
        page = eyes.go("/console/")
        expect(page.get_by_role("heading", name="Nothing has run here yet")).to_be_visible()
        expect(page.get_by_text("pyflyte --config")).to_be_visible()
        eyes.check()
        eyes.picture("home-fresh")
        eyes.close()
