"""The launch form: of a launch plan, of a task, like a past run."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms import launching


def launched(page: Page, shop: Shop, name: str) -> ExecutionId:
    """Return the run that the form leads to."""
    expect(page).to_have_url(f"{shop.url}{shops.PLACE}/executions/{name}")
    return ExecutionId(launching.PROJECT, launching.DOMAIN, name)


def test_all_types_are_filled_in_and_the_run_succeeds(eyes: Eyes, shop: Shop, tmp_path: Path) -> None:
    assert shop.remote
    folder = tmp_path / "numbers"
    (folder / "deep").mkdir(parents=True)
    (folder / "one.csv").write_text("a,b\n1,2\n")
    (folder / "deep" / "two.csv").write_text("c\n3\n")
    page = eyes.go(f"{shops.PLACE}/launch?launch_plan=showcase.many_types&version=v1")
    form = page.locator("form.launch")
    with page.expect_file_chooser() as chooser:
        form.get_by_role("button", name="Upload folder").click()
    chooser.value.set_files(folder)
    expect(form.get_by_role("textbox", name="folder", exact=True)).to_have_value(re.compile("uploads/.+"))
    form.get_by_role("button", name="Add to limits").click()
    form.get_by_role("textbox", name="limits name 1").fill("rows")
    form.get_by_role("textbox", name="limits value 1").fill("many")
    form.get_by_role("textbox", name="window").fill("1h30m")
    form.get_by_role("combobox", name="Type of either").select_option("int")
    form.get_by_role("textbox", name="either").fill("12")
    form.get_by_text("Options").click()
    name = shop.unused("all-types")
    form.get_by_role("textbox", name="Option Name of the run").fill(name)
    form.get_by_role("button", name="Set Option Labels").click()
    form.get_by_role("button", name="Add to Option Labels").click()
    form.get_by_role("textbox", name="Option Labels name 1").fill("team")
    form.get_by_role("textbox", name="Option Labels value 1").fill("sales")
    form.get_by_role("button", name="Launch", exact=True).click()
    wrong = form.get_by_role("textbox", name="limits value 1")
    expect(wrong).to_be_focused()
    expect(wrong).to_have_attribute("aria-invalid", "true")
    expect(form).to_contain_text("'many' is not a whole number.")
    eyes.check()
    eyes.picture("launch-refused", full=True)
    wrong.fill("100")
    form.get_by_role("button", name="Launch", exact=True).click()
    run = launched(page, shop, name)
    shop.wait(run)
    ended, outputs = shops.aside(launching.wait, shop.server, run)
    assert ended.phase.name == "SUCCEEDED"
    assert outputs == {"o0": "{'rows': 100} 1:30:00 None 12"}


def test_a_model_is_a_form_with_its_defaults(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/launch?launch_plan=forecast.nightly&version=v1")
    form = page.locator("form.launch")
    expect(form.get_by_role("combobox", name="region")).to_have_value("north")
    expect(form.get_by_role("textbox", name="model depth")).to_have_value("6")
    expect(form.get_by_role("textbox", name="model features 2")).to_have_value("weekday")
    eyes.check()
    eyes.picture("launch", full=True)


def test_a_past_run_is_a_template(eyes: Eyes, shop: Shop) -> None:
    run = shop.wait(shop.launch("budget", "budget-seven", amount=700, teams=7))
    page = eyes.go(f"{shops.PLACE}/launch?execution={run.name}")
    form = page.locator("form.launch")
    expect(page.locator(".heading")).to_contain_text(f"filled in like {run.name}")
    expect(form.get_by_role("textbox", name="amount")).to_have_value("700")
    expect(page.get_by_role("complementary", name="Past runs").get_by_role("link", name=run.name)).to_be_visible()
    form.get_by_role("textbox", name="teams").fill("14")
    eyes.check()
    eyes.picture("launch-like-a-run")
    form.get_by_text("Options").click()
    form.get_by_role("textbox", name="Option Name of the run").fill(run.name)
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form).to_contain_text("There is a run of this name.")
    expect(form.get_by_role("textbox", name="teams")).to_have_value("14")
    name = shop.unused("budget-fourteen")
    form.get_by_role("textbox", name="Option Name of the run").fill(name)
    form.get_by_role("button", name="Set Option Labels").click()
    form.get_by_role("button", name="Add to Option Labels").click()
    label = form.get_by_role("textbox", name="Option Labels name 1")
    label.fill("no label!")
    form.get_by_role("textbox", name="Option Labels value 1").fill("sales")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("no label!")  # What the platform said.
    expect(form.get_by_role("textbox", name="teams")).to_have_value("14")
    label.fill("team")
    form.get_by_role("textbox", name="Option Name of the run").press("Control+Enter")
    again = launched(page, shop, name)
    ended, outputs = shops.aside(launching.wait, shop.server, again)
    assert (ended.phase.name, outputs) == ("SUCCEEDED", {"o0": 50.0})


def test_a_page_that_is_loaded_again_keeps_what_was_filled_in(eyes: Eyes, shop: Shop) -> None:
    run = shop.wait(shop.launch("budget", "budget-draft", amount=700, teams=7))
    address = f"{shops.PLACE}/launch?execution={run.name}"
    page = eyes.go(address)
    # Over a websocket, which the page's policy must let through.
    page.wait_for_function("() => window.socket.io.engine.transport.name === 'websocket'")
    form = page.locator("form.launch")
    form.get_by_role("textbox", name="teams").fill("14")
    form.get_by_text("Options").click()
    form.get_by_role("textbox", name="Option Name of the run").fill("half")
    page.reload()
    expect(form.get_by_role("textbox", name="teams")).to_have_value("14")
    form.get_by_text("Options").click()
    name = form.get_by_role("textbox", name="Option Name of the run")
    page.wait_for_function("() => window.socket && window.socket.connected")
    name.evaluate("(one) => { one.value = 'half \\ud83d'; one.dispatchEvent(new Event('input')); }")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(name).to_have_attribute("aria-invalid", "true")  # It was heard, and is refused.
    drafted = shop.unused("budget-drafted")
    name.fill(drafted)
    form.get_by_role("button", name="Launch", exact=True).click()
    shop.wait(launched(page, shop, drafted))
    eyes.go(address)
    expect(form.get_by_role("textbox", name="teams")).to_have_value("7")


def test_a_task_is_launched_by_itself(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(f"{shops.PLACE}/tasks/showcase.shrink")
    page.get_by_role("link", name="Launch").click()
    form = page.locator("form.launch")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("textbox", name="value")).to_have_attribute("aria-invalid", "true")
    form.get_by_role("textbox", name="value").fill("8")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(page).to_have_url(re.compile("/executions/[a-z0-9]+$"))
