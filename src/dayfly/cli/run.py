"""`dayfly run FILE ENTITY --name value ...`: register and run one file, show it, and exit with a code that tells.

Registration is flytekit's own (`pyflyte run --remote`), so files, types and defaults mean just what they mean there.
Without a running server, one is started for this run and ended after it.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import click

from dayfly import assembly
from dayfly.base import errors, ids, logs, reading_settings
from dayfly.cli import reaching, watch
from dayfly.client import connecting, watching
from dayfly.model.identifiers import ExecutionId

FIND_SECONDS = 1.0
"""How long a server may take to answer before one is started."""


@click.command("run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@reaching.project_option
@reaching.domain_option
@reaching.config_option
@click.option("--data", type=click.Path(path_type=Path), help="Data folder for a server of its own.  [~/.dayfly]")
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("entity")
@click.argument("inputs", nargs=-1, type=click.UNPROCESSED)
def command(
    project: str, domain: str, config: Path | None, data: Path | None, file: Path, entity: str, inputs: tuple[str, ...]
) -> None:
    """Register and run ENTITY, a workflow or task of FILE, with its inputs as `--name value`.

    Exits 0 if it succeeded, 1 if it failed or could not be registered, 3 if it was aborted, 130 after
    Ctrl-C, which aborts it where the server is its own.
    """
    if not file.is_file():
        raise errors.InvalidArgument(f"There is no file {file}.", remedy="Name a Python file with a workflow or task.")
    sys.exit(asyncio.run(_run(ExecutionId(project, domain, ids.execution_name()), config, data, file, entity, inputs)))


async def _run(
    execution: ExecutionId, config: Path | None, data: Path | None, file: Path, entity: str, inputs: tuple[str, ...]
) -> int:
    # Whoever ends us, nothing is to be left.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, signal.raise_signal, signal.SIGINT)
    async with _server(config, data) as (address, client_config, own):
        words = ["--config", str(client_config), "run", "--remote"]
        words += ["--project", execution.project, "--domain", execution.domain, "--name", execution.name]
        process = await asyncio.create_subprocess_exec(
            str(Path(sys.executable).with_name("pyflyte")),
            *words,
            str(file),
            entity,
            *inputs,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            told, _ = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            raise
        if process.returncode:
            click.echo(told.decode(errors="replace"), err=True)
            return 1
        try:
            return await watch.follow(address, execution)
        except asyncio.CancelledError:
            await _leave(address, execution, own)
            raise


async def _leave(address: str, execution: ExecutionId, own: bool) -> None:
    """End the execution with the server that was there for it alone; else say how to see it again."""
    if not own:
        click.echo(f"{execution.name} goes on; see it again with: dayfly watch {execution.name}", err=True)
        return
    click.echo(f"Ending {execution.name} and the server that was started for it ...", err=True)
    async with connecting.open(address) as client:
        with contextlib.suppress(errors.DayflyError):  # it has just ended by itself
            await client.terminate_execution(execution, "dayfly run was interrupted")
        await watching.wait_until_ended(client, execution, interval_seconds=0.1)


@contextlib.asynccontextmanager
async def _server(config: Path | None, data: Path | None) -> AsyncIterator[tuple[str, Path, bool]]:
    """Yield address and client configuration of a server, and whether it is our own and lives as long as this."""
    with tempfile.TemporaryDirectory(prefix="dayfly-run-") as scratch:
        address = reaching.find_address(config)
        if data is None and await _answers(address):
            file = Path(scratch) / "config.yaml"
            file.write_text(f"admin:\n  endpoint: dns:///{address}\n  insecure: true\n")
            yield address, file, False
            return
        if config is not None:
            raise errors.PlatformError(
                f"No server answers at {address}, which {config} names.", remedy="Start it with `dayfly up`."
            )
        logs.configure(level="warning")
        settings = reading_settings.read()
        settings = replace(
            settings,
            server=replace(settings.server, port=0),
            data=replace(settings.data, folder=data or settings.data.folder),
        )
        async with assembly.running(settings) as platform:
            yield platform.address, platform.client_config, True


async def _answers(address: str) -> bool:
    async with connecting.open(address) as client:
        try:
            await client.wait_until_connected(FIND_SECONDS)
        except errors.PlatformError:
            return False
    return True
