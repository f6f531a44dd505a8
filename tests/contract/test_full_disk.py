"""Groups whose end cannot be written, since the disk is full, are told of all the same, and nobody dies of it."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly.base import errors
from tests.contract import groups

FULL = "/dev/full"
"""Opens like a file, and has no space left for anything that is written to it."""


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[groups.Host]:
    host = groups.Host(tmp_path)
    yield host
    await host.groups.close(grace_seconds=0)


async def start(host: groups.Host, key: str) -> tuple[int, int]:
    """Start a group that stays; return its supervisor's process id, and its fork server's."""
    await host.groups.start(host.spec(key, groups.main_role("stay"), cpu_request=1.0))
    await host.fact(key, "pid")
    supervisor = json.loads((host.record(key) / "started.json").read_bytes())["pid"]
    return supervisor, int(Path(f"/proc/{supervisor}/stat").read_text().rpartition(")")[2].split()[1])


async def test_a_supervisor_tells_the_end(host: groups.Host) -> None:
    supervisor, _ = await start(host, "a")
    (host.record("a") / f"end.json.{supervisor}").symlink_to(FULL)
    await host.groups.stop("a", grace_seconds=0.1)
    assert (await host.ended("a")).end == "stopped"
    assert not (host.record("a") / "end.json").exists()


async def test_a_fork_server_lives_on(host: groups.Host) -> None:
    supervisor, server = await start(host, "a")
    (host.record("a") / f"end.json.{server}").symlink_to(FULL)
    os.kill(supervisor, signal.SIGKILL)
    assert (await host.ended("a")).end == "lost"
    assert (await start(host, "b"))[1] == server


async def test_the_platform_tells_what_it_had_to_end_itself(host: groups.Host) -> None:
    supervisor, server = await start(host, "a")
    (host.record("a") / f"end.json.{supervisor}").symlink_to(FULL)
    (host.record("a") / "end.json.new").symlink_to(FULL)
    os.kill(server, signal.SIGKILL)
    assert (await host.ended("a")).end == "lost"


async def test_what_has_not_begun_is_stopped_once_there_is_space(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=1.0, cpu_overcommit=1.0)
    await start(host, "first")
    await host.groups.start(host.spec("second", groups.main_role("stay"), cpu_request=1.0))
    full = host.record("second") / "started.none"
    full.symlink_to(FULL)
    with pytest.raises(errors.ExecutorUnavailable, match="Free some space"):
        await host.groups.stop("second", grace_seconds=0)
    full.unlink()
    await host.groups.stop("second", grace_seconds=0)
    assert (await host.ended("second")).end == "stopped"
    await host.groups.close(grace_seconds=0)
