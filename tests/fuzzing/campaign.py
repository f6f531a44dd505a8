"""How long a campaign is, and what every one of them holds an answer to.

`make test` sends some requests, always the same ones; `DAYFLY_FUZZ_CALLS=50000` makes a campaign of it, other ones each
time.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, settings

CAMPAIGN = int(os.environ.get("DAYFLY_FUZZ_CALLS", "0"))
"""Calls that were asked for; 0 in `make test`."""

SECONDS = 10.0
"""Whatever takes longer hangs."""

MEMORY_BYTES = 300 * 1024 * 1024
"""What the server may hold more after all of them than after the first: caches, not leaks."""


def share(kinds: int, otherwise: int) -> int:
    """Return how many calls each of so many kinds makes; `otherwise` where no campaign was asked for."""
    return -(-CAMPAIGN // kinds) or otherwise


def every(count: int):
    """Return settings for that many examples: in `make test` always the same ones."""
    return settings(
        max_examples=count,
        derandomize=not CAMPAIGN,
        database=None,
        deadline=None,
        report_multiple_bugs=False,
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )


def tell(config: pytest.Config, text: str) -> None:
    """Write a line into pytest's report, from wherever its output is captured."""
    reporter, capturing = (config.pluginmanager.get_plugin(name) for name in ("terminalreporter", "capturemanager"))
    if reporter is not None and capturing is not None:
        with capturing.global_and_fixture_disabled():
            reporter.write_line(f"\n{text}")
