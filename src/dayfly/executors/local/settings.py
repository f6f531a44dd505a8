"""What can be set about local processes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class LocalSettings:
    """Local processes. Read once by the assembly."""

    data: Path
    """The platform's data folder: records below `run/`, logs below `logs/`, unpacked code below `cache/`."""
    public_url: str = "http://127.0.0.1:30080"
    """Where people reach the platform: log links begin with it."""
    lease_seconds: float = 60.0
    """How long processes go on without a platform, after which they are ended."""
    grace_seconds: float = 10.0
    """What tasks get to end by themselves when the lease is over."""
    overdue_seconds: float = 15.0
    """Beyond the grace, after which a supervisor is killed that has not ended its group: more than it takes to kill."""
    idle_seconds: float = 1800.0
    """After how long without work a fork server goes, that has libraries loaded only."""
    idle_version_seconds: float = 600.0
    """The same for one that has a version's user modules loaded."""
    preload_timeout_seconds: float = 120.0
    """How long importing may take; user modules that take longer are imported by each attempt instead."""
    cpus: float | None = None
    """Cores to give away; None is all that the host has."""
    memory_bytes: int | None = None
    """Memory to give away; None is the host's less `memory_reserve_bytes`."""
    memory_reserve_bytes: int = 1024**3
    """Kept for the system and the platform; never more than a fifth of the host's memory."""
    cpu_overcommit: float = 2.0
    """How often each core is given away: tasks wait for the network and for disks more than they compute."""
    default_cpu: float = 0.25
    """Cores that a task counts for that asks for none."""
    max_log_bytes: int = 0
    """What the log of one process may take on the disk; 0 is no limit."""
    strict_resources: bool = False
    """Fail what asks for more than the host has, instead of giving it the whole host."""
