"""The list of runs: looked through, filtered, acted on."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop

RUNS = f"{shops.PLACE}/executions"


def row(page: Page, name: str):
    return page.get_by_role("table", name="Runs").locator(f'tr[data-id="{name}"]')


def test_runs_are_listed_with_how_they_ended(eyes: Eyes, shop: Shop) -> None:
    good, bad = shop.succeeded, shop.failed
    page = eyes.go(RUNS)
    expect(row(page, good.name)).to_contain_text("Succeeded")
    expect(row(page, bad.name)).to_contain_text("Failed")
    eyes.check()
    eyes.picture("runs")
    page.get_by_role("link", name=bad.name).click()
    expect(page).to_have_url(f"{shop.url}{RUNS}/{bad.name}")


def test_a_new_run_appears_while_one_looks(eyes: Eyes, shop: Shop) -> None:
    assert shop.remote
    page = eyes.go(RUNS)
    until = shop.absent("appears")
    run = shop.launch("slow", "appears", until=str(until))
    expect(row(page, run.name)).to_contain_text("Running")
    until.touch()
    expect(row(page, run.name)).to_contain_text("Succeeded")


def test_filters_are_in_the_address_and_stay_after_a_reload(eyes: Eyes, shop: Shop) -> None:
    good, bad = shop.succeeded, shop.failed
    page = eyes.go(RUNS)
    page.get_by_role("button", name="Failed", exact=True).click()
    expect(row(page, good.name)).to_have_count(0)
    expect(row(page, bad.name)).to_be_visible()
    expect(page).to_have_url(f"{shop.url}{RUNS}?phase=FAILED%2CTIMED_OUT")
    page.keyboard.press("f")
    page.get_by_label("Workflow").fill("showcase.budget")
    page.get_by_label("Input").fill("teams=0; amount=1000")
    eyes.check()
    eyes.picture("runs-filters")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Input teams=0; amount=1000")).to_be_visible()
    expect(row(page, bad.name)).to_be_visible()
    eyes.picture("runs-filtered")
    page.reload()
    expect(page.get_by_text("Workflow showcase.budget")).to_be_visible()
    expect(row(page, bad.name)).to_be_visible()
    expect(row(page, good.name)).to_have_count(0)
    page.get_by_role("button", name="Remove filter Input").click()
    expect(page).to_have_url(f"{shop.url}{RUNS}?phase=FAILED%2CTIMED_OUT&workflow=showcase.budget")
    page.get_by_role("button", name="Clear").click()
    expect(row(page, good.name)).to_be_visible()
    expect(page).to_have_url(f"{shop.url}{RUNS}")


def test_a_filter_that_cannot_be_says_what_it_wants(eyes: Eyes, shop: Shop) -> None:
    assert shop.failed
    page = eyes.go(f"{RUNS}?since=yesterday")
    expect(page.get_by_role("alert")).to_contain_text("24h")
    eyes.check()
    page.get_by_role("button", name="Remove filter Since").click()
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(row(page, shop.failed.name)).to_be_visible()


def test_half_a_character_in_a_filter_does_not_lose_the_others(eyes: Eyes, shop: Shop) -> None:
    shop.wait(shop.launch("budget", "budget-halved", amount=100, teams=4))
    page = eyes.go(RUNS)
    page.keyboard.press("f")
    panel = page.locator("#filters-panel")
    panel.locator("input").first.evaluate(
        "(one) => { one.value = 'half \\ud83d'; one.dispatchEvent(new Event('input')); }"
    )
    panel.get_by_role("button", name="Show").click()
    expect(page.locator(".filter-chip")).to_contain_text("half \ufffd")


def test_what_is_searched_for_in_the_bar_is_a_filter(eyes: Eyes, shop: Shop) -> None:
    good, bad = shop.succeeded, shop.failed
    page = eyes.go("/console/")
    page.keyboard.press("/")
    page.keyboard.type("BUDGET")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{shop.url}{RUNS}?text=BUDGET")
    expect(row(page, bad.name)).to_be_visible()
    expect(row(page, good.name)).to_have_count(0)


def test_the_list_is_sorted_by_how_long_runs_took(eyes: Eyes, shop: Shop) -> None:
    assert shop.succeeded and shop.failed
    page = eyes.go(RUNS)
    page.get_by_role("button", name="Duration").click()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Duration")
    expect(page).to_have_url(f"{shop.url}{RUNS}?sort=-duration")
    page.reload()
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("Duration")


def test_a_view_is_kept_and_used_again(eyes: Eyes, shop: Shop) -> None:
    assert shop.succeeded and shop.failed
    page = eyes.go(f"{RUNS}?workflow=showcase.budget")
    page.get_by_role("button", name="Views").click()
    page.get_by_label("Name of the view").fill("Budgets")
    page.get_by_role("button", name="Keep", exact=True).click()
    eyes.check()
    eyes.picture("runs-views")
    page.goto(shop.url + RUNS)
    page.wait_for_function("() => window.socket && window.socket.connected")
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name="Budgets", exact=True).click()
    expect(page).to_have_url(f"{shop.url}{RUNS}?workflow=showcase.budget")
    expect(row(page, shop.succeeded.name)).to_have_count(0)


def test_runs_are_aborted_from_the_list_after_one_question(eyes: Eyes, shop: Shop) -> None:
    until = shop.absent("never")
    names = [shop.launch("slow", name, until=str(until)).name for name in ("ending-a", "ending-b")]
    page = eyes.go(f"{RUNS}?text=ending-")
    for name in names:
        expect(row(page, name)).to_contain_text("Running")
        page.get_by_label(f"Choose {name}", exact=True).check()
    bar = page.get_by_role("toolbar", name="With the chosen runs")
    expect(bar).to_contain_text("2 runs chosen")
    expect(bar.get_by_role("button", name="Recover")).to_be_disabled()
    eyes.picture("runs-chosen")
    bar.get_by_role("button", name="Abort").click()
    asked = page.get_by_role("dialog", name="Abort 2 runs?")
    expect(asked).to_contain_text(names[1])
    asked.get_by_label("Reason").fill("wrong month")
    eyes.check()  # It is dimmed behind the question.
    eyes.picture("runs-abort")
    asked.get_by_role("button", name="Abort 2 runs").click()
    expect(asked.get_by_text("is ending")).to_have_count(2)
    eyes.picture("runs-aborted")
    asked.get_by_role("button", name="Close").click()
    for name in names:
        expect(row(page, name)).to_contain_text("Aborted")
    until.touch()


def test_runs_are_archived_and_brought_back(eyes: Eyes, shop: Shop) -> None:
    old = shop.unused("old")
    names = [shop.wait(shop.launch("budget", f"{old}-{which}", teams=4)).name for which in "ab"]
    page = eyes.go(f"{RUNS}?text={old}-")
    page.get_by_label("Choose all shown").check()
    page.get_by_role("toolbar").get_by_role("button", name="Archive").click()
    page.get_by_role("dialog").get_by_role("button", name="Archive 2 runs").click()
    expect(page.get_by_text("is archived")).to_have_count(2)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_text("No run is like that")).to_be_visible()
    page.goto(f"{shop.url}{RUNS}?text={old}-&archived=only")
    page.wait_for_function("() => window.socket && window.socket.connected")
    page.get_by_label(f"Choose {names[0]}", exact=True).check()
    page.get_by_role("toolbar").get_by_role("button", name="Bring back").click()
    page.get_by_role("dialog").get_by_role("button", name="Bring back run").click()
    expect(page.get_by_text("is in the lists again")).to_be_visible()
