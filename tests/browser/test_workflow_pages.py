"""Workflows, tasks, their versions and schedules."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms import launching


@pytest.fixture(scope="module")
def versions(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Register a second version of the program, in which one workflow differs, and return its name."""
    assert shop.remote
    folder = tmp_path_factory.mktemp("later")
    program = shops.PROGRAM.read_text().replace(
        "def budget(amount: int = 1000,", "def budget(amount: int = 2000, more: str = 'x',"
    )
    assert "more: str" in program
    program = program.replace("@task(retries=2)\ndef divide", "@task(retries=5)\ndef divide")
    (folder / shops.PROGRAM.name).write_text(program)
    done = shop.server.pyflyte("register", "--version", "v2", shops.PROGRAM.name, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    return "v2"


def test_workflows_are_listed_with_their_last_runs(eyes: Eyes, shop: Shop) -> None:
    good, bad = shop.succeeded, shop.failed
    page = eyes.go(f"{shops.PLACE}/workflows")
    table = page.get_by_role("table", name="Workflows")
    row = table.get_by_role("row").filter(has_text="showcase.forecast")
    expect(row).to_contain_text("From sales to a forecast.")
    expect(row.get_by_role("link", name=f"{good.name}: Succeeded")).to_be_visible()
    expect(table.get_by_role("link", name=f"{bad.name}: Failed")).to_be_visible()
    eyes.check()
    eyes.picture("workflows")
    page.get_by_role("searchbox", name="Search workflows").fill("sales forecast")
    expect(table.get_by_role("row")).to_have_count(2)
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/workflows?text=sales+forecast")
    row.get_by_role("button", name="Launch").click()
    expect(page.get_by_role("heading", name="Launch showcase.forecast")).to_be_visible()


def test_a_workflow_shows_runs_versions_and_plans(eyes: Eyes, shop: Shop, versions: str) -> None:
    run = shop.failed
    for number, teams in enumerate([2, 5, 0, 8]):
        shop.wait(shop.launch("budget", f"budget-{number}", teams=teams))
    page = eyes.go(f"{shops.PLACE}/workflows/showcase.budget")
    expect(page.get_by_role("group", name="Last runs by duration").get_by_role("link")).not_to_have_count(0)
    expect(page.get_by_role("table", name="Runs")).to_contain_text(run.name)
    eyes.check()
    eyes.picture("workflow")
    page.get_by_role("tab", name="Versions").click()
    table = page.get_by_role("table", name="Versions")
    expect(table.get_by_role("row").filter(has_text=versions)).to_contain_text("Input more is new")
    table.get_by_role("checkbox", name="Choose v1").check()
    table.get_by_role("checkbox", name="Choose v2").check()
    page.get_by_role("button", name="Compare").click()
    changes = page.get_by_role("status").filter(has_text="What changed")
    expect(changes).to_contain_text("Task showcase.divide is different")
    expect(changes).to_contain_text('"retries": 5')
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/workflows/showcase.budget?tab=versions&before=v1&after=v2")
    eyes.check()
    eyes.picture("workflow-versions")
    page.get_by_role("tab", name="Launch plans").click()
    expect(page.get_by_role("table", name="Launch plans")).to_contain_text("showcase.budget")
    eyes.check()
    page.reload()
    expect(page.get_by_role("tab", name="Launch plans")).to_have_attribute("aria-selected", "true")


def test_a_workflow_is_archived_and_restored(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/workflows/showcase.pricing")
    page.get_by_role("button", name="Archive").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Archive showcase.pricing?")
    eyes.check()
    eyes.picture("archive")
    dialog.get_by_role("button", name="Archive").click()
    expect(page.get_by_role("button", name="Restore")).to_be_visible()
    page = eyes.go(f"{shops.PLACE}/workflows")
    table = page.get_by_role("table", name="Workflows")
    expect(table).to_contain_text("showcase.budget")
    expect(table).not_to_contain_text("showcase.pricing")
    page.get_by_role("button", name="Archived (1)").click()
    expect(table).to_contain_text("showcase.pricing")
    table.get_by_role("button", name="Restore").click()
    page.get_by_role("button", name="Show those in use").click()
    expect(table).to_contain_text("showcase.pricing")


def test_tasks_are_listed_and_shown(eyes: Eyes, shop: Shop, versions: str) -> None:
    page = eyes.go(f"{shops.PLACE}/tasks")
    table = page.get_by_role("table", name="Tasks")
    expect(table.get_by_role("row").filter(has_text="showcase.train")).to_contain_text("dask, 3 workers")
    eyes.check()
    eyes.picture("tasks")
    table.get_by_role("link", name="showcase.train").click()
    expect(page.get_by_role("heading", name="showcase.train")).to_be_visible()
    expect(page.locator("#main")).to_contain_text("3 of 1 cpu, 300Mi mem")
    eyes.check()
    eyes.picture("task")
    page = eyes.go(f"{shops.PLACE}/tasks/showcase.divide?tab=versions")
    expect(page.get_by_role("table", name="Versions").get_by_role("row").filter(has_text="v2")).to_contain_text(
        "Retries is other"
    )


@pytest.mark.parametrize(
    ("kind", "name", "told"),
    [
        ("workflow", "showcase.forecast", "showcase.load_sales"),
        ("task", "showcase.load_sales", "yes, version 1"),
        ("launch_plan", "forecast.nightly", "Every day at 02:30 UTC"),
    ],
)
def test_a_version_is_told_in_words(eyes: Eyes, shop: Shop, kind: str, name: str, told: str) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/{kind}/{name}/version/v1")
    expect(page.locator("#main")).to_contain_text(told)
    page.get_by_text("As registered, in JSON").click()
    expect(page.get_by_role("region", name="What was registered")).to_be_visible()
    eyes.check()
    page.get_by_text("As registered, in JSON").click()
    page.evaluate("scrollTo(0, 0)")
    eyes.picture(f"version-{kind}", full=True)


def test_a_schedule_is_activated_and_stopped(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/schedules")
    row = page.get_by_role("row").filter(has_text="forecast.nightly")
    expect(row).to_contain_text("Every day at 02:30 UTC")
    expect(row).to_contain_text("Inactive")
    row.get_by_role("button", name="Activate").click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(row).to_contain_text("Active")
    expect(row.locator("time").first).to_contain_text("in ")
    eyes.check()
    expect(page.get_by_role("alert")).to_have_text("forecast.nightly is active.")
    eyes.picture("schedules")
    row.get_by_role("button", name="Deactivate").click()
    page.get_by_role("dialog").get_by_role("button", name="Deactivate").click()
    expect(row).to_contain_text("Inactive")


ODD = "my+wf;a/b"

ODD_PROGRAM = f"""
from datetime import timedelta

from flytekit import FixedRate, LaunchPlan, Workflow, task


@task
def double(amount: int = 2) -> int:
    return amount * 2


made = Workflow(name="{ODD}")
made.add_workflow_output("twice", made.add_entity(double, amount=3).outputs["o0"])

hourly = LaunchPlan.get_or_create(made, "{ODD}.hourly", schedule=FixedRate(timedelta(hours=1)))
"""


@pytest.fixture(scope="module")
def odd(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> ExecutionId:
    """Register a workflow of a name that filters and addresses could trip over, and return a run of it."""
    folder = tmp_path_factory.mktemp("odd")
    (folder / "odd.py").write_text(ODD_PROGRAM)
    done = shop.server.pyflyte("register", "--version", "1.2.0+g12ab", "odd.py", cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    plan = shop.remote.fetch_launch_plan(name=ODD, version="1.2.0+g12ab")
    shop.remote.execute(plan, inputs={}, execution_name="odd-one")
    return shop.wait(ExecutionId(launching.PROJECT, launching.DOMAIN, "odd-one"))


def test_a_workflow_of_an_odd_name_has_all_pages(eyes: Eyes, shop: Shop, odd: ExecutionId) -> None:
    hourly = shop.remote.fetch_launch_plan(name=f"{ODD}.hourly", version="1.2.0+g12ab")
    shop.remote.client.update_launch_plan(hourly.id, "INACTIVE")  # An earlier try may have left it active.
    page = eyes.go(f"{shops.PLACE}/workflows")
    page.get_by_role("table", name="Workflows").get_by_role("link", name=ODD, exact=True).click()
    expect(page.get_by_role("heading", name=ODD)).to_be_visible()
    expect(page.get_by_role("table", name="Runs")).to_contain_text(odd.name)
    page.get_by_role("tab", name="Launch plans (2)").click()
    expect(page.get_by_role("table", name="Launch plans")).to_contain_text(f"{ODD}.hourly")
    page.get_by_role("table", name="Launch plans").get_by_role("link", name=f"{ODD}.hourly").click()
    expect(page.locator("#main")).to_contain_text("Every hour")
    page.get_by_role("button", name="Activate", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Activate").click()
    expect(page.get_by_role("button", name="Deactivate")).to_be_visible()
    page = eyes.go(f"{shops.PLACE}/workflow/{quote(ODD, safe='')}/version/1.2.0%2Bg12ab")
    page.get_by_role("link", name="Launch").click()
    expect(page.get_by_role("heading", name=f"Launch {ODD}")).to_be_visible()
    expect(page.get_by_role("complementary", name="Past runs")).to_contain_text(odd.name)
    page = eyes.go(f"{shops.PLACE}/schedules")
    expect(page.get_by_role("table", name="Launch plans")).to_contain_text(f"{ODD}.hourly")
    page = eyes.go(f"{shops.PLACE}/executions/{odd.name}")
    expect(page.get_by_role("heading", name=odd.name)).to_be_visible()
    page = eyes.go(f"{shops.PLACE}/executions?version=1.2.0%2Bg12ab&workflow={quote(ODD, safe='')}")
    expect(page.get_by_role("table", name="Runs")).to_contain_text(odd.name)
    eyes.check()
