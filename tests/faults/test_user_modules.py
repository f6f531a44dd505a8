"""Modules that must not be imported before a fork, and what is kept of those that may."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from dayfly.ports.process_groups import GroupSpec, Preload
from tests.contract import groups

UNFIT = [
    ("import threading; threading.Thread(target=threading.Event().wait, daemon=True).start()", "starts threads"),
    ("import subprocess; subprocess.Popen(['sleep', '1000'])", "starts processes"),
    ("import asyncio; loop = asyncio.new_event_loop()", "opens anon_inode, socket"),
    ("import os; pipe = os.pipe()", "opens pipe"),
    ("import os; os.environ.get('FLYTE_INTERNAL_EXECUTION_ID')", "asks for FLYTE_INTERNAL_EXECUTION_ID"),
    ("import os; os.getenv('DASK_SCHEDULER_ADDRESS')", "asks for DASK_SCHEDULER_ADDRESS"),
    ("raise ValueError('not now')", "raised ValueError: not now"),
    ("import sys; sys.exit(3)", "raised SystemExit: 3"),
]

ENTRY = """
import os, signal
def run(channel, arguments):
    channel.publish("pid", os.getpid())
    channel.publish("parent", os.getpid() == IMPORTED_BY)
    while arguments.get("stay"):
        signal.pause()
"""


@pytest.fixture
async def host(tmp_path: Path) -> AsyncIterator[groups.Host]:
    made = groups.Host(tmp_path / "data")
    yield made
    await made.groups.close(grace_seconds=0)
    await groups.until_gone(lambda: groups.of(tmp_path))


def using(
    host: groups.Host, key: str, text: str, libraries: tuple[str, ...] = (groups.ROLES,), **arguments: object
) -> GroupSpec:
    """Return a group whose role is a function of the user's module, which begins with `text`."""
    code = host.data.parent / "code"
    code.mkdir(exist_ok=True)
    (code / "mine.py").write_text(f"{text}\nimport os; IMPORTED_BY = os.getpid()\n{ENTRY}")
    made = host.spec(key, groups.Role("driver", "mine:run", arguments=arguments, main=True))
    preload = Preload(sys.executable, libraries, str(code), ("mine",))
    return GroupSpec(key, preload, made.roles, made.working_dir, made.log_dir)


@pytest.mark.parametrize(("text", "why"), UNFIT)
async def test_what_must_not_be_shared_is_imported_by_each_attempt(host: groups.Host, text: str, why: str) -> None:
    spec = using(host, "a", text)
    await host.groups.start(spec)
    report = await host.ended("a")
    assert why in host.groups._servers.unfit_reason(spec.preload)
    if not why.startswith("raised"):
        assert (report.exit_code, report.facts["parent"]) == (0, True), host.log("a")


async def test_other_modules_are_imported_once(host: groups.Host) -> None:
    for key in "ab":
        await host.groups.start(using(host, key, "import os; os.environ.get('HOME')"))
        report = await host.ended(key)
        assert (report.exit_code, report.facts["parent"]) == (0, False), host.log(key)


async def test_the_thread_that_flytekit_makes_for_a_launch_plan_is_no_reason(host: groups.Host) -> None:
    plan = """
from flytekit import LaunchPlan, task, workflow
@task
def same(number: int) -> int:
    return number
@workflow
def flow(number: int) -> int:
    return same(number=number)
LaunchPlan.get_or_create(flow, name="two", default_inputs={"number": 2})
"""
    spec = using(host, "a", f"{plan}run_again = lambda: flow(number=3)", ("flytekit.bin.entrypoint",))
    code = host.data.parent / "code" / "mine.py"
    code.write_text(code.read_text() + '    channel.publish("again", run_again())\n')
    await host.groups.start(spec)
    report = await host.ended("a")
    assert host.groups._servers.unfit_reason(spec.preload) == ""
    assert (report.exit_code, report.facts["parent"], report.facts["again"]) == (0, False, 3), host.log("a")


async def test_signal_handlers_of_a_module_are_the_tasks(host: groups.Host) -> None:
    text = (
        "import os, signal\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('asked to end'), os._exit(7)))"
    )
    await host.groups.start(using(host, "a", text, stay=True))
    await host.fact("a", "parent")  # the last it tells before it stays
    await host.groups.stop("a", grace_seconds=groups.PATIENCE_SECONDS)
    report = await host.ended("a")
    assert (report.end, report.exit_code, report.facts["parent"]) == ("stopped", 7, False)
    assert host.log("a") == "asked to end\n"


async def test_the_server_with_the_libraries_may_die_while_modules_are_imported(host: groups.Host) -> None:
    text = (
        "import os, signal, threading, time\n"
        "if not os.path.exists('killed'):\n"
        "    os.makedirs('killed')\n"
        "    os.kill(os.getppid(), signal.SIGKILL)\n"
        "    time.sleep(0.2)\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()"
    )
    await host.groups.start(using(host, "a", text))
    report = await host.ended("a")
    assert (report.exit_code, report.facts["parent"]) == (0, True), report


async def test_more_libraries_are_forked_from_the_first(host: groups.Host) -> None:
    first = host.spec("a", groups.main_role("sleep"))
    more = Preload(sys.executable, (groups.ROLES, "colorsys"))
    await host.groups.start(first)
    await host.fact("a", "pid")
    families = len(host.groups._servers._open)
    for key, preload in (("b", more), ("c", Preload(sys.executable, (groups.ROLES, "no_such_library")))):
        spec = host.spec(key, groups.main_role("show_modules", arguments={"asked": ["colorsys"]}))
        await host.groups.start(GroupSpec(key, preload, spec.roles, spec.working_dir, spec.log_dir))
    assert (await host.ended("b")).exit_code == 0
    assert host.log("b") == "colorsys True\n"
    assert len(host.groups._servers._open) == families + 1
    report = await host.ended("c")
    assert report.end == "lost"
    assert "No module named 'no_such_library'" in report.message
    assert "is no_such_library installed there?" in report.message
