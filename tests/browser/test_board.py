"""The left side of the run page: grid, graph and timeline of a run's nodes."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect

from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms import remotes, wide_runs
from tests.platforms.launching import DOMAIN, PROJECT, VERSION
from tests.platforms.server import Server


def _open(eyes: Eyes, run: ExecutionId, query: str = "") -> Page:
    return eyes.go(f"{shops.PLACE}/executions/{run.name}{query}")


def test_nodes_are_a_tree_that_unfolds_beside_the_runs_before(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded)
    nodes = page.get_by_role("treegrid", name="Nodes")
    names = nodes.get_by_role("row").get_by_role("rowheader")
    expect(names.filter(has_text="load_sales")).to_be_visible()
    expect(names.filter(has_text="start-node")).to_have_count(0)
    nodes.get_by_role("button", name="Unfold scoring").click()
    mapped = nodes.get_by_role("row").filter(has_text="8 / 8")
    expect(mapped).to_contain_text("score")
    mapped.get_by_role("button", name="Unfold score").click()
    expect(names.filter(has_text="score [7]")).to_be_visible()
    nodes.get_by_role("button", name="Unfold refine").click()
    expect(names.filter(has_text="shrink")).to_have_count(3)
    eyes.check()
    eyes.picture("run-grid")


def test_what_is_chosen_is_in_the_address(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded)
    panel = page.get_by_role("region", name="What is chosen")
    _row(page, "load_sales").click()
    expect(page).to_have_url(re.compile(r"\?node=n0$"))
    expect(_row(page, "load_sales")).to_have_attribute("aria-selected", "true")
    expect(panel.locator("dt", has_text="Workflow")).to_have_count(0)
    _row(page, "train").click()
    page.get_by_role("button", name="Timeline").click()
    expect(page).to_have_url(re.compile(r"\?node=n6&view=timeline$"))
    page.go_back()
    expect(_row(page, "load_sales")).to_have_attribute("aria-selected", "true")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/forecast-ok$"))
    expect(panel.locator("dt", has_text="Workflow")).to_be_visible()


def test_each_entry_of_the_history_has_its_own_tab_and_log(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?node=n6&tab=logs&log_role=driver")
    logs, spec = page.get_by_role("tab", name="Logs"), page.get_by_role("tab", name="Spec")
    _row(page, "load_sales").click()
    expect(page).to_have_url(re.compile(r"\?node=n0&tab=logs$"))
    spec.click()
    expect(page).to_have_url(re.compile(r"\?node=n0&tab=spec$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?node=n6&tab=logs&log_role=driver$"))
    expect(logs).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("training with depth 6")
    page.go_forward()
    expect(spec).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(re.compile(r"\?node=n0&tab=spec$"))
    page.go_back()
    page.get_by_role("combobox", name="Process").select_option("")
    expect(page).to_have_url(re.compile(r"\?node=n6&tab=logs$"))
    spec.click()
    expect(page).to_have_url(re.compile(r"\?node=n6&tab=spec$"))  # The browser's own address, not what once was.


def test_the_address_has_the_tab_that_is_shown(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?tab=story")
    expect(page.get_by_role("tab", name="Story")).to_have_attribute("aria-selected", "true")
    _row(page, "load_sales").click()
    expect(page).to_have_url(re.compile(r"\?tab=summary&node=n0$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?tab=story$"))
    expect(page.get_by_role("tab", name="Story")).to_have_attribute("aria-selected", "true")


def test_a_link_to_a_node_deep_inside_shows_it(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?node=n2-0-n1")
    expect(_row(page, "total")).to_have_attribute("aria-selected", "true")
    expect(_row(page, "total")).to_have_attribute("aria-level", "3")
    expect(page.get_by_role("region", name="What is chosen").locator("dt", has_text="Phase")).to_be_visible()


def test_an_element_of_a_map_can_be_chosen(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?node=n2-0-n0%233")
    expect(_row(page, "score [3]")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("region", name="What is chosen")).to_contain_text("Succeeded")
    _row(page, "score [5]").click()
    expect(page).to_have_url(re.compile(r"\?node=n2-0-n0%235$"))
    page.goto(page.url.replace("%235", "%23500"))
    expect(page.get_by_role("region", name="What is chosen")).to_contain_text("has not run")


def test_the_tree_by_keyboard_alone(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded)
    page.keyboard.press("f")
    page.keyboard.type("scoring")
    expect(page.get_by_role("treegrid").get_by_role("row")).to_have_count(3)  # heading, run, node
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("treegrid")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(_row(page, "scoring")).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?node=n2$"))
    page.keyboard.press("f")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"\?node=n6$"))
    page.keyboard.press("2")
    expect(page.get_by_role("button", name="Graph")).to_have_attribute("aria-pressed", "true")


def test_the_grid_has_the_runs_before_and_leads_to_them(eyes: Eyes, shop: Shop) -> None:
    before = shop.failed
    after = shop.wait(shop.launch("budget", "budget-again", teams=4))
    page = _open(eyes, after)
    row = _row(page, "divide")
    expect(row.get_by_role("link", name=f"{before.name}: Failed")).to_be_visible()
    row.get_by_role("link", name=f"{before.name}: Failed").click()
    expect(page).to_have_url(re.compile(rf"/{before.name}\?node=n0$"))
    expect(_row(page, "divide")).to_have_attribute("aria-selected", "true")
    eyes.check()


def test_the_graph_unfolds_and_chooses(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?view=graph")
    graph = page.get_by_role("group", name="Graph of nodes")
    graph.get_by_role("button", name="Unfold scoring").click()
    graph.get_by_role("button", name="Unfold refine").click()
    graph.get_by_role("button", name="Unfold size").click()
    expect(graph.get_by_role("button", name="Fold scoring")).to_be_visible()
    expect(graph.get_by_text("not taken")).to_be_visible()
    expect(graph.locator("[aria-pressed=true]")).to_have_count(0)
    graph.get_by_role("button", name="total").click()
    expect(page).to_have_url(re.compile(r"node=n2-0-n1"))
    eyes.check()
    eyes.picture("run-graph")


def test_the_timeline_has_each_node_and_zooms(eyes: Eyes, shop: Shop) -> None:
    page = _open(eyes, shop.succeeded, "?view=timeline&node=n1")
    expect(_row(page, "describe").locator(".bpart")).to_have_count(2)  # It waited, and it ran.
    axis = page.get_by_role("columnheader", name="Time since the start")
    whole = axis.text_content() or ""
    expect(page.get_by_role("button", name="Later")).to_be_disabled()
    page.get_by_role("button", name="Zoom in").click()
    expect(axis).not_to_have_text(whole)
    page.get_by_role("button", name="Later").click()
    eyes.check()
    page.get_by_role("button", name="Fit").click()
    expect(axis).to_have_text(whole)
    page.get_by_role("button", name="Unfold scoring").click()
    eyes.picture("run-timeline")


def test_a_run_is_seen_going_on(eyes: Eyes, shop: Shop) -> None:
    until = shop.absent("going-on")
    assert shop.remote
    run = shop.launch("slow", "going-on", until=str(until))
    page = _open(eyes, run, "?view=timeline")
    waits = page.get_by_role("treegrid").get_by_role("row").filter(has_text="wait_for")
    expect(waits).to_have_count(2)
    expect(waits.first).to_contain_text("Running")
    expect(waits.last).to_contain_text("Not started")
    waits.last.click()
    expect(page.get_by_role("region", name="What is chosen")).to_contain_text("wait_for has not started yet")
    clock = waits.first.locator(".btook")
    told = clock.text_content()
    expect(clock).not_to_have_text(told or "")
    eyes.check()
    eyes.picture("run-live")
    until.touch()
    expect(waits.last).to_contain_text("Succeeded")
    expect(waits.last).to_have_attribute("aria-selected", "true")
    expect(page.locator(".run-head")).to_contain_text("Succeeded")
    expect(page.get_by_role("region", name="What is chosen")).to_contain_text("Phase")


def test_ten_thousand_nodes(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    workflow = shops.aside(wide_runs.register, shop.server, "showcase.is_ready")
    run = wide_runs.make(shop.server, workflow, shop.unused("wide"))
    page = _open(eyes, run)
    nodes = page.get_by_role("treegrid", name="Nodes")
    expect(nodes).to_have_attribute("aria-rowcount", "10002")
    expect(page.get_by_role("button", name="Failed 100")).to_be_visible()
    nodes.evaluate("(element) => element.scrollTo(0, element.scrollHeight)")
    last = nodes.get_by_role("row").filter(has_text=re.compile("n9999"))
    expect(last).to_be_visible()
    assert nodes.get_by_role("row").count() < 60
    last.click()
    expect(page).to_have_url(re.compile(r"\?node=n9999$"))
    expect(page.get_by_role("region", name="What is chosen")).to_contain_text("Failed")
    page.get_by_label("Filter nodes by name or phase").fill("n123")
    expect(nodes).to_have_attribute("aria-rowcount", "13")
    page.get_by_label("Filter nodes by name or phase").fill("")
    page.get_by_role("button", name="Failed 100").click()
    expect(nodes).to_have_attribute("aria-rowcount", "102")
    eyes.check()
    eyes.picture("run-wide")
    page.get_by_role("button", name="Failed 100").click()
    page.get_by_role("button", name="Graph").click()
    stack = page.get_by_role("group", name="Graph of nodes").get_by_role("button", name="is_ready × 100")
    expect(stack.first).to_contain_text("99 succeeded, 1 failed")
    eyes.check()
    eyes.picture("run-wide-graph")


def test_a_map_is_a_strip_and_each_attempt_a_bar(eyes: Eyes, shop: Shop) -> None:
    remote = shops.aside(remotes.register, shop.server, Path(__file__).parent / "programs" / "survey.py")
    plan = remote.fetch_launch_plan(name="survey.survey", version=VERSION)
    remote.execute(plan, inputs={"people": list(range(40))}, execution_name=(name := shop.unused("survey")))
    run = shop.wait(ExecutionId(PROJECT, DOMAIN, name))
    page = _open(eyes, run, "?view=timeline")
    expect(_row(page, "publish").locator(".bpart:not(.bwait)")).to_have_count(2)
    _row(page, "publish").locator(".fill-FAILED").click()
    expect(page).to_have_url(re.compile(r"node=n2&attempt=0$"))
    page.get_by_role("button", name="Grid").click()
    mapped = _row(page, "ask")
    expect(mapped).to_contain_text("3 of 40 failed")
    expect(mapped.get_by_role("img", name="37 succeeded, 3 failed")).to_be_visible()
    mapped.get_by_role("button", name="Unfold ask").click()
    page.get_by_label("Filter nodes by name or phase").fill("ask failed")
    expect(_row(page, "ask [31]")).to_contain_text("Failed")
    expect(page.get_by_role("treegrid")).to_have_attribute("aria-rowcount", "6")  # heading, run, map and three
    eyes.check()
    page.get_by_label("Filter nodes by name or phase").fill("")
    eyes.picture("run-map")


def test_a_lost_server_is_told_and_the_page_goes_on(browser: Browser, tmp_path: Path) -> None:
    with Server(tmp_path / "data") as server:
        shop, until = Shop(server, tmp_path), tmp_path / "until"
        assert shop.remote
        run = shop.launch("slow", "lost", until=str(until))
        eyes = Eyes(browser, shop.url)
        page = _open(eyes, run, "?node=n0")
        expect(_row(page, "n0")).to_contain_text("Running")
        server.kill()
        expect(page.locator("#popup")).to_be_visible()
        eyes.picture("run-lost")
        server.start()
        until.touch()
        expect(page.locator(".run-head")).to_contain_text("Succeeded")
        expect(_row(page, "n0")).to_have_attribute("aria-selected", "true")
        eyes.wrong.clear()  # Chromium reports what it could not reach.
        eyes.close()


def _row(page: Page, text: str) -> Locator:
    return page.get_by_role("treegrid", name="Nodes").get_by_role("row").filter(has_text=text)
