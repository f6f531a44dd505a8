"""`dayfly advice TASK`: what a Dask task should ask for, by what its past runs used."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from dayfly.cli import reaching
from dayfly.client import extras

WIDE = 1000
"""Columns where there is no terminal."""


@click.command("advice")
@click.argument("task")
@click.option(
    "--runs",
    type=click.IntRange(1, 100),
    default=20,
    show_default=True,
    help="So many of its last runs are looked at, at most.",
)
@reaching.project_option
@reaching.domain_option
@reaching.config_option
def command(task: str, runs: int, project: str, domain: str, config: Path | None) -> None:
    """Print what the Dask task TASK (module.function) should ask for, and why."""
    query = {"project": project, "domain": domain, "task": task, "runs": runs}
    told = extras.call(reaching.find_address(config), "/advice", query)
    seen = "its last run" if told["runs"] == 1 else f"its last {told['runs']} runs"
    if not told["advice"]:
        click.echo(f"What {task} asks for is right, by {seen}.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("role", "what", "had", "ask for", "because"):
        table.add_column(column, no_wrap=column != "because")
    for one in told["advice"]:
        table.add_row(*_row(one))
    # What is read by a program is never cut to the width of a terminal that is not there.
    (Console() if sys.stdout.isatty() else Console(width=WIDE)).print(table)


def _row(told: dict[str, Any]) -> tuple[str, ...]:
    return told["role"], told["what"], told["had"] or "no limit", told["ask"], told["reason"]
