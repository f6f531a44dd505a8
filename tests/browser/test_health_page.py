"""Projects, and how the platform is."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.seeing import Eyes
from tests.browser.shop import Shop


def test_a_project_is_created_renamed_and_archived(eyes: Eyes, shop: Shop) -> None:
    assert shop.failed
    page = eyes.go("/console/health")
    expect(page.get_by_role("region", name="flytesnacks")).to_contain_text("development")
    expect(page.get_by_text("GiB are free")).to_be_visible()
    expect(page.get_by_text(re.compile(r"of \d+ CPUs and"))).to_be_visible()
    page.get_by_role("button", name="New project").click()
    asked = page.get_by_role("dialog", name="New project")
    asked.get_by_label("Id").fill("Not Good")
    asked.get_by_role("button", name="Create").click()
    expect(asked).to_contain_text("failed")
    asked.get_by_role("button", name="Close").click()
    page.get_by_role("button", name="New project").click()
    name = shop.unused("research")
    asked.get_by_label("Id").fill(name)
    asked.get_by_label("Name").fill("Research")
    asked.get_by_label("Description").fill("What we try")
    eyes.check()
    eyes.picture("project-new")
    asked.get_by_role("button", name="Create").click()
    expect(asked).to_contain_text("is there")
    asked.get_by_role("button", name="Close").click()
    made = page.get_by_role("region", name=name, exact=True)
    expect(made).to_contain_text("What we try")
    made.get_by_role("button", name="Rename").click()
    asked = page.get_by_role("dialog", name=f"Rename {name}")
    asked.get_by_label("Name").fill("Research & more")
    asked.get_by_role("button", name="Rename").click()
    expect(asked).to_contain_text("is changed")
    asked.get_by_role("button", name="Close").click()
    expect(made).to_contain_text("Research & more")
    made.get_by_role("button", name="Archive").click()
    asked = page.get_by_role("dialog", name=f"Archive {name}?")
    asked.get_by_role("button", name="Archive project").click()
    expect(asked).to_contain_text("is archived")
    asked.get_by_role("button", name="Close").click()
    expect(made).to_contain_text("Archived")
    made.get_by_role("button", name="Bring back").click()
    asked = page.get_by_role("dialog", name=f"Bring back {name}?")
    asked.get_by_role("button", name="Bring back").click()
    asked.get_by_role("button", name="Close").click()
    expect(made.get_by_role("button", name="Archive")).to_be_visible()
    eyes.check()
    eyes.picture("health", full=True)


def test_pages_about_all_places_lead_back_to_the_last_one(eyes: Eyes) -> None:
    staging = "/console/projects/flytesnacks/domains/staging/executions"
    page = eyes.go("/console/health")
    expect(page.get_by_role("link", name="Runs", exact=True)).not_to_have_attribute("href", staging)
    eyes.go(staging)
    page = eyes.go("/console/health")
    expect(page.get_by_role("link", name="Runs", exact=True)).to_have_attribute("href", staging)
