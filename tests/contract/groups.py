"""What tests of process groups share: a platform on a folder of its own, roles to run, and a look at the host."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from dayfly.base.clock import SystemClock
from dayfly.executors.local.forked import processes
from dayfly.executors.local.groups import LocalProcessGroups
from dayfly.executors.local.settings import LocalSettings
from dayfly.ports.process_groups import GroupReport, GroupSpec, Preload, Role

ROLES = str(Path(__file__).with_name("roles.py"))

PATIENCE_SECONDS = 30.0
"""Above it a test fails; it is never waited for when all is well."""


class Host:
    """One data folder and the platform that has it at the moment."""

    def __init__(self, data: Path, **settings: object) -> None:
        self.data = data
        self._settings = {"lease_seconds": 20.0, "grace_seconds": 0.5, "cpus": 8.0} | settings
        self.groups = self._make()
        self.seen: list[GroupReport] = []
        self._supervisors: set[int] = set()

    def _make(self) -> LocalProcessGroups:
        return LocalProcessGroups(LocalSettings(data=self.data, **self._settings), SystemClock())  # type: ignore[arg-type]

    async def restart(self) -> None:
        """Lose the platform as `kill -9` does, and start another."""
        await self.groups.abandon()
        self.groups = self._make()

    def spec(self, key: str, *roles: Role, python: str = sys.executable, **rest: object) -> GroupSpec:
        return GroupSpec(
            key,
            Preload(python, (ROLES,)),
            roles,
            working_dir=str(self.data / "work" / key),
            log_dir=str(self.data / "logs" / key),
            **rest,  # type: ignore[arg-type]
        )

    async def until(self, key: str, done: Callable[[GroupReport], bool]) -> GroupReport:
        """Return the first report of the group that is as wanted."""

        async def look() -> GroupReport:
            async for report in self.groups.watch():
                self.seen.append(report)
                if report.key == key and done(report):
                    return report
            raise AssertionError(f"watching ended before {key} was as wanted")

        return await asyncio.wait_for(look(), PATIENCE_SECONDS)

    async def ended(self, key: str) -> GroupReport:
        return await self.until(key, lambda report: report.state == "ended")

    async def fact(self, key: str, name: str) -> object:
        report = await self.until(key, lambda report: name in report.facts or report.state == "ended")
        assert name in report.facts, report
        return report.facts[name]

    def log(self, key: str, role: str = "driver") -> str:
        return (self.data / "logs" / key / f"{role}.log").read_text()

    def record(self, key: str) -> Path:
        return self.data / "run" / "groups" / key.replace("/", "~")


def main_role(function: str, **rest: object) -> Role:
    return Role("driver", f"{ROLES}:{function}", main=True, **rest)  # type: ignore[arg-type]


def role(name: str, function: str, **rest: object) -> Role:
    return Role(name, f"{ROLES}:{function}", **rest)  # type: ignore[arg-type]


def command(*argv: str, **rest: object) -> Role:
    return Role("driver", "argv", argv=argv, main=True, **rest)  # type: ignore[arg-type]


def of(data: Path) -> list[int]:
    """Return every process on this host that has to do with `data`: by its command line, folder, open files or
    environment."""
    found = []
    marks = str(data).encode()
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        try:
            if processes.stat(int(name))[0] in "ZX":
                continue
            told = Path(f"/proc/{name}/cmdline").read_bytes() + Path(f"/proc/{name}/environ").read_bytes()
            told += os.readlink(f"/proc/{name}/cwd").encode()
            for fd in os.listdir(f"/proc/{name}/fd"):
                told += os.readlink(f"/proc/{name}/fd/{fd}").encode()
        except OSError:
            continue
        if marks in told:
            found.append(int(name))
    return found


async def until_gone(find: Callable[[], object]) -> None:
    """Wait until `find` finds nothing any more."""

    async def look() -> None:
        while find():  # noqa: ASYNC110 - nobody tells when a process has gone
            await asyncio.sleep(0.02)

    try:
        await asyncio.wait_for(look(), PATIENCE_SECONDS)
    except asyncio.TimeoutError:
        raise AssertionError(f"still there: {find()}") from None
