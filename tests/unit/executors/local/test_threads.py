"""Threads go by the CPUs that are asked for, and nobody is told anything where that is all there are."""

from __future__ import annotations

import pytest

from dayfly.executors.local.forked import threads


@pytest.mark.parametrize(
    ("cpu_limit", "cores", "told"),
    [(0.0, 8, ""), (0.25, 8, "1"), (1.0, 2, "1"), (2.5, 8, "3"), (8.0, 8, ""), (16.0, 8, ""), (0.5, 1, "")],
)
def test_variables(cpu_limit: float, cores: int, told: str) -> None:
    assert threads.variables(cpu_limit, cores).get("OMP_NUM_THREADS", "") == told
