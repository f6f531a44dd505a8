"""What the console's pages may load."""

from __future__ import annotations

from dayfly.console import loading


def test_pages_connect_to_their_own_server_alone() -> None:
    rules = dict(rule.split(" ", 1) for rule in loading.POLICY.split("; "))
    assert rules["connect-src"] == rules["default-src"] == "'self'"
