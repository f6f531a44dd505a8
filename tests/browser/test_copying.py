"""Code that the console offers to copy really launches the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from playwright.sync_api import expect

from dayfly.model import plain_values
from dayfly.model.identifiers import ExecutionId
from tests.browser import shop as shops
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms import launching, remotes
from tests.platforms.server import BIN


def text(eyes: Eyes, shop: Shop, label: str) -> str:
    """Return what the open form offers to copy."""
    eyes.page.locator("form.launch").get_by_role("button", name="Copy as code").click()
    dialog = eyes.page.get_by_role("dialog", name="Copy as code")
    told = dialog.get_by_role("region", name=label).inner_text()
    eyes.check()
    eyes.picture(f"copy-as-{label.lower()}")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)
    return told


def run(folder: Path, *command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_launches_what_the_form_says(eyes: Eyes, shop: Shop, tmp_path: Path) -> None:
    assert shop.remote
    form = eyes.go(f"{shops.PLACE}/launch?launch_plan=showcase.budget&version=v1").locator("form.launch")
    form.get_by_role("textbox", name="teams").fill("4")
    form.get_by_text("Options").click()
    name = shop.unused("copied-command")
    form.get_by_role("textbox", name="Option Name of the run").fill(name)
    form.get_by_role("textbox", name="Option Parallelism").fill("3")
    command = text(eyes, shop, "Command")
    assert "--amount" not in command  # A default is left to the platform.
    pyflyte = command.replace("pyflyte run", f"{BIN / 'pyflyte'} --config {shop.server.config} run", 1)
    run(tmp_path, "bash", "-c", pyflyte)
    launched = ExecutionId(launching.PROJECT, launching.DOMAIN, name)
    _, outputs = shops.aside(launching.wait, shop.server, launched)
    assert outputs == {"o0": 250.0}
    spec = remotes.connect(shop.server).fetch_execution(name=name).spec
    assert spec.max_parallelism == 3


def test_the_program_launches_what_the_form_says(eyes: Eyes, shop: Shop, tmp_path: Path) -> None:
    assert shop.remote
    form = eyes.go(f"{shops.PLACE}/launch?launch_plan=forecast.nightly&version=v1").locator("form.launch")
    form.get_by_role("textbox", name="days").fill("30")
    form.get_by_role("combobox", name="region").select_option("south")
    form.get_by_role("textbox", name="model depth").fill("3")
    form.get_by_role("button", name="Remove scored 8").click()
    form.get_by_text("Options").click()
    name = shop.unused("copied-program")
    form.get_by_role("textbox", name="Option Name of the run").fill(name)
    (tmp_path / "launch.py").write_text(text(eyes, shop, "Python"))
    run(tmp_path, sys.executable, "launch.py")
    launched = ExecutionId(launching.PROJECT, launching.DOMAIN, name)
    remote = remotes.connect(shop.server)
    data = remote.client.get_execution_data(remote.fetch_execution(name=launched.name).id)
    inputs = {name: plain_values.to_plain(one.to_flyte_idl()) for name, one in data.full_inputs.literals.items()}
    assert inputs == {
        "days": 30,
        "region": "south",
        "model": {"depth": 3, "rate": 0.1, "features": ["price", "weekday"]},
        "scored": [1, 2, 3, 4, 5, 6, 7],
    }
    ended, _ = shops.aside(launching.wait, shop.server, launched)
    assert ended.phase.name == "SUCCEEDED", ended
