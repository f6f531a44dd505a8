"""What stands by after a group has ended: the next takes it over, or nobody, and nothing is left of it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from dayfly.executors.local import records
from dayfly.executors.local.forked import processes
from dayfly.ports.process_groups import GroupReport, GroupSpec, Standby
from tests.contract import groups
from tests.contract.groups import main_role, role


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[groups.Host]:
    made = groups.Host(tmp_path)
    yield made
    await made.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))
    assert not standing_folders(made)


def spec(host: groups.Host, key: str, *, stands_for: str = "same", seconds: float = 60, **rest: object) -> GroupSpec:
    """Return a group of two workers, which may take over what stands by for `stands_for`, and stands by for it."""
    arguments = rest.pop("arguments", {})
    names = ("worker-0", "worker-1")
    own = [role(name, "heed", restart=True, env={"WHOSE": key}, arguments={"number": 1}) for name in names]
    fresh = tuple(role(name, "heed", restart=True, arguments={"standing": True}) for name in names)
    main = main_role("look_around", wait_for=("quorum",), env={"WHOSE": key}, arguments=arguments)
    standby = Standby(stands_for, seconds, fresh)
    return host.spec(key, *own, main, quorum_fact="quorum", quorum=2, standby=standby, **rest)


def standing_folders(host: groups.Host) -> list[Path]:
    """Return the folders that belong to what stands by; those of what has been taken over are other groups'."""
    started = [json.loads(file.read_text()) for file in (host.data / "run" / "groups").glob("*/started.json")]
    taken = {folder for one in started for folder in one["folders"]}
    return [folder for folder in (host.data / "run" / "standby").glob("*") if str(folder) not in taken]


def supervisor(host: groups.Host) -> int:
    """Return the supervisor of the one group that stands by."""
    (folder,) = standing_folders(host)
    started = records.Record(folder.parent, folder.name).find_started()
    assert started is not None
    return started.pid


async def run(host: groups.Host, key: str, **rest: object) -> GroupReport:
    await host.groups.start(spec(host, key, **rest))
    report = await host.ended(key)
    assert (report.end, report.exit_code) == ("exited", 0), report
    assert host.log(key).count("found") == 1, "it has run once"
    return report


async def until_standing(host: groups.Host, count: int = 1) -> None:
    async def look() -> None:
        while len(host.groups.list_standing()) < count:  # noqa: ASYNC110 - a wait for the host, not for its word
            await asyncio.sleep(0.01)

    await asyncio.wait_for(look(), groups.PATIENCE_SECONDS)


async def until_gone(host: groups.Host) -> None:
    await groups.until_gone(lambda: host.groups.list_standing() or standing_folders(host))


async def test_the_next_that_asks_for_the_same_takes_over(host: groups.Host) -> None:
    assert "stood_by" not in (await run(host, "a")).facts
    await host.groups.forget("a")
    await until_standing(host)
    before = [pid for pid in groups.of(host.data) if processes.command(pid).startswith("dayfly:worker")]
    report = await run(host, "b")
    assert report.facts["stood_by"] is True
    assert sorted([report.facts["worker-0_pid"], report.facts["worker-1_pid"]]) == sorted(before)
    assert "found\n" in host.log("b"), "nothing of the first lies there"
    for name in ("worker-0", "worker-1"):
        assert host.log("b", name) == f"{name} of b 1\n"
    assert set(report.facts["peak_memory_bytes"]) == {"worker-0", "worker-1", "driver"}
    assert await host.groups.leftovers("b") != []
    place = next(line[3:] for line in host.log("b").splitlines() if line.startswith("at "))
    assert os.path.exists(place)
    await host.groups.forget("b")
    assert await host.groups.leftovers("b") == []
    assert not os.path.exists(place)
    await until_standing(host)
    assert (await run(host, "c")).facts["stood_by"] is True


