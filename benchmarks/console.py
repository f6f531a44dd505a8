"""The console in Chromium: how soon pages are there and can be used, and what they cost the server.

Pages are opened by turns after the first load of each, so that a busy machine slows all of them alike. Beside them are
a file of the same server, and a page that has nothing but the frame that all pages have.
"""

from __future__ import annotations

import asyncio
import re
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

from playwright.sync_api import Browser
from tests.browser import seeing, shop
from tests.platforms import remotes, wide_runs
from tests.platforms.server import Server

from benchmarks import million_rows
from benchmarks.million_rows import MAIN
from benchmarks.whole_platform import tell
from dayfly.base.clock import SystemClock
from dayfly.stores import database

EXECUTIONS = 145_000
"""Of which 100,000 are in the place whose list is opened."""

ROUNDS = 9
OPEN_PAGES = 20

_SEEN = """
  const look = () => {
    if (!document.querySelector(SELECTOR)) return requestAnimationFrame(look);
    requestAnimationFrame(() => requestAnimationFrame(() => { window.benchSeen = performance.now(); }));
  };
  requestAnimationFrame(look);
  const use = setInterval(() => {
    if (!window.benchSeen || !(PLAIN || window.did_handshake)) return;
    clearInterval(use);
    window.benchUsed = performance.now();
  }, 4);
"""
"""When what matters has been painted, and when buttons do something: NiceGUI's connection is there."""


class Sight(NamedTuple):
    """A page, and what of it has to be there."""

    what: str
    path: str
    selector: str
    target_seconds: float | None = None
    plain: bool = False


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as name:
        folder = Path(name) / "data"
        folder.mkdir()
        url = database.url_of(folder / "dayfly.db")
        asyncio.run(_make(url))
        million_rows.EXECUTIONS, million_rows.GIANT_NODES = EXECUTIONS, 3
        million_rows.fill(url)
        with Server(folder) as server:
            remotes.register(server, shop.PROGRAM)
            wide_runs.make(server, wide_runs.register(server, "showcase.is_ready"), "wide")
        with seeing.browser() as browser:
            with Server(folder) as server:
                sights = _sights(_load(server))
                _time(browser, server, sights)
            for sight in sights[1:]:
                with Server(folder) as server:  # A new one, that nobody else's pages were opened at.
                    _weigh(browser, server, sight)


async def _make(url: str) -> None:
    await (await database.open(url, clock=SystemClock())).close()


def _load(server: Server) -> str:
    """Return the first page, for which NiceGUI is loaded; tell what that took."""
    before, began = _megabytes(server), time.perf_counter()
    page = urllib.request.urlopen(f"http://{server.address}/console/").read().decode()
    loading, more = time.perf_counter() - began, _megabytes(server) - before
    tell(
        "the console's very first page",
        loading,
        "s",
        f"NiceGUI loaded; {more:.0f} MB more than the {before:.0f} before",
    )
    return str(page)


def _sights(page: str) -> tuple[Sight, ...]:
    found = re.search(r'"?(/console/static/[0-9a-f]+)/', page)
    assert found is not None
    runs = f"/console/projects/{MAIN[0]}/domains/{MAIN[1]}/executions"
    return (
        Sight("a file of the server", f"{found[1]}/favicon.svg", "svg", plain=True),
        Sight("a page with the frame alone", "/console/nosuch", ".problem"),
        Sight("home", "/console/", "main tbody tr", 0.5),
        Sight("the list of 100,000 runs", runs, "main tbody tr", 0.5),
        Sight("a run of 10,000 nodes", f"{shop.PLACE}/executions/wide", ".brow .btook", 1.5),
    )


def _time(browser: Browser, server: Server, sights: tuple[Sight, ...]) -> None:
    context = browser.new_context(viewport=seeing.SIZE)
    seen: dict[str, list[tuple[float, float]]] = {sight.what: [] for sight in sights}
    for _ in range(ROUNDS + 1):
        for sight in sights:
            page = context.new_page()
            script = _SEEN.replace("SELECTOR", repr(sight.selector)).replace("PLAIN", str(sight.plain).lower())
            page.add_init_script(script)
            page.goto(f"http://{server.address}{sight.path}")
            page.wait_for_function("() => window.benchUsed")
            told = page.evaluate("() => [window.benchSeen, window.benchUsed]")
            seen[sight.what].append((told[0] / 1000, told[1] / 1000))
            page.close()
    for sight in sights:
        first, *others = seen[sight.what]
        content, use = (statistics.median(one[at] for one in others) for at in (0, 1))
        worst = max(one[1] for one in others)
        target = f"target {sight.target_seconds} s; " if sight.target_seconds else ""
        tell(
            sight.what,
            content,
            "s",
            f"{target}to be used {use:.2f} s, worst {worst:.2f} s, first load {first[1]:.2f} s",
        )
    context.close()


def _weigh(browser: Browser, server: Server, sight: Sight) -> None:
    """Tell what the server holds for each open page."""
    context = browser.new_context(viewport=seeing.SIZE)
    for at in range(OPEN_PAGES + 1):
        if at == 1:  # The first one loads what all share.
            before = _megabytes(server)
        page = context.new_page()
        page.goto(f"http://{server.address}{sight.path}")
        page.locator(sight.selector).first.wait_for()
        page.wait_for_function("() => window.did_handshake")
    each = (_megabytes(server) - before) / OPEN_PAGES
    tell(f"{sight.what}, open", each, "MB", f"of the server's memory for each of {OPEN_PAGES} pages")
    context.close()


def _megabytes(server: Server) -> float:
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
