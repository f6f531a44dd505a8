"""What attempts count for: what they ask for, else little, and never so much that cores stay idle for it."""

from __future__ import annotations

from pathlib import Path

import msgspec

from dayfly.executors.local import counting
from dayfly.executors.local.settings import LocalSettings
from tests.contract.test_executors import make_spec

GIBI = 2**30


def test_what_is_asked_for_counts() -> None:
    spec = make_spec("x", cpu_request=2.0, memory_request_bytes=GIBI, assumed_cpu=0.5, assumed_memory_bytes=GIBI)
    host = LocalSettings(Path(), cpus=2.0, memory_bytes=4 * GIBI)
    assert counting.count(spec, host) == (2.0, GIBI)
    limited = msgspec.structs.replace(
        spec, cpu_request=0.0, cpu_limit=1.0, memory_request_bytes=0, memory_limit_bytes=7
    )
    assert counting.count(limited, host) == (1.0, 7)


def test_what_nobody_asked_for_never_keeps_a_small_host_idle() -> None:
    spec = make_spec("x", assumed_cpu=0.5, assumed_memory_bytes=GIBI)
    small, large = (LocalSettings(Path(), cpus=2.0, memory_bytes=size * GIBI) for size in (2, 64))
    cpu, memory = counting.count(spec, small)
    assert (cpu, memory) == (0.25, GIBI // 8)
    assert int(small.memory_bytes / memory) >= int(2.0 * small.cpu_overcommit / cpu)
    assert counting.count(spec, large) == (0.25, GIBI)
    assert counting.count(spec, LocalSettings(Path())) == (0.25, 0)