async def test_one_that_asks_for_something_else_does_not(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    assert "stood_by" not in (await run(host, "b", stands_for="other")).facts
    await until_standing(host, 2)
    await host.groups.start(host.spec("c", main_role("succeed")))
    assert "stood_by" not in (await host.ended("c")).facts


async def test_only_a_few_stand_by_the_oldest_goes_first(host: groups.Host) -> None:
    for name in "abcde":
        await run(host, name, stands_for=name)
    await until_standing(host, 4)
    await groups.until_gone(lambda: len(standing_folders(host)) > 4)
    assert (await run(host, "late", stands_for="b")).facts["stood_by"] is True
    assert "stood_by" not in (await run(host, "later", stands_for="a")).facts


async def test_it_goes_when_its_time_is_over(host: groups.Host) -> None:
    await run(host, "a", seconds=0.05)
    await host.groups.forget("a")
    await until_gone(host)
    await groups.until_gone(lambda: [pid for pid in groups.of(host.data) if "worker" in processes.command(pid)])
    assert "stood_by" not in (await run(host, "b")).facts


async def test_its_end_and_the_next_group_may_meet(host: groups.Host) -> None:
    """Whichever comes first, the group runs once."""
    for number in range(12):
        await run(host, f"first{number}", seconds=0.25)
        await asyncio.sleep(0.2 + 0.01 * number)
        await run(host, f"second{number}", seconds=0.01)
        await until_gone(host)


async def test_it_gives_way_to_whoever_needs_the_room(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=2.0, cpu_overcommit=1.0)
    await run(host, "a", cpu_request=1)
    await until_standing(host)
    await host.groups.start(host.spec("b", main_role("sleep"), cpu_request=1))
    await host.fact("b", "pid")
    assert host.groups.list_standing(), "there is room for both"
    room = host.groups.room()
    assert (room.inside, room.cpus_used, room.standing, room.waiting) == (1, 1.0, 1, 0)
    await host.groups.start(host.spec("c", main_role("succeed"), cpu_request=1))
    assert host.groups.list_standing() == []
    assert host.groups.room().standing == 0
    assert (await host.ended("c")).exit_code == 0
    assert not [each for each in host.seen if each.key == "c" and each.reason], "it never waited"
    await until_gone(host)
    await host.groups.stop("b", grace_seconds=0)
    await run(host, "d", cpu_request=2)
    await until_standing(host)
    assert (await run(host, "e", cpu_request=2)).facts["stood_by"] is True, "what needs its room may have it"
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_nothing_stands_by_where_others_wait(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=2.0, cpu_overcommit=1.0)
    await host.groups.start(host.spec("long", main_role("sleep"), cpu_request=1))
    await host.groups.start(host.spec("large", main_role("succeed"), cpu_request=2))
    await run(host, "a", cpu_request=1)
    assert standing_folders(host) == []
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


@pytest.mark.parametrize("victim", ["worker", "supervisor", "server"])
async def test_killing_what_stands_by_leaves_nothing(host: groups.Host, victim: str) -> None:
    await run(host, "a")
    await host.groups.forget("a")
    await until_standing(host)
    watcher = supervisor(host)
    worker = next(pid for pid in groups.of(host.data) if processes.command(pid) == "dayfly:worker-1")
    server = processes.stat(watcher)[1]
    os.kill({"worker": worker, "supervisor": watcher, "server": server}[victim], signal.SIGKILL)
    await until_gone(host)
    await groups.until_gone(lambda: [pid for pid in groups.of(host.data) if "worker" in processes.command(pid)])
    assert "stood_by" not in (await run(host, "b")).facts


async def test_killing_all_who_know_of_it_leaves_nothing_that_the_next_platform_finds(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    watcher = supervisor(host)
    server = processes.stat(watcher)[1]
    os.kill(watcher, signal.SIGSTOP)
    await host.groups.abandon()
    os.kill(server, signal.SIGKILL)
    os.kill(watcher, signal.SIGKILL)
    await groups.until_gone(lambda: groups.of(host.data))
    assert standing_folders(host)
    await host.restart()
    assert not standing_folders(host)


async def test_it_ends_with_its_platform(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, lease_seconds=10 * groups.PATIENCE_SECONDS)
    await run(host, "a")
    await until_standing(host)
    await host.restart()
    await groups.until_gone(lambda: standing_folders(host))
    assert "stood_by" not in (await run(host, "b")).facts
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


@pytest.mark.parametrize("victim", ["supervisor", "server", "both"])
async def test_one_that_is_killed_before_it_takes_a_group_is_no_loss(host: groups.Host, victim: str) -> None:
    await run(host, "a")
    await until_standing(host)
    watcher = supervisor(host)
    server = processes.stat(watcher)[1]
    os.kill(watcher, signal.SIGSTOP)
    await host.groups.start(spec(host, "b"))
    await asyncio.sleep(0)
    for pid in {"supervisor": [watcher], "server": [server], "both": [server, watcher]}[victim]:
        os.kill(pid, signal.SIGKILL)
    if victim == "server":
        os.kill(watcher, signal.SIGCONT)
    report = await host.ended("b")
    if victim == "server" and report.end == "lost":  # it has read the order before it saw that its server is gone
        assert host.log("b").count("found") <= 1
    else:
        assert (report.end, report.exit_code) == ("exited", 0), report
        assert "stood_by" not in report.facts
        assert host.log("b").count("found") == 1
    await host.groups.forget("b")
    assert await host.groups.leftovers("b") == []


async def test_logs_that_cannot_be_moved_to_the_next_group(host: groups.Host) -> None:
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == host.data.stat().st_dev:
        pytest.skip("all is on one disk here")
    with tempfile.TemporaryDirectory(dir=elsewhere) as logs:
        await run(host, "a")
        await until_standing(host)
        await host.groups.start(msgspec.structs.replace(spec(host, "b"), log_dir=f"{logs}/b"))
        report = await host.ended("b")
        assert (report.end, report.exit_code, "stood_by" in report.facts) == ("exited", 0, False), report
        assert Path(logs, "b", "driver.log").read_text().count("found") == 1


async def test_a_group_is_stopped_while_it_takes_over(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    watcher = supervisor(host)
    os.kill(watcher, signal.SIGSTOP)
    await host.groups.start(spec(host, "b", arguments={"stay": True}))
    await host.groups.stop("b", grace_seconds=0)
    os.kill(watcher, signal.SIGKILL)
    assert (await host.ended("b")).end == "stopped"


async def test_a_supervisor_that_is_killed_takes_its_new_group_with_it(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    watcher = supervisor(host)
    await host.groups.start(spec(host, "b", arguments={"stay": True}))
    await host.fact("b", "driver_pid")
    os.kill(watcher, signal.SIGKILL)
    report = await host.ended("b")
    assert (report.end, report.message) == ("lost", "its supervisor was killed")
    await host.groups.forget("b")
    assert await host.groups.leftovers("b") == []


async def test_a_worker_that_is_made_anew_knows_whose_it_is(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    await host.groups.start(spec(host, "b", arguments={"stay": True}))
    await host.fact("b", "driver_pid")
    first = int(str(await host.fact("b", "worker-0_pid")))
    os.kill(first, signal.SIGKILL)
    await host.until("b", lambda report: report.facts["worker-0_pid"] != first)
    await groups.until_gone(lambda: host.log("b", "worker-0").count("of b") < 2)
    await host.groups.stop("b", grace_seconds=0)
    assert (await host.ended("b")).end == "stopped"


async def test_a_worker_that_dies_as_it_is_taken_over_is_made_anew(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    watcher = supervisor(host)
    os.kill(watcher, signal.SIGSTOP)
    worker = next(pid for pid in groups.of(host.data) if processes.command(pid) == "dayfly:worker-1")
    await host.groups.start(spec(host, "b", arguments={"stay": True}))
    os.kill(worker, signal.SIGKILL)
    os.kill(watcher, signal.SIGCONT)
    await host.fact("b", "driver_pid")
    await host.groups.stop("b", grace_seconds=0)
    assert (await host.ended("b")).end == "stopped"


async def test_the_next_platform_takes_back_what_was_taken_over(host: groups.Host) -> None:
    await run(host, "a")
    await until_standing(host)
    await host.groups.start(spec(host, "b", arguments={"stay": True}))
    await host.fact("b", "driver_pid")
    await host.restart()
    report = await host.groups.recover("b")
    assert report is not None
    assert (report.state, report.facts["stood_by"]) == ("running", True)
    (folder,) = (host.data / "run" / "standby").glob("*")
    assert host.log("b", "worker-1") == "worker-1 of b 1\n"
    assert standing_folders(host) == [], "it is the group's own by now"
    await host.groups.stop("b", grace_seconds=0)
    assert (await host.ended("b")).end == "stopped"
    await until_standing(host)
    await host.groups.forget("b")
    assert await host.groups.leftovers("b") == []
    assert not folder.exists()
