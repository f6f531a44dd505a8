"""What every implementation of `ports.process_groups` keeps to; the local one is the only one so far."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly.base import errors
from dayfly.executors.local.forked import processes
from dayfly.ports import process_groups
from tests.contract import groups
from tests.contract.groups import command, main_role, role


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[groups.Host]:
    made = groups.Host(tmp_path)
    yield made
    await made.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


@pytest.mark.parametrize(
    ("made", "exit_code", "signal", "said"),
    [
        (main_role("succeed"), 0, None, "hello from driver"),
        (main_role("exit_with", arguments={"code": 3}), 3, None, "last words"),
        (main_role("fail"), 1, None, "ValueError: the task's own error"),
        (main_role("leave_threads"), 0, None, "unflushed\nlate thread\nexit handler"),
        (command("sh", "-c", "echo shell; exit 7"), 7, None, "shell"),
        (command("sh", "-c", "kill -9 $$"), None, 9, ""),
        (command("no-such-command"), 127, None, "there is no such command"),
        (command("/"), 126, None, "cannot be executed"),
    ],
)
async def test_an_exit_is_told_as_it_was(
    host: groups.Host, made: groups.Role, exit_code: int | None, signal: int | None, said: str
) -> None:
    await host.groups.start(host.spec("a", made))
    report = await host.ended("a")
    assert (report.end, report.role, report.exit_code, report.signal) == ("exited", "driver", exit_code, signal)
    assert said in host.log("a")
    assert report.peak_memory_bytes > 0


async def test_a_role_finds_a_process_of_its_own(host: groups.Host) -> None:
    shown = main_role("show", env={"MINE": "yes"})
    await asyncio.gather(*(host.groups.start(host.spec(key, shown)) for key in ("a/b", "a/c")))
    await host.ended("a/b")
    await host.ended("a/c")
    told = dict(line.split(" ", 1) for line in host.log("a/b").splitlines())
    other = dict(line.split(" ", 1) for line in host.log("a/c").splitlines())
    assert told["cwd"] == str(host.data / "work" / "a/b")
    assert told["stdin"] == told["group"] == "True"
    assert told["term"] == "True set()"
    assert told["env"] == f"yes {host.data / 'work' / 'a/b'} {Path(sys.executable).parent}"
    assert len(told["fds"].split(",")) == 5, "streams, its channel, and the folder it reads this from"
    assert told["random"] != other["random"]
    assert told["tmp"] != other["tmp"]
    await groups.until_gone(lambda: [path for path in (told["tmp"], other["tmp"]) if os.path.exists(path)])


async def test_facts_quorum_and_main(host: groups.Host) -> None:
    spec = host.spec(
        "a",
        role("scheduler", "scheduler", essential=True),
        *(role(f"worker-{number}", "worker", restart=True, wait_for=("scheduler_address",)) for number in range(3)),
        main_role("driver", wait_for=("quorum",), env={"SCHEDULER": "{fact:scheduler_address}"}),
        quorum_fact="quorum",
        quorum=3,
        startup_timeout_seconds=20,
    )
    await host.groups.start(spec)
    report = await host.ended("a")
    assert (report.end, report.exit_code) == ("exited", 0)
    assert report.facts["quorum"] == 3
    assert host.log("a") == "tcp://127.0.0.1:1 3\n"
    assert "restarted 0" in host.log("a", "worker-2")
    assert set(report.facts["peak_memory_bytes"]) == {"scheduler", "worker-0", "worker-1", "worker-2", "driver"}


async def test_the_last_figures_are_waited_for(host: groups.Host) -> None:
    scheduler = role("scheduler", "count", essential=True, last_fact="counted")
    silent = role("silent", "sleep", last_fact="never said")
    await host.groups.start(host.spec("a", scheduler, main_role("succeed", wait_for=("scheduler_address",))))
    await host.groups.start(host.spec("b", silent, main_role("succeed")))
    assert (await host.ended("a")).facts["progress"] == 2
    assert (await host.ended("b")).end == "exited"


async def test_a_main_role_may_end_the_others(host: groups.Host) -> None:
    spec = host.spec(
        "a",
        role("scheduler", "shut_down", essential=True),
        role("worker-0", "worker", restart=True),
        main_role("shut_cluster_down"),
    )
    await host.groups.start(spec)
    told = "scheduler ended as it was told to; nothing is made anew any more"
    report = await host.until("a", lambda report: report.reason == told)
    worker = int(str(report.facts["worker-0_pid"]))
    await groups.until_gone(lambda: processes.alive(worker, processes.start_ticks(worker)))
    Path(spec.working_dir, "go").touch()
    report = await host.ended("a")
    assert (report.end, report.role, report.exit_code) == ("exited", "driver", 0)


class Scaled:
    """A group with roles that run while they are wanted, and a way to say which are."""

    def __init__(self, host: groups.Host) -> None:
        self._host, self._times = host, 0
        self.spec = host.spec(
            "a",
            role("scheduler", "scale", essential=True),
            *(
                role(f"worker-{number}", "worker", restart=True, scaled=True, wait_for=("scheduler_address",))
                for number in range(3)
            ),
            main_role("tell_term", wait_for=("quorum",)),
            wanted_roles=("worker-0",),
            quorum_fact="quorum",
            quorum=1,
            startup_timeout_seconds=20,
            restart_limit=1,
        )

    def want(self, *names: str) -> None:
        folder = Path(self.spec.working_dir)
        (folder / "draft").write_text(" ".join(names))
        (folder / "draft").rename(folder / f"wanted-{self._times}")
        self._times += 1

    async def ready(self, *names: str, but: int = 0) -> int:
        """Wait until these have become ready; return the process of the last, which is not `but`."""

        def there(report: process_groups.GroupReport) -> bool:
            pids = [report.facts.get(f"{name}_pid") for name in names]
            return report.facts.get("wanted_roles") == list(names) and None not in pids and pids[-1] != but

        report = await self._host.until("a", there)
        return int(str(report.facts[f"{names[-1]}_pid"]))


async def test_scaled_roles_run_while_they_are_wanted(host: groups.Host) -> None:
    scaled = Scaled(host)
    await host.groups.start(scaled.spec)
    first = await scaled.ready("worker-0")
    running = await host.until("a", lambda report: report.state == "running")
    assert (running.facts["ready"], running.facts["begun_roles"]) == (["worker-0"], ["worker-0"])
    began = [0]
    for _ in range(3):
        scaled.want("worker-0", "worker-1")
        began.append(await scaled.ready("worker-0", "worker-1", but=began[-1]))
        scaled.want("worker-0")
        await groups.until_gone(lambda: processes.start_ticks(began[-1]))
    assert processes.start_ticks(first), "it was wanted all the time"
    await host.groups.stop("a", grace_seconds=groups.PATIENCE_SECONDS)
    report = await host.ended("a")
    assert (report.end, report.exit_code) == ("stopped", 0), "more came and went than restarts are allowed"
    assert "deaths" not in report.facts
    assert report.facts["begun_roles"] == ["worker-0", "worker-1"]
    assert set(report.facts["peak_memory_bytes"]) == {"scheduler", "worker-0", "worker-1", "driver"}
    assert [line.split()[1] for line in host.log("a", "worker-1").splitlines()] == ["0", "1", "2"]
    assert not [path.name for path in Path(scaled.spec.log_dir).iterdir() if path.name.startswith("worker-2")]


async def test_a_scaled_role_that_is_wanted_and_dies_is_made_anew(host: groups.Host) -> None:
    scaled = Scaled(host)
    await host.groups.start(scaled.spec)
    await scaled.ready("worker-0")
    scaled.want("worker-0", "worker-2")
    killed = await scaled.ready("worker-0", "worker-2")
    os.kill(killed, 9)
    anew = await scaled.ready("worker-0", "worker-2", but=killed)
    report = await host.until("a", lambda report: "deaths" in report.facts)
    assert [(death["role"], death["exit_code"]) for death in report.facts["deaths"]] == [("worker-2", -9)]
    scaled.want("worker-0")
    await groups.until_gone(lambda: processes.start_ticks(anew))
    await host.groups.stop("a", grace_seconds=groups.PATIENCE_SECONDS)
    report = await host.ended("a")
    assert len(report.facts["deaths"]) == 1


async def test_what_a_group_has_scaled_up_ends_with_it(host: groups.Host) -> None:
    scaled = Scaled(host)
    await host.groups.start(scaled.spec)
    await scaled.ready("worker-0")
    scaled.want("worker-0", "worker-1", "worker-2")
    last = await scaled.ready("worker-0", "worker-1", "worker-2")
    await host.restart()
    report = await host.groups.recover("a")
    assert report is not None
    assert report.facts["begun_roles"] == ["worker-0", "worker-1", "worker-2"]
    await host.groups.stop("a", grace_seconds=groups.PATIENCE_SECONDS)
    assert (await host.ended("a")).end == "stopped"
    await groups.until_gone(lambda: processes.start_ticks(last))
    await host.groups.forget("a")
    assert await host.groups.leftovers("a") == []


async def test_quorum_that_never_comes(host: groups.Host) -> None:
    waiting = main_role("driver", wait_for=("quorum",))
    spec = host.spec("a", waiting, quorum_fact="quorum", quorum=2, startup_timeout_seconds=0.2)
    await host.groups.start(spec)
    report = await host.ended("a")
    assert (report.end, report.message) == ("startup_timeout", "0 of 2 were ready after 0.2 s")


async def test_starting_twice_starts_once(host: groups.Host) -> None:
    spec = host.spec("a", command("sh", "-c", "echo once"))
    await asyncio.gather(*(host.groups.start(spec) for _ in range(3)))
    first = await host.ended("a")
    await host.restart()
    await host.groups.start(spec)
    assert await host.ended("a") == first
    assert host.log("a") == "once\n"


async def test_stop_gives_the_grace_and_then_kills(host: groups.Host) -> None:
    await host.groups.start(host.spec("polite", main_role("tell_term")))
    await host.groups.start(host.spec("stubborn", main_role("stay")))
    await host.fact("polite", "pid")
    await host.fact("stubborn", "pid")
    await host.groups.stop("polite", grace_seconds=groups.PATIENCE_SECONDS)
    await host.groups.stop("stubborn", grace_seconds=0.1)
    polite, stubborn = await host.ended("polite"), await host.ended("stubborn")
    assert (polite.end, polite.exit_code) == ("stopped", 0)
    assert (stubborn.end, stubborn.signal) == ("stopped", 9)
    assert "asked to end" in host.log("polite")
    await host.groups.stop("polite", grace_seconds=0)
    await host.groups.stop("unknown", grace_seconds=0)


async def test_a_full_host_queues_and_says_why(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=2.0, cpu_overcommit=1.0)
    await host.groups.start(host.spec("a", main_role("sleep"), cpu_request=1.5))
    await host.groups.start(host.spec("b", main_role("succeed"), cpu_request=2))
    await host.groups.start(host.spec("c", main_role("succeed"), cpu_request=0.5))
    assert (await host.ended("c")).end == "exited"
    waiting = await host.until("b", lambda report: bool(report.reason))
    assert (waiting.state, waiting.reason) == ("queued", "waiting for 2 of 2 CPUs: 1.5 in use")
    await host.until("a", lambda report: report.state == "running")
    await host.restart()
    recovered = [await host.groups.recover(key) for key in ("a", "b", "missing")]
    assert [report.state if report else None for report in recovered] == ["running", "queued", None]
    await host.groups.stop("a", grace_seconds=0)
    assert (await host.ended("b")).end == "exited"
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_stopping_what_is_queued(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=1.0, cpu_overcommit=1.0)
    await host.groups.start(host.spec("a", main_role("sleep"), cpu_request=1))
    await host.groups.start(host.spec("b", main_role("succeed"), cpu_request=1))
    await host.groups.stop("b", grace_seconds=5)
    assert (await host.ended("b")).end == "stopped"
    await host.groups.close(grace_seconds=0)
    assert (await host.ended("a")).end == "interrupted"
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_stopping_what_has_only_just_been_started(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("succeed")))
    await host.ended("a")  # another supervisor waits now, and reads both orders at once
    await host.groups.start(host.spec("b", main_role("stay")))
    await host.groups.stop("b", grace_seconds=0)
    assert (await host.ended("b")).end == "stopped"


async def test_one_that_a_supervisor_has_already_whose_server_is_gone(host: groups.Host) -> None:
    """It claimed the group after the platform had looked who has it, and before the order to another came."""
    host.record("a").mkdir(parents=True)
    (host.record("a") / "started.json").write_text('{"pid": 1, "ticks": 0, "server": "gone"}')
    await host.groups.start(host.spec("a", main_role("succeed")))
    report = await host.ended("a")
    assert (report.end, report.message) == ("lost", "the fork server that had it was killed")
    assert not (host.data / "logs" / "a").exists(), "it has not been run"


async def test_strict_resources_refuse_the_impossible(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, cpus=2.0, strict_resources=True)
    with pytest.raises(errors.InvalidArgument, match=r"64 CPUs were asked for, and this host has 2"):
        await host.groups.start(host.spec("a", main_role("succeed"), cpu_request=64))
    await host.groups.close(grace_seconds=0)


async def test_a_share_hears_of_its_own_groups_only(host: groups.Host) -> None:
    mine, others = host.groups.share(), host.groups.share()
    await others.start(host.spec("theirs", main_role("succeed")))
    await mine.start(host.spec("mine", main_role("succeed")))
    await host.ended("theirs")
    heard = set()
    async for report in mine.watch():
        heard.add(report.key)
        if report.state == "ended":
            break
    assert heard == {"mine"}
    assert (await mine.recover("theirs")) is not None
    async for report in mine.watch():
        if report.key == "theirs" and report.state == "ended":
            break


async def test_forgetting_leaves_the_logs_alone(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("succeed")))
    await host.ended("a")
    assert await host.groups.leftovers("a") != []
    await host.groups.forget("a")
    assert await host.groups.leftovers("a") == []
    assert "hello" in host.log("a")
    assert await host.groups.recover("a") is None
    await host.groups.forget("a")


async def test_an_interpreter_that_is_not_there(host: groups.Host) -> None:
    spec = host.spec("a", main_role("succeed"))
    missing = groups.Preload("/no/such/python")
    await host.groups.start(groups.GroupSpec("a", missing, spec.roles, spec.working_dir, spec.log_dir))
    report = await host.ended("a")
    assert report.end == "lost"
    assert "/no/such/python cannot be started" in report.message


async def test_an_environment_without_dayfly(host: groups.Host) -> None:
    bare = str(Path(sys.base_prefix) / "bin" / "python3")
    await host.groups.start(host.spec("a", command("python3", "-c", "import dayfly"), python=bare))
    report = await host.ended("a")
    assert report.exit_code == 1
    assert "No module named 'dayfly'" in host.log("a")
    await host.groups.start(host.spec("b", main_role("succeed"), python=bare))
    assert (await host.ended("b")).exit_code == 0


async def test_a_data_folder_whose_path_is_too_long_for_sockets(tmp_path: Path) -> None:
    host = groups.Host(tmp_path / ("long" * 20) / ("longer" * 10))
    await host.groups.start(host.spec("a", main_role("sleep")))
    await host.fact("a", "pid")
    await host.restart()
    assert (await host.groups.recover("a")) is not None
    await host.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


async def test_an_idle_fork_server_goes_and_another_comes(tmp_path: Path) -> None:
    host = groups.Host(tmp_path, idle_seconds=0.1)
    for key in "ab":
        await host.groups.start(host.spec(key, main_role("succeed")))
        assert (await host.ended(key)).exit_code == 0
        await groups.until_gone(lambda: groups.of(tmp_path))
    await host.groups.close(grace_seconds=0)


async def test_an_order_larger_than_a_sockets_buffer(host: groups.Host) -> None:
    large = {f"NAME{number}": "x" * 100_000 for number in range(20)}
    for key in "ab":  # the first finds no process forked ahead of time
        await host.groups.start(host.spec(key, main_role("succeed", env=large), role("other", "sleep", env=large)))
        assert (await host.ended(key)).exit_code == 0


async def test_many_at_once(host: groups.Host) -> None:
    """More than are forked ahead of time, and than the host takes at once."""
    keys = [f"p/d/e/n{number}/0" for number in range(40)]
    for key in keys:
        await host.groups.start(host.spec(key, main_role("succeed")))
    for key in keys:
        report = await host.ended(key)
        assert (report.end, report.exit_code) == ("exited", 0), report


async def test_closing_interrupts_and_ends_watching(host: groups.Host) -> None:
    await host.groups.start(host.spec("a", main_role("sleep")))
    await host.fact("a", "pid")
    watching = host.groups.watch()
    closing = asyncio.create_task(host.groups.close(grace_seconds=5))
    reports = [report async for report in watching]
    await closing
    assert (reports[-1].key, reports[-1].end, reports[-1].message) == ("a", "interrupted", "the platform ended")
    with pytest.raises(errors.ExecutorUnavailable):
        await host.groups.start(host.spec("b", main_role("succeed")))
