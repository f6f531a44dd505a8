"""Hooks for tests that share servers: one that has failed leaves nothing to the next. A `conftest.py` imports them.

On a real Kubernetes only `pytest_runtest_makereport` is of use: what a platform has begun there goes on without it.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

_FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "setup" or report.failed:
        item.stash[_FAILED] = report.failed
    return report


def has_failed(item: pytest.Item) -> bool:
    """Say whether a test, or what it needs, has failed, once that is over."""
    return item.stash.get(_FAILED, False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """End what a failed test shared with others, servers above all: they, and another try, get it made anew.

    Else a try finds the names of its runs taken, the files that it waits for made, and whatever has broken.
    """
    if has_failed(item):
        item.session._setupstate.teardown_exact(None)
