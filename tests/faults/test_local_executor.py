"""Everything that can die is killed; then the host is searched for what is left. Real processes, no clock."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly.executors.local import leftovers, records
from dayfly.executors.local.forked import processes
from tests.contract import groups
from tests.contract.groups import command, main_role, role


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[groups.Host]:
    made = groups.Host(tmp_path)
    yield made
    await made.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


def started(host: groups.Host, key: str) -> records.Started:
    found = records.Record(host.data / "run" / "groups", key).find_started()
    assert found is not None
    return found


def server_of(host: groups.Host, key: str) -> int:
    return processes.stat(started(host, key).pid)[1]


async def assert_clean(host: groups.Host, key: str, *pids: int) -> None:
    """Look at processes, ports and files: nothing of the group is left, once it is forgotten."""
    for pid in pids:
        await groups.until_gone(lambda pid=pid: processes.start_ticks(pid))
    left = await host.groups.leftovers(key)
    assert not [name for name in left if not name.startswith("folder")], left
    await host.groups.forget(key)
    assert await host.groups.leftovers(key) == []


def cluster(host: groups.Host, key: str, **rest: object) -> groups.GroupSpec:
    return host.spec(
        key,
        role("scheduler", "scheduler", essential=True),
        role("worker-0", "worker", restart=True, wait_for=("scheduler_address",)),
        role("worker-1", "worker", restart=True, wait_for=("scheduler_address",)),
        main_role(
            "driver",
            wait_for=("quorum",),
            env={"SCHEDULER": "{fact:scheduler_address}"},
            arguments={"stay": True, "rounds": 50},
        ),
        quorum_fact="quorum",
        quorum=2,
        **rest,
    )


async def test_kill_driver(host: groups.Host) -> None:
    await host.groups.start(cluster(host, "a"))
    driver = int(str(await host.fact("a", "driver_pid")))
    scheduler = int(str(host.seen[-1].facts["scheduler_pid"]))
    os.kill(driver, signal.SIGKILL)
    report = await host.ended("a")
    assert (report.end, report.role, report.signal) == ("exited", "driver", signal.SIGKILL)
    await assert_clean(host, "a", driver, scheduler)


async def test_kill_essential_role(host: groups.Host) -> None:
    await host.groups.start(cluster(host, "a"))
    driver = int(str(await host.fact("a", "driver_pid")))
    os.kill(int(str(host.seen[-1].facts["scheduler_pid"])), signal.SIGKILL)
    report = await host.ended("a")
    assert (report.end, report.role, report.signal) == ("essential_lost", "scheduler", signal.SIGKILL)
    assert report.message == "scheduler was killed by SIGKILL (9)"
    await assert_clean(host, "a", driver)


async def test_a_killed_worker_is_made_anew_within_its_limit(host: groups.Host) -> None:
    await host.groups.start(cluster(host, "a", restart_limit=1))
    await host.fact("a", "driver_pid")
    first = int(str(host.seen[-1].facts["worker-1_pid"]))
    os.kill(first, signal.SIGKILL)
    report = await host.until("a", lambda report: report.facts.get("worker-1_pid", first) != first)
    assert report.reason == "worker-1 was killed by SIGKILL (9); it is made anew (number 1)"
    assert "restarted 1" in host.log("a", "worker-1")
    os.kill(int(str(report.facts["worker-1_pid"])), signal.SIGKILL)
    report = await host.ended("a")
    assert (report.end, report.role) == ("restarts_exhausted", "worker-1")
    await assert_clean(host, "a")


async def test_workers_that_end_as_they_begin_are_soon_given_up(host: groups.Host) -> None:
    limits = {"restart_limit": 100, "stillborn_limit": 2}
    stillborn = role("worker-0", "exit_with", arguments={"code": 3}, restart=True)
    waits = main_role("driver", wait_for=("quorum",))
    await host.groups.start(host.spec("a", stillborn, waits, quorum_fact="quorum", quorum=1, **limits))
    report = await host.ended("a")
    assert (report.end, report.role, report.exit_code) == ("restarts_exhausted", "worker-0", 3)
    assert report.message == "worker-0 ended with exit code 3; it was the end number 3, and 2 are allowed"
    await assert_clean(host, "a")


async def test_one_worker_that_has_been_ready_is_proof_that_others_may_be(host: groups.Host) -> None:
    await host.groups.start(cluster(host, "a", restart_limit=100, stillborn_limit=1))
    await host.fact("a", "driver_pid")
    for _ in range(2):
        last = int(str(host.seen[-1].facts["worker-1_pid"]))
        os.kill(last, signal.SIGKILL)
        await host.until("a", lambda report, last=last: report.facts.get("worker-1_pid", last) != last)
    await host.groups.stop("a", grace_seconds=0)
    assert (await host.ended("a")).end == "stopped"


async def test_kill_supervisor(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("daemonize", arguments={"stay": True})))
    await host.groups.start(host.spec("bystander", main_role("sleep")))
    bystander = int(str(await host.fact("bystander", "pid")))
    daemon, port = await host.fact("a", "daemon")  # type: ignore[misc]
    os.kill(started(host, "a").pid, signal.SIGKILL)
    report = await host.ended("a")
    assert (report.end, report.message) == ("lost", "its supervisor was killed")
    assert processes.stat(bystander)[0] not in "ZX"
    await assert_clean(host, "a", daemon)
    assert port not in leftovers.find_ports([int(name) for name in os.listdir("/proc") if name.isdigit()])


async def test_a_supervisor_that_is_stuck_is_killed_when_its_group_is_to_end(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, overdue_seconds=0.2)
    await host.groups.start(cluster(host, "a"))
    driver = int(str(await host.fact("a", "driver_pid")))
    os.kill(started(host, "a").pid, signal.SIGSTOP)
    await host.groups.stop("a", grace_seconds=0.1)
    report = await host.ended("a")
    assert (report.end, report.message) == ("lost", "its supervisor was killed")
    await assert_clean(host, "a", driver)
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_kill_fork_server(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("daemonize", arguments={"stay": True})))
    await host.groups.start(cluster(host, "b"))
    await host.fact("b", "driver_pid")
    daemon, _ = await host.fact("a", "daemon")  # type: ignore[misc]
    driver = int(str(await host.fact("a", "pid")))
    os.kill(server_of(host, "a"), signal.SIGKILL)
    for key in ("a", "b"):
        report = await host.ended(key)
        assert (report.end, report.message) == ("lost", "its fork server was killed")
    await assert_clean(host, "a", daemon, driver)
    await assert_clean(host, "b")
    await host.groups.start(host.spec("c", main_role("succeed")))
    assert (await host.ended("c")).end == "exited"


async def test_kill_fork_server_and_supervisor_at_once(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("daemonize", arguments={"stay": True})))
    daemon, _ = await host.fact("a", "daemon")  # type: ignore[misc]
    supervisor, server = started(host, "a").pid, server_of(host, "a")
    os.kill(server, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)
    report = await host.ended("a")
    assert (report.end, report.message) == ("lost", "its fork server was killed")
    await assert_clean(host, "a", daemon)


async def test_a_daemon_does_not_outlive_its_task(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("daemonize")))
    report = await host.ended("a")
    assert (report.end, report.exit_code) == ("exited", 0)
    daemon, _ = report.facts["daemon"]  # type: ignore[misc]
    await assert_clean(host, "a", daemon)


async def test_background_commands_of_a_shell_end_with_it(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", command("sh", "-c", "sleep 1000 & setsid sleep 1000 & echo done")))
    assert (await host.ended("a")).exit_code == 0
    await assert_clean(host, "a")


async def test_memory_bomb(host: groups.Host) -> None:
    limit = 120 * 1024 * 1024
    await host.groups.start(host.spec("a", main_role("bomb", memory_limit_bytes=limit)))
    report = await host.ended("a")
    assert (report.end, report.role, report.signal) == ("oom", "driver", signal.SIGKILL)
    assert report.peak_memory_bytes > limit
    assert "its limit is 120 MiB" in report.message
    await assert_clean(host, "a")


async def test_memory_bomb_in_the_child_of_a_worker(host: groups.Host) -> None:
    limit = 120 * 1024 * 1024
    bomb = role("worker-0", "bomb_in_child", memory_limit_bytes=limit, restart=True)
    await host.groups.start(host.spec("a", bomb, main_role("sleep")))
    assert await host.fact("a", "again") == 1
    assert "worker-0 held" in host.seen[-1].reason
    await host.groups.stop("a", grace_seconds=0)
    assert (await host.ended("a")).end == "stopped"
    await assert_clean(host, "a")


async def test_lost_platform_comes_back_within_the_lease(host: groups.Host) -> None:
    await host.groups.start(cluster(host, "a"))
    await host.fact("a", "driver_pid")
    await host.groups.start(host.spec("b", main_role("sleep")))
    task = int(str(await host.fact("b", "pid")))
    await host.restart()
    report = await host.groups.recover("a")
    assert report is not None
    assert (report.state, report.facts["quorum"]) == ("running", 2)
    await host.groups.stop("b", grace_seconds=0)
    assert (await host.ended("b")).end == "stopped"
    os.kill(int(str(report.facts["driver_pid"])), signal.SIGTERM)
    report = await host.ended("a")
    assert (report.end, report.signal) == ("exited", signal.SIGTERM)
    await assert_clean(host, "a", task)


async def test_a_task_that_ends_without_a_platform_is_found_ended(host: groups.Host) -> None:
    gate = host.data / "gate"
    os.mkfifo(gate)
    await host.groups.start(host.spec("a", command("sh", "-c", f"read line < {gate}; exit 4")))
    await host.until("a", lambda report: report.state == "running")
    await host.restart()
    writer = await asyncio.to_thread(os.open, gate, os.O_WRONLY)
    os.close(writer)
    await groups.until_gone(lambda: not (host.record("a") / "end.json").exists())
    report = await host.groups.recover("a")
    assert report is not None
    assert (report.state, report.end, report.exit_code) == ("ended", "exited", 4)


async def test_no_platform_comes_back(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, lease_seconds=0.3, grace_seconds=0.1)
    await host.groups.start(host.spec("a", main_role("daemonize", arguments={"stay": True})))
    await host.groups.start(host.spec("stubborn", main_role("stay")))
    await host.fact("stubborn", "pid")
    daemon, _ = await host.fact("a", "daemon")  # type: ignore[misc]
    await host.groups.abandon()
    await groups.until_gone(lambda: groups.of(tmp_path))
    await groups.until_gone(lambda: processes.start_ticks(daemon))
    await host.restart()
    for key in ("a", "stubborn"):
        report = await host.groups.recover(key)
        assert report is not None
        assert (report.end, report.message) == ("interrupted", "no platform came back within the lease of 0.3 s")
        await assert_clean(host, key)


async def test_spec_on_disk_but_never_started(host: groups.Host) -> None:
    """The platform was killed between writing what is asked for and asking for it."""
    spec = host.spec("a", main_role("succeed"))
    records.Record(host.data / "run" / "groups", "a").write_spec(spec)
    report = await host.groups.recover("a")
    assert report is not None
    assert report.state in ("queued", "starting")
    assert (await host.ended("a")).end == "exited"


async def test_everything_was_killed_while_no_platform_looked(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("daemonize", arguments={"stay": True})))
    daemon, _ = await host.fact("a", "daemon")  # type: ignore[misc]
    supervisor, server = started(host, "a").pid, server_of(host, "a")
    await host.restart()
    os.kill(server, signal.SIGSTOP)
    os.kill(supervisor, signal.SIGKILL)
    os.kill(server, signal.SIGKILL)
    report = await host.groups.recover("a")
    assert report is not None
    assert (report.state, report.end) == ("ended", "lost")
    await assert_clean(host, "a", daemon)


async def test_a_server_that_goes_before_it_reads_the_order(host: groups.Host) -> None:
    await host.groups.start(host.spec("first", main_role("sleep")))
    await host.fact("first", "pid")
    server = server_of(host, "first")
    os.kill(server, signal.SIGSTOP)
    await host.groups.start(host.spec("a", main_role("succeed")))
    os.kill(server, signal.SIGKILL)
    assert (await host.ended("a")).end == "exited"
    assert (await host.ended("first")).end == "lost"
