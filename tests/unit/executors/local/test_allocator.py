"""What the allocator's variables say is done in a process that has long started."""

from __future__ import annotations

import subprocess
import sys

import pytest

HOLDS_AND_FREES = """
from dayfly.executors.local.forked import allocator, processes
import os
allocator.heed({variables})
large = bytearray(24 << 20)  # Freed, it has glibc keep as much for itself from then on.
del large
blocks = [bytearray(1 << 20) for _ in range(32)]
del blocks
print(processes.tree_memory(os.getpid(), 0) >> 20)
"""


def held_mib(variables: dict[str, str]) -> int:
    program = HOLDS_AND_FREES.format(variables=variables)
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return int(told.stdout)


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"])
def test_what_is_freed_goes_back(name: str) -> None:
    assert held_mib({name: "65536"}) <= held_mib({}) - 24


@pytest.mark.parametrize("value", ["", "no", "-1", "1e3", "²"])
def test_what_is_no_number_is_passed_over(value: str) -> None:
    assert held_mib({"MALLOC_TRIM_THRESHOLD_": value}) >= held_mib({"MALLOC_TRIM_THRESHOLD_": "65536"}) + 24
