"""A real platform with runs of every kind, shared by all browser tests of one process, and a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser import seeing
from tests.browser.seeing import Eyes
from tests.browser.shop import Shop
from tests.platforms.server import Server
from tests.platforms.trying_again import pytest_runtest_makereport, pytest_runtest_teardown

__all__ = ["pytest_runtest_makereport", "pytest_runtest_teardown"]

# A cluster that begins on a busy machine takes its time.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with seeing.browser() as started:
        yield started


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder: Path = tmp_path_factory.mktemp("shop")
    with Server(folder / "data") as server:
        yield Shop(server, folder)


@pytest.fixture
def eyes(browser: Browser, shop: Shop) -> Iterator[Eyes]:
    looking = Eyes(browser, shop.url)
    yield looking
    looking.close()
