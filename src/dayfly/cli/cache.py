"""`dayfly cache`: look at the outputs that are kept for the next who asks for the same, and remove some."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dayfly.base import errors
from dayfly.base.clock import SECOND, Micros, SystemClock, to_datetime
from dayfly.cli import reaching
from dayfly.client import extras

PAGE = 500
"""Entries fetched at once."""

SHOWN = 100
"""Entries printed, where the command line does not say."""

WIDE = 1000
"""Columns where there is no terminal."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"([0-9]{1,6})([smhdw])")


def _read_age(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Return an age such as `90m`, `12h` or `30d` in seconds."""
    if text is None:
        return None
    found = _AGE.fullmatch(text)
    if found is None:
        raise click.BadParameter(f"{text!r} is not an age such as 90m, 12h or 30d.")
    return int(found[1]) * _UNITS[found[2]]


_OPTIONS = (
    click.option("--project", "-p", default="", help="Only of this project's tasks."),
    click.option("--domain", "-d", default="", help="Only of this domain."),
    click.option("--task", help="Only of the task of this name."),
    click.option("--version", "cache_version", help="Only of this cache_version of the tasks."),
    click.option("--execution", help="Only what this execution made: NAME, or PROJECT/DOMAIN/NAME."),
    click.option("--older-than", callback=_read_age, help="Only what is older: 90m, 12h, 30d."),
    reaching.config_option,
)


def _choosing(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.group("cache")
def command() -> None:
    """Look at cached outputs, and remove some."""


@command.command("list")
@click.option("--limit", type=click.IntRange(1), default=SHOWN, show_default=True, help="Entries to print at most.")
@_choosing
def list_(limit: int, config: Path | None, **chosen: Any) -> None:
    """Print cached outputs, newest first: of which task, made by what and when."""
    address = reaching.find_address(config)
    table = _table("task", "version", "made by", "at", "size")
    for entry in _entries(address, _query(**chosen), limit):
        made = entry["execution"]
        table.add_row(
            _task(entry),
            entry["cache_version"],
            f"{made['name']} {made['node']}",
            _moment(entry["made_at"]),
            _size(entry["size_bytes"]),
        )
    _print(table, "Nothing is cached.")


@command.command("size")
@_choosing
def size(config: Path | None, **chosen: Any) -> None:
    """Print what cached outputs take, by task. Files that they point to are not counted."""
    told = extras.call(reaching.find_address(config), "/cache/sizes", _query(**chosen))
    table = _table("task", "entries", "size", "oldest", "newest")
    for one in told["tasks"]:
        table.add_row(
            _task(one),
            str(one["entries"]),
            _size(one["size_bytes"]),
            _moment(one["oldest"]),
            _moment(one["newest"]),
        )
    _print(table, "Nothing is cached.")
    if told["tasks"]:
        click.echo(f"{_entries_of(told)} in all.")


@command.command("evict")
@click.option("--all", "everything", is_flag=True, help="Remove everything, where nothing else is said.")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@_choosing
def evict(everything: bool, yes: bool, config: Path | None, **chosen: Any) -> None:
    """Remove cached outputs: their tasks run again when they are asked for next. Files that they point to stay."""
    address, query = reaching.find_address(config), _query(**chosen)
    if not any(query.values()) and not everything:
        raise errors.InvalidArgument(
            "Nothing says which entries to remove.", remedy="Name a task, version, execution or age, or give --all."
        )
    found = extras.call(address, "/cache/sizes", query)
    if not found["entries"]:
        click.echo("Nothing is cached that this means.")
        return
    if not yes:
        click.confirm(f"Remove {_entries_of(found)} of {len(found['tasks'])} tasks?", abort=True)
    evicted = extras.call(address, "/cache/entries", {**query, "all": everything}, verb="DELETE")
    click.echo(f"Removed {_entries_of(evicted)}.")


def _query(
    project: str,
    domain: str,
    task: str | None,
    cache_version: str | None,
    execution: str | None,
    older_than: int | None,
) -> dict[str, Any]:
    """Return the conditions as the API takes them."""
    if execution and "/" not in execution:
        execution = f"{project or reaching.PROJECT}/{domain or reaching.DOMAIN}/{execution}"
    return {
        "project": project,
        "domain": domain,
        "task": task,
        "cache_version": cache_version,
        "execution": execution,
        "before": _before(older_than) if older_than is not None else "",
    }


def _before(seconds: int) -> str:
    return to_datetime(Micros(SystemClock().now() - seconds * SECOND)).isoformat()


def _entries(address: str, query: dict[str, Any], limit: int) -> Iterator[dict[str, Any]]:
    token = ""
    while limit > 0:
        told = extras.call(address, "/cache/entries", {**query, "limit": min(limit, PAGE), "token": token})
        yield from told["entries"]
        limit, token = limit - len(told["entries"]), told["token"]
        if not token:
            return


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in ("entries", "size") else "left", no_wrap=True)
    return table


def _print(table: Table, nothing: str) -> None:
    if not table.row_count:
        click.echo(nothing)
        return
    # What is read by a program is never cut to the width of a terminal that is not there.
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(table)


def _task(told: dict[str, Any]) -> str:
    return f"{told['project']}/{told['domain']} {told['task']}"


def _entries_of(told: dict[str, Any]) -> str:
    count = told["entries"]
    return f"{count} {'entry' if count == 1 else 'entries'}, {_size(told['size_bytes'])}"


def _moment(text: str) -> str:
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%d %H:%M:%S")


def _size(size_bytes: int) -> str:
    amount, unit = float(size_bytes), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{size_bytes} B" if unit == "B" else f"{amount:.1f} {unit}"
