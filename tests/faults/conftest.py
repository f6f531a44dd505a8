"""What tests of this kind have in common."""

from __future__ import annotations

from tests.platforms.trying_again import pytest_runtest_makereport, pytest_runtest_teardown

__all__ = ["pytest_runtest_makereport", "pytest_runtest_teardown"]
