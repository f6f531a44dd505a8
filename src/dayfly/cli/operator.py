"""`dayfly operator`: the operator alone, beside a platform that runs elsewhere. Several at once do no harm."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

import click

from dayfly import assembly
from dayfly.base import logs, reading_settings
from dayfly.cli import reaching

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.base.settings import Settings


@click.command("operator")
@click.option("--endpoint", default="", help="Address of the platform, as host:port.  [the one of --config]")
@reaching.config_option
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
def command(endpoint: str, config: Path | None, log_level: str) -> None:
    """Keep FlyteWorkflow resources in step with a platform's executions, until Ctrl-C.

    `dayfly up --backend kubernetes` does so itself, unless its settings say otherwise.
    """
    logs.configure(level=log_level)
    asyncio.run(_serve(reading_settings.read(), endpoint or reaching.find_address(config)))


async def _serve(settings: Settings, address: str) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with assembly.operating(settings, address):
        click.echo(f"Looking after the FlyteWorkflow resources of the platform at {address}.")
        await stop.wait()
