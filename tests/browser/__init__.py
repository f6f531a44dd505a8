"""The console in a real browser, against a real platform with real runs."""

import pytest

pytest.register_assert_rewrite("tests.browser.panels", "tests.browser.seeing", "tests.browser.shop")
