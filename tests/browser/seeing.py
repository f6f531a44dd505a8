"""What browser tests look with: Debian's Chromium, held to accessibility and to pages without errors."""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import axe_playwright_python
import pytest
from PIL import Image
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()

SERIOUS = ("serious", "critical")

PICTURES = os.environ.get("DAYFLY_TEST_PICTURES", "")
"""Folder that pictures of all screens are written to; none are where it is empty."""

PATIENCE_MILLISECONDS = 20_000
"""How long is waited for what is expected; tests may share a machine with much else."""

NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
"""Chromium drops what it loads, from this machine too, where an interface comes or goes: each pod of a Kubernetes here
brings one. The page is loaded again then."""

TRIES = 5

SIZE = {"width": 1366, "height": 768}
"""A small laptop's screen."""


def chromium_path() -> str:
    """Return where Chromium is; skip the test on machines that have none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        if os.environ.get("DAYFLY_TEST_NEED_BROWSER"):
            raise AssertionError("There is no Chromium here: sudo apt install chromium")
        pytest.skip("There is no Chromium here: sudo apt install chromium")
    return found


@contextmanager
def browser() -> Iterator[Browser]:
    """Give a browser with no window."""
    path = chromium_path()
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        # Tests run as root in containers, where Chromium's own sandbox cannot be.
        started = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield started
        started.close()


class Eyes:
    """A page, and what went wrong on it."""

    def __init__(self, browser: Browser, url: str, *, theme: str = "light") -> None:
        self.url = url
        self.context = browser.new_context(
            viewport=SIZE, color_scheme=theme, reduced_motion="reduce", locale="en-GB", timezone_id="UTC"
        )
        self.context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self._network_changed = False
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", self._said)
        self.page.on("request", lambda asked: self._asked(asked.url))

    def go(self, path: str) -> Page:
        """Open a page of the console, and return once it is there and can be used."""
        for _ in range(TRIES):
            self._network_changed = False
            self.page.goto(self.url + path)
            if not self._network_changed:
                break
        self.page.locator("main h1").first.wait_for()
        # NiceGUI's socket: from now on buttons do something.
        self.page.wait_for_function("() => window.socket && window.socket.connected")
        return self.page

    def findings(self, *, without: Sequence[str] = ()) -> list[str]:
        """Return what axe-core finds that is serious, as sentences. `without` names selectors of what is not ours."""
        self.page.evaluate(AXE)
        found = self.page.evaluate(
            "(without) => axe.run({exclude: without.map((one) => [one])}, {resultTypes: ['violations']})", list(without)
        )
        return [
            f"{one['id']}: {one['help']}: {node['target']} {node['html'][:160]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
            for node in one["nodes"]
        ]

    def picture(self, name: str, *, full: bool = False) -> None:
        """Write a picture of the page in both themes, where pictures are asked for."""
        if not PICTURES:
            return
        for theme in ("light", "dark"):
            self.set_theme(theme)
            taken = io.BytesIO(self.page.screenshot(full_page=full, animations="disabled"))
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            # A page has few colours: so it takes a third.
            Image.open(taken).convert("RGB").quantize(256).save(f"{PICTURES}/{name}-{theme}.png", optimize=True)
        self.set_theme("light")

    def set_theme(self, theme: str) -> None:
        """Show the page in a theme, as its button does."""
        if self.page.evaluate("document.documentElement.dataset.theme") != theme:
            self.page.evaluate("dayflyTheme.toggle()")

    def check(self, *, without: Sequence[str] = ()) -> None:
        """Hold the page to no errors, to nothing from elsewhere, and to accessibility in both themes."""
        for theme in ("light", "dark"):
            self.set_theme(theme)
            assert self.findings(without=without) == []
        self.set_theme("light")
        assert self.wrong == []

    def close(self) -> None:
        """Close the page; fail if anything went wrong on it."""
        self.context.close()
        assert self.wrong == []

    def _said(self, message: ConsoleMessage) -> None:
        if NETWORK_CHANGED in message.text:
            self._network_changed = True
        elif message.type == "error":
            self.wrong.append(f"{message.text} {message.location.get('url', '')}")

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:", "about:")):
            self.wrong.append(f"asked elsewhere: {url}")
