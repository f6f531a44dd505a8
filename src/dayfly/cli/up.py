"""`dayfly up`: the whole platform in one process, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dayfly import assembly
from dayfly.base import logs, reading_settings

if TYPE_CHECKING:
    from dayfly.base.settings import Backend, Settings


@click.command("up")
@click.option("--data", type=click.Path(path_type=Path), help="Folder for database, files and logs.  [~/.dayfly]")
@click.option("--database", help="Where state is kept: postgresql://USER:PASSWORD@HOST/NAME.  [SQLite in --data]")
@click.option("--storage", help="Object store for inputs and outputs: any fsspec address, such as s3://bucket.")
@click.option("--host", help="Address to listen on.  [127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port for gRPC, HTTP and console; 0 picks one.  [30080]")
@click.option("--backend", type=click.Choice(["local", "kubernetes"]), help="Where tasks run.  [local]")
@click.option("--strict-resources", is_flag=True, help="Fail tasks that ask for more than this host has.")
@click.option("--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info")
def command(
    data: Path | None,
    database: str | None,
    storage: str | None,
    host: str | None,
    port: int | None,
    backend: Backend | None,
    strict_resources: bool,
    log_level: str,
) -> None:
    """Start the platform on this machine: API, engine, and tasks with their Dask clusters, here or as pods."""
    logs.configure(level=log_level)
    settings = _override(reading_settings.read(), data, database, storage, host, port, backend, strict_resources)
    asyncio.run(serve(settings))


async def serve(settings: Settings) -> None:
    """Run until SIGINT or SIGTERM; a second one does not wait for the grace time."""
    async with assembly.running(settings) as platform:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, _ask_to_stop, stop, platform)
        click.echo(f"Dayfly is ready at {platform.url}  (data in {settings.data.folder.expanduser()})")
        click.echo(f"Point Flyte clients to it:  export FLYTECTL_CONFIG={platform.client_config}")
        await stop.wait()
        click.echo("Ending: running tasks get their grace time ...", err=True)


def _ask_to_stop(stop: asyncio.Event, platform: assembly.Platform) -> None:
    if stop.is_set():
        platform.hurry()
    stop.set()


def _override(
    settings: Settings,
    data: Path | None,
    database: str | None,
    storage: str | None,
    host: str | None,
    port: int | None,
    backend: Backend | None,
    strict_resources: bool,
) -> Settings:
    server, kept, of_host = settings.server, settings.data, settings.host
    return replace(
        settings,
        server=replace(server, host=server.host if host is None else host, port=server.port if port is None else port),
        data=replace(
            kept,
            folder=data or kept.folder,
            database=kept.database if database is None else database,
            storage=kept.storage if storage is None else storage,
        ),
        engine=replace(settings.engine, backend=settings.engine.backend if backend is None else backend),
        host=replace(of_host, strict_resources=strict_resources or of_host.strict_resources),
    )
