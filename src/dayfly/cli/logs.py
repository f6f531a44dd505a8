"""`dayfly logs EXECUTION [NODE]`: what its tasks wrote or are writing, the processes of Dask tasks merged by time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from dayfly.base import errors
from dayfly.cli import reaching, watch
from dayfly.client import connecting, extras, log_reading, walking
from dayfly.client.log_reading import Choice, LineView, Logs
from dayfly.model.identifiers import AttemptKey, ExecutionId
from dayfly.ports import dashboards

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from dayfly.client.connecting import Client
    from dayfly.client.walking import FoundAttempt, Walk

LEVELS = ("debug", "info", "warning", "error", "critical")

COLORS = {"WARNING": "yellow", "ERROR": "red", "CRITICAL": "red"}

POLL_SECONDS = 0.5
"""How soon a new attempt is followed."""

FOLLOWED = 100
"""Attempts followed at once; others wait for their turn."""


@click.command("logs")
@click.argument("execution")
@click.argument("node", required=False)
@click.option(
    "--role",
    "roles",
    multiple=True,
    help="Only this process of a Dask task: driver, scheduler, worker-0; worker is all of them.",
)
@click.option("--search", default="", help="Only lines that have this text; letters A-Z stand for both cases.")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    default=None,
    help="Only lines that a logger wrote at this level or a worse one.",
)
@click.option("--tail", type=click.IntRange(1, 5000), help="Only the last lines of each attempt.")
@click.option(
    "--follow",
    "-f",
    is_flag=True,
    help="Go on until the execution has ended, also with attempts that are yet to begin.",
)
@click.option("--times", is_flag=True, help="Print when each line was written.")
@reaching.project_option
@reaching.domain_option
@reaching.config_option
def command(
    execution: str,
    node: str | None,
    roles: tuple[str, ...],
    search: str,
    level: str | None,
    tail: int | None,
    follow: bool,
    times: bool,
    project: str,
    domain: str,
    config: Path | None,
) -> None:
    """Print the logs of EXECUTION; where a NODE is named, of it and of what is inside of it."""
    address = reaching.find_address(config)
    wanted = Wanted(ExecutionId(project, domain, execution), node, Choice(roles, level or "", search, tail))
    asyncio.run(_print(address, wanted, Printer(times), follow=follow))


class Wanted:
    """Which attempts' logs are printed, and which lines of them."""

    def __init__(self, execution: ExecutionId, node: str | None, choice: Choice) -> None:
        self.execution, self.node, self.choice = execution, node, choice

    def among(self, found: Sequence[FoundAttempt]) -> list[FoundAttempt]:
        """Return the attempts that are meant: those of the node, and of all inside of it, by id or name."""
        return [one for one in found if self.node is None or self.node in one.inside]

    def check(self, found: Sequence[FoundAttempt]) -> None:
        """Raise `NotFound` where the node that was named has no attempt."""
        if self.node is not None and not self.among(found):
            known = ", ".join(dict.fromkeys(one.node for one in found)) or "none yet"
            raise errors.NotFound(
                f"Execution {self.execution.name} has no node {self.node!r} that ran; those that did: {known}."
            )


class Printer:
    """Prints lines, and a heading wherever those of another attempt begin."""

    def __init__(self, times: bool) -> None:
        self.times = times
        self._heading = ""

    def print(self, heading: str, lines: Sequence[LineView], *, named: bool) -> None:
        """Print lines of one attempt; `named` with their processes."""
        self._head(heading, lines)
        for line in lines:
            moment = f"{line.at.astimezone():%H:%M:%S.%f}"[:-3] + " " if self.times else ""
            role = click.style(f"{line.role:<9} | ", dim=True) if named else ""
            click.echo(f"{moment}{role}{click.style(line.text, fg=COLORS.get(line.level))}")

    def copy(self, heading: str, text: bytes) -> None:
        """Print text as it is."""
        self._head(heading, text)
        click.echo(text, nl=False)

    def _head(self, heading: str, follows: Sequence[object]) -> None:
        if follows and heading != self._heading:
            self._heading = heading
            click.secho(f"==> {heading}", bold=True)


async def _print(address: str, wanted: Wanted, printer: Printer, *, follow: bool) -> None:
    async with connecting.open(address) as client, Logs(address) as logs:
        await client.wait_until_connected(watch.CONNECT_SECONDS)
        if follow:
            await _follow(client, logs, wanted, printer)
            return
        found, _ = await walking.Walk(client, wanted.execution).look()
        wanted.check(found)
        for attempt in wanted.among(found):
            await _print_attempt(logs, wanted.choice, printer, attempt)


async def _print_attempt(logs: Logs, choice: Choice, printer: Printer, attempt: FoundAttempt) -> None:
    heading, key = _heading(attempt), attempt.key
    roles = await logs.list_roles(key)
    chosen = [role for role in roles if not choice.roles or role in choice.roles]
    if choice.query().keys() <= {"role"} and len(chosen) == 1 and not printer.times:
        async for text in logs.read_text(key, chosen[0]):
            printer.copy(heading, text)
    elif roles:
        async for lines in logs.read(key, choice):
            printer.print(heading, lines, named=len(roles) > 1)
    for name, uri in _links_elsewhere(attempt):
        printer.copy(heading, f"{name}: {uri}\n".encode())


async def _follow(client: Client, logs: Logs, wanted: Wanted, printer: Printer) -> None:
    followed: dict[AttemptKey, asyncio.Task[None]] = {}
    turn = asyncio.Semaphore(FOLLOWED)
    walk = walking.Walk(client, wanted.execution)
    try:
        found, ended = await walk.look()
        while True:
            for attempt in wanted.among(found):
                if attempt.key not in followed:
                    work = _follow_attempt(turn, logs, wanted.choice, printer, attempt)
                    followed[attempt.key] = asyncio.create_task(work)
            for task in followed.values():
                if task.done():
                    task.result()
            if ended:
                break
            await asyncio.sleep(POLL_SECONDS)
            found, ended = await _look_again(walk)
        await asyncio.gather(*followed.values())
        wanted.check(found)
    finally:
        for task in followed.values():
            task.cancel()
        await asyncio.gather(*followed.values(), return_exceptions=True)


async def _look_again(walk: Walk) -> tuple[list[FoundAttempt], bool]:
    """Return what there is now, over a restart of the platform."""
    for _ in range(log_reading.RETRIES):
        try:
            return await walk.look()
        except errors.PlatformError:
            await asyncio.sleep(log_reading.RETRY_SECONDS)
    return await walk.look()


async def _follow_attempt(
    turn: asyncio.Semaphore, logs: Logs, choice: Choice, printer: Printer, attempt: FoundAttempt
) -> None:
    named = False
    async with turn:
        async for lines in logs.follow(attempt.key, choice):
            named = named or len(await logs.list_roles(attempt.key)) > 1
            printer.print(_heading(attempt), lines, named=named)


def _heading(attempt: FoundAttempt) -> str:
    return f"{attempt.name} ({attempt.node}), attempt {attempt.number}"


def _links_elsewhere(attempt: FoundAttempt) -> Iterator[tuple[str, str]]:
    """Yield the links of tasks that run elsewhere, whose logs are not here."""
    for log in attempt.links:
        if extras.PREFIX not in log.uri and log.name != dashboards.LINK_NAME:
            yield log.name, log.uri
