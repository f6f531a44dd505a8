"""The right side of the run page: every tab, as somebody reads it who wants to know what happened."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser import shop as shops
from tests.browser.panels import Panels
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop

FRAMES = ("iframe",)
"""What is in them is not ours."""


@pytest.fixture(scope="module")
def panels(shop: Shop) -> Panels:
    return Panels(shop)


@pytest.fixture
def unharmed(eyes: Eyes) -> Iterator[Eyes]:
    """A page on which nothing that users wrote may run."""
    dialogs: list[str] = []
    eyes.page.on("dialog", lambda shown: (dialogs.append(shown.message), shown.dismiss()))
    yield eyes
    assert dialogs == []
    assert eyes.page.evaluate("window.harmed") is None


def at(run: str, tab: str = "", node: str = "", more: str = "") -> str:
    return f"{shops.PLACE}/executions/{run}?node={node}&tab={tab}{more}"


def test_a_failed_run_says_why_and_what_to_do(eyes: Eyes, shop: Shop) -> None:
    run = shop.failed
    page = eyes.go(at(run.name))
    reason = page.get_by_role("alert")
    expect(reason).to_contain_text("ZeroDivisionError: division by zero")
    expect(reason).to_contain_text("What to do Look at showcase.py")
    expect(reason).to_contain_text("at budget > n0 (divide)")
    expect(page.get_by_text("return amount / by")).to_be_hidden()
    eyes.check()
    eyes.picture("panel-failed-run")
    page.get_by_text("Traceback and all that was said").click()
    expect(page.get_by_text("return amount / by")).to_be_visible()
    page.get_by_role("link", name="Open the logs of what failed").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("dividing 1000 by 0")


def test_a_cluster_that_ran_out_of_memory_is_explained(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.starved.name, node="showcasehoard"))
    reason = page.get_by_role("alert")
    expect(reason).to_contain_text("ran out of memory while computing hoard-1")
    expect(reason).to_contain_text("What to do Give each worker more memory")
    expect(page.get_by_role("list").filter(has_text="it is made anew").last).to_be_visible()
    eyes.check()
    eyes.picture("panel-starved")
    page.get_by_role("tab", name="Report").click()
    expect(page.get_by_role("link", name="Dump of the cluster's last state")).to_be_visible()
    cluster = f"/api/dayfly/v1/clusters/flytesnacks/development/{shop.starved.name}/showcasehoard/0"
    made = [one["name"] for one in eyes.context.request.get(eyes.url + cluster).json()["reports"]]
    # A scheduler that is to end soon makes no performance report where the machine is too slow for it.
    if "performance.html" in made:
        report = page.frame_locator("iframe").get_by_text("Dask Performance Report")
        expect(report).to_be_visible(timeout=20_000)
    eyes.check(without=FRAMES)
    eyes.picture("panel-dask-report")


def test_attempts_are_told_one_by_one(eyes: Eyes, shop: Shop, panels: Panels) -> None:
    run = panels.run("stumble", "stumbled", counted=str(shop.absent("counted")))
    page = eyes.go(at(run.name, node="panelstumble"))
    attempts = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Logs"))
    expect(attempts).to_have_count(3)
    expect(attempts.nth(0)).to_contain_text("Attempt 2✓Succeeded")
    expect(attempts.nth(2)).to_contain_text("the table is locked, 1")
    expect(attempts.nth(2)).to_contain_text("The task's own error.")
    eyes.check()
    eyes.picture("panel-attempts")
    attempts.nth(2).get_by_role("link", name="Logs").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("trying for the 1. time")
    page.get_by_role("navigation", name="Attempts").get_by_role("link", name="1").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("trying for the 2. time")
    expect(page.get_by_role("region", name="Log lines")).not_to_contain_text("trying for the 1. time")


def test_values_of_every_type_are_shown_with_what_is_in_files(eyes: Eyes, shop: Shop, panels: Panels) -> None:
    run = shop.wait(panels.launch("values", "values", workflow=True))
    page = eyes.go(at(run.name, "data", "n0"))
    inputs, outputs = page.get_by_role("region", name="Inputs"), page.get_by_role("region", name="Outputs")
    for name, told in (
        ("number", "7"),
        ("said", "two\nlines"),
        ("window", "2 h 05 min"),
        ("at", "2026-03-14"),
        ("maybe", "None"),
        ("either", "text as str"),
        ("fit", "price, weekday"),
    ):
        expect(inputs.get_by_role("region", name=name, exact=True)).to_contain_text(told)
    eyes.picture("panel-inputs")
    table = outputs.get_by_role("region", name="o0", exact=True)
    table.scroll_into_view_if_needed()
    expect(table.get_by_role("row")).to_have_count(11)
    expect(table).to_contain_text("<b>ä</b>")
    expect(table).to_contain_text("40 rows, the first 10 here")
    outputs.get_by_role("region", name="o1", exact=True).scroll_into_view_if_needed()
    picture = outputs.get_by_role("img", name="Image chart.png")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    assert picture.evaluate("one => one.decode().then(() => one.naturalWidth)") == 240
    eyes.picture("panel-outputs")
    outputs.get_by_role("region", name="o2", exact=True).scroll_into_view_if_needed()
    expect(outputs.get_by_role("region", name="o2", exact=True)).to_contain_text("second line")
    outputs.get_by_role("region", name="o3", exact=True).scroll_into_view_if_needed()
    expect(outputs.get_by_role("region", name="o3", exact=True)).to_contain_text("part-2.txt")
    with page.expect_download() as downloading:
        outputs.get_by_role("button", name="Download notes.txt").click()
    assert downloading.value.path().read_text() == "first line\nsecond line\n"
    eyes.check()
    page.get_by_role("region", name="Python").scroll_into_view_if_needed()
    eyes.picture("panel-code")
    code = page.get_by_role("region", name="Python").inner_text()
    given: dict[str, object] = {}
    shops.aside(exec, code, given)
    assert given["outputs"].get("o4", as_type=dict[str, float]) == {"north": 1.5, "south": 2.0}  # type: ignore[attr-defined]


def test_the_code_for_a_run_fetches_its_outputs(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.succeeded.name, "data"))
    given: dict[str, object] = {}
    shops.aside(exec, page.get_by_role("region", name="Python").inner_text(), given)
    assert given["run"].outputs["o2"] == 70210  # type: ignore[attr-defined]


def test_a_hundred_thousand_lines_are_read_and_searched(eyes: Eyes, panels: Panels) -> None:
    run = panels.run("chatter", "chatter", lines=100_000)
    page = eyes.go(at(run.name, "logs", "panelchatter"))
    lines = page.get_by_role("region", name="Log lines")
    expect(lines).to_contain_text("app: line 99999")
    page.get_by_role("button", name="From the beginning").click()
    expect(page.get_by_text("100,001 lines", exact=True)).to_be_visible(timeout=20_000)  # One is empty.
    expect(lines).to_contain_text("app: line 0")
    assert page.locator(".log-line").count() < 200
    eyes.check()
    page.get_by_role("searchbox", name="Search the logs").fill("line 4199")
    page.get_by_role("searchbox", name="Search the logs").press("Enter")
    expect(page.get_by_text("11 lines", exact=True)).to_be_visible()
    page.get_by_role("combobox", name="Level").select_option("ERROR")
    expect(page.get_by_text("1 line", exact=True)).to_be_visible()
    eyes.picture("panel-log-search")
    lines.get_by_role("link").first.click()
    expect(page.get_by_role("region", name="The whole line")).to_contain_text("2026-01-01 00:00:41,999 - app - ERROR")
    address = page.url
    assert "line=driver" in address
    page.goto("about:blank")
    page.goto(address)
    expect(page.locator(".log-line.chosen")).to_contain_text("line 41999")


def test_a_log_is_followed_until_one_scrolls_up(eyes: Eyes, shop: Shop, panels: Panels) -> None:
    feed = shop.absent("feed")
    feed.write_text("".join(f"before {number}\n" for number in range(60)))
    run = panels.launch("repeat", "repeated", feed=str(feed))

    def more(*lines: str) -> None:
        with feed.open("a") as file:
            file.writelines(f"{line}\n" for line in lines)

    page = eyes.go(at(run.name, "logs", "panelrepeat"))
    lines = page.get_by_role("region", name="Log lines")
    expect(lines).to_contain_text("before 59")
    expect(page.get_by_text("following")).to_be_visible()
    more("first news", "WARNING: second news")
    expect(lines.get_by_text("second news")).to_be_in_viewport()
    lines.evaluate("one => { one.scrollTop = 0 }")
    expect(lines.get_by_text("before 0", exact=True)).to_be_in_viewport()
    more("third news")
    expect(page.get_by_role("button", name="1 new line")).to_be_visible()
    expect(lines.get_by_text("before 0", exact=True)).to_be_in_viewport()
    eyes.check()
    eyes.picture("panel-log-live")
    page.get_by_role("button", name="1 new line").click()
    expect(lines.get_by_text("third news")).to_be_in_viewport()
    more("end")
    expect(page.get_by_text("following")).to_be_hidden()


def test_the_log_of_a_cluster_is_read_by_process(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.succeeded.name, "logs", "n6"))
    lines = page.get_by_role("region", name="Log lines")
    expect(lines).to_contain_text("scheduler")
    expect(lines).to_contain_text("worker-0")
    eyes.check()
    eyes.picture("panel-log-cluster")
    page.get_by_role("combobox", name="Process").select_option("driver")
    expect(lines).to_contain_text("training with depth 6")
    expect(lines).not_to_contain_text("scheduler")
    assert "log_role=driver" in page.url
    lines.focus()
    page.keyboard.press("ArrowUp")
    expect(page.get_by_role("region", name="The whole line")).to_be_visible()
    page.keyboard.press("ArrowUp")
    expect(page.locator(".log-line.chosen")).to_have_count(1)
    with page.expect_download() as downloading:
        page.get_by_role("button", name="Download").click()
    assert "training with depth 6" in downloading.value.path().read_text()


def test_a_run_tells_its_story(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.failed.name, "story"))
    story = page.get_by_role("region", name="What happened")
    expect(story).to_contain_text("The execution was created.")
    expect(story).to_contain_text("ZeroDivisionError")
    eyes.check()
    eyes.picture("panel-story")
    story.get_by_role("link", name="n0").first.click()
    expect(page.get_by_role("alert")).to_contain_text("ZeroDivisionError")
    assert "node=n0" in page.url


def test_a_deck_is_shown_in_a_frame(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.succeeded.name, "report", "n1"))
    frame = page.frame_locator("iframe[title=Deck]")
    frame.get_by_text("Sales", exact=True).first.click()
    expect(frame.get_by_role("heading", name="Sales")).to_be_visible()
    eyes.wrong[:] = [one for one in eyes.wrong if "fonts.googleapis.com" not in one]  # flytekit's decks ask for it.
    eyes.check(without=FRAMES)
    eyes.picture("panel-deck")
    eyes.wrong[:] = [one for one in eyes.wrong if "fonts.googleapis.com" not in one]


def test_time_spec_and_cache_of_a_node(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.succeeded.name, "time", "n6"))
    table = page.get_by_role("tabpanel").get_by_role("table")
    expect(table.first.get_by_role("row").filter(has_text="User code")).to_contain_text("%")
    expect(table.get_by_role("row").filter(has_text="Cluster")).to_contain_text("%")
    eyes.check()
    eyes.picture("panel-time")
    page.get_by_role("tab", name="Spec").click()
    expect(page.get_by_text("cpu 1, memory 300Mi").first).to_be_visible()
    eyes.check()
    eyes.picture("panel-spec")
    page.get_by_text("Task template as JSON").click()
    expect(page.get_by_role("region", name="Task template")).to_contain_text('"type": "dask"')
    page.get_by_role("tab", name="Cache").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("Not cached")


def test_what_was_taken_from_the_cache_names_its_run(eyes: Eyes, shop: Shop) -> None:
    first = shop.succeeded
    again = shop.wait(shop.launch("forecast", "forecast-again"))
    page = eyes.go(at(again.name, "cache", "n0"))
    expect(page.get_by_role("tabpanel")).to_contain_text("Cache version")
    expect(page.get_by_role("tabpanel")).to_contain_text("Hit Its outputs were taken from an earlier run")
    eyes.check()
    eyes.picture("panel-cache")
    page.get_by_role("link", name=f"{first.name} › n0").click()
    expect(page.get_by_role("heading", name=first.name)).to_be_visible()


def test_the_run_itself_has_a_spec_and_its_time(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(at(shop.succeeded.name, "spec"))
    expect(page.get_by_role("tabpanel")).to_contain_text("up to 25 nodes at once")
    eyes.check()
    eyes.picture("panel-run-spec")
    page.get_by_role("tab", name="Time").click()
    expect(page.get_by_role("tabpanel").get_by_role("row").filter(has_text="User code")).to_contain_text("%")
    nodes = page.get_by_role("tabpanel").get_by_role("table").last
    expect(nodes.get_by_role("row").filter(has=page.get_by_role("link", name="n1"))).to_be_visible()
    eyes.check()
    eyes.picture("panel-run-time")


def test_a_summary_goes_on_while_the_run_does(eyes: Eyes, shop: Shop) -> None:
    until = shop.absent("panel-until")
    run = shop.launch("slow", "panel-slow", until=str(until))
    page = eyes.go(at(run.name))
    expect(page.get_by_role("tabpanel")).to_contain_text("n0 wait_for Runs")
    expect(page.get_by_role("tabpanel").get_by_role("status")).to_have_text("Runs: 1 node goes on.")
    eyes.check()
    eyes.picture("panel-running")
    until.touch()
    expect(page.get_by_role("tabpanel")).to_contain_text("Succeeded in")


def test_names_errors_logs_decks_and_files_are_text(unharmed: Eyes, panels: Panels) -> None:
    eyes, run = unharmed, panels.run("attack", "attack", text="<script>top.harmed=1</script>")
    page = eyes.go(at(run.name, "data", "panelattack"))
    content = page.get_by_role("tabpanel")
    expect(content).to_contain_text("<script>top.harmed=1</script>")
    expect(content).to_contain_text("javascript:top.harmed = 1")
    harmful = content.get_by_text("<img src=x onerror='top.harmed = 1'>")
    expect(harmful.first).to_be_visible()
    page.get_by_role("region", name="o1", exact=True).scroll_into_view_if_needed()
    expect(page.get_by_role("region", name="Beginning of the file")).to_contain_text("<script>top.harmed = 1</script>")
    assert page.locator('a[href^="javascript"], main script, main img[src="x"]').count() == 0
    eyes.picture("panel-hostile")
    page.get_by_role("tab", name="Logs").click()
    expect(page.get_by_role("region", name="Log lines")).to_contain_text("<script>top.harmed = 1</script>")
    page.get_by_role("tab", name="Report").click()
    frame = page.frame_locator("iframe[title=Deck]")
    frame.get_by_text("Harm", exact=True).first.click()
    expect(frame.get_by_role("heading", name="Deck of harm")).to_be_visible()
    assert page.title() == f"{run.name} · Dayfly"
    page.get_by_role("tab", name="Spec").click()
    expect(page.get_by_text("Task template as JSON")).to_be_visible()
    assert page.evaluate("window.harmed") is None
    eyes.wrong.clear()  # The frame's own: fonts it asks for, and scripts that were refused.


def test_an_address_that_is_a_program_is_text(unharmed: Eyes, panels: Panels) -> None:
    run = panels.with_address("javascript:top.harmed=1")
    page = unharmed.go(at(run.name, "data"))
    expect(page.get_by_role("region", name="file", exact=True)).to_contain_text("javascript:top.harmed=1")
    assert page.locator('a[href^="javascript"]').count() == 0
    unharmed.check()


def test_an_error_full_of_html_is_text(unharmed: Eyes, panels: Panels) -> None:
    run = panels.run("collapse", "collapsed", text="<script>top.harmed = 1</script>")
    for address in (at(run.name), at(run.name, node="panelcollapse"), at(run.name, "story"), at(run.name, "spec")):
        page = unharmed.go(address)
        assert page.locator('a[href^="javascript"], main script, main img[src="x"]').count() == 0
    page = unharmed.go(at(run.name))
    expect(page.get_by_role("alert")).to_contain_text("ValueError: <script>top.harmed = 1</script><img src=x")
    unharmed.check()


def test_an_element_of_a_map_task_shows_what_the_whole_map_took(eyes: Eyes, shop: Shop) -> None:
    page = eyes.go(f"{shops.PLACE}/executions/{shop.succeeded.name}?node=n2-0-n0%233&tab=data")
    panel = page.get_by_role("tabpanel")
    expect(panel).to_contain_text("Of the whole map: element 3 took and gave the values at 3.")
    expect(panel.get_by_role("region", name="Outputs")).to_contain_text("12.0")
    expect(page.get_by_role("tab", name="Time")).to_have_count(0)
    eyes.check()
