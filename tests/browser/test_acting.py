"""What can be done to a run from its own page: abort, relaunch, recover, answer its gates."""

from __future__ import annotations

import asyncio

from playwright.sync_api import expect

from dayfly.client import connecting
from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop

RUNS = f"{shops.PLACE}/executions"


def outputs(shop: Shop, execution: ExecutionId) -> dict[str, str]:
    async def call() -> dict[str, str]:
        async with connecting.open(shop.server.address) as client:
            found = (await client.get_execution_data(execution)).full_outputs.literals
            return {name: one.scalar.primitive.string_value for name, one in found.items()}

    return shops.aside(lambda: asyncio.run(call()))


def test_a_run_is_aborted_with_a_reason(eyes: Eyes, shop: Shop) -> None:
    run = shop.launch("slow", "to-abort", until=str(shop.absent("never")))
    page = eyes.go(f"{RUNS}/{run.name}")
    page.get_by_role("group", name="Actions").get_by_role("button", name="Abort").click()
    asked = page.get_by_role("dialog", name=f"Abort {run.name}?")
    asked.get_by_role("button", name="Cancel").click()
    expect(asked).to_have_count(0)
    page.get_by_role("button", name="Abort").click()
    asked.get_by_label("Reason").fill("wrong month")
    asked.get_by_role("button", name="Abort run").click()
    expect(asked).to_contain_text("is ending")
    asked.get_by_role("button", name="Close").click()
    expect(page.get_by_text("Aborted").first).to_be_visible()
    expect(page.get_by_role("button", name="Recover")).to_be_visible()
    eyes.check()
    eyes.picture("run-aborted")


def test_a_failed_run_is_recovered_and_relaunched(eyes: Eyes, shop: Shop) -> None:
    run = shop.failed
    page = eyes.go(f"{RUNS}/{run.name}")
    page.get_by_role("button", name="Relaunch").click()
    asked = page.get_by_role("dialog", name=f"Relaunch {run.name}?")
    asked.get_by_role("checkbox").click()
    eyes.check()
    eyes.picture("run-relaunch")
    asked.get_by_role("button", name="Relaunch run").click()
    expect(asked).to_contain_text("runs again as")
    asked.get_by_role("link").click()
    expect(page).not_to_have_url(f"{shop.url}{RUNS}/{run.name}")
    expect(page.get_by_text("Failed").first).to_be_visible()
    page.get_by_role("button", name="Recover").click()
    asked = page.get_by_role("dialog")
    asked.get_by_role("button", name="Recover run").click()
    expect(asked).to_contain_text("runs again as")


def test_a_run_goes_on_when_its_gate_is_approved_and_its_signal_set(eyes: Eyes, shop: Shop) -> None:
    run = shop.launch("pricing", "pricing-1", price=20.0)
    page = eyes.go(f"{RUNS}/{run.name}")
    expect(page.get_by_text("This run waits for")).to_be_visible()
    expect(page.get_by_role("group", name="Actions")).to_be_visible()
    page.get_by_role("link", name="Answer").click()
    good = page.get_by_role("group", name="Signal good-price")
    note = page.get_by_role("group", name="Signal note")
    expect(good.get_by_role("button", name="Approve", exact=True)).to_be_visible()
    expect(note.get_by_label("Value")).to_be_visible()
    eyes.picture("run-waits")
    eyes.check()
    note.get_by_label("Value").fill("from the browser")
    good.get_by_role("button", name="Approve", exact=True).click()
    expect(good).to_contain_text("Approved")
    expect(note.get_by_label("Value")).to_have_value("from the browser")
    note.get_by_label("Value").press("Enter")
    expect(page.get_by_text("Succeeded").first).to_be_visible()
    expect(page.get_by_text("This run waits for")).to_have_count(0)
    eyes.check()
    eyes.picture("run-answered")
    assert outputs(shop, shop.wait(run)) == {"o0": "published 21.00: from the browser"}


def test_a_gate_is_disapproved_after_a_question(eyes: Eyes, shop: Shop) -> None:
    run = shop.launch("pricing", "pricing-2", price=20.0)
    eyes.go("/console/")
    waits = eyes.page.locator(".home-waiting").get_by_role("listitem").filter(has_text="good-price")
    waits.filter(has_text=run.name).get_by_role("link").click()
    page = eyes.page
    good = page.get_by_role("group", name="Signal good-price")
    good.get_by_role("button", name="Disapprove").click()
    asked = page.get_by_role("dialog", name="Disapprove good-price?")
    eyes.check()
    asked.get_by_role("button", name="Disapprove").click()
    expect(asked).to_contain_text("is disapproved")
    asked.get_by_role("button", name="Close").click()
    expect(good).to_contain_text("Disapproved")
    shops.aside(asyncio.run, abort(shop, run))


async def abort(shop: Shop, run: ExecutionId) -> None:
    async with connecting.open(shop.server.address) as client:
        try:
            await client.terminate_execution(run, "seen")
        except Exception:  # noqa: BLE001  it may have ended by itself
            return
