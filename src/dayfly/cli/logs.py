"""`dayfly logs EXECUTION [NODE]`: what its tasks wrote, over HTTP from the links that clients see too."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import click

from dayfly.base import errors
from dayfly.cli import reaching, watch
from dayfly.client import connecting, watching
from dayfly.model.identifiers import ExecutionId
from dayfly.ports import dashboards

if TYPE_CHECKING:
    from pathlib import Path

FETCH_SECONDS = 30.0


@click.command("logs")
@click.argument("execution")
@click.argument("node", required=False)
@click.option("--role", help="Only this process of a Dask task: driver, scheduler, worker-0, ...")
@click.option("--tail", type=click.IntRange(1), help="Only the last lines of each log.")
@reaching.project_option
@reaching.domain_option
@reaching.config_option
def command(
    execution: str, node: str | None, role: str | None, tail: int | None, project: str, domain: str, config: Path | None
) -> None:
    """Print the logs of EXECUTION, of one NODE where it is named."""
    address = reaching.find_address(config)
    asyncio.run(_print(address, ExecutionId(project, domain, execution), node, role, tail))


async def _print(address: str, execution: ExecutionId, node: str | None, role: str | None, tail: int | None) -> None:
    async with connecting.open(address) as client:
        await client.wait_until_connected(watch.CONNECT_SECONDS)
        seen = await watching.snapshot(client, execution)
    nodes = [one for one in seen.nodes if node in (None, one.id, one.name)]
    if node is not None and not nodes:
        known = ", ".join(one.id for one in seen.nodes) or "none yet"
        raise errors.NotFound(f"Execution {execution.name} has no node {node!r}; its nodes: {known}.")
    for one in nodes:
        for attempt in one.attempts:
            for log in attempt.logs:
                if log.name != dashboards.LINK_NAME and role in (None, log.uri.rsplit("/", 1)[-1]):
                    click.secho(f"==> {one.name} ({one.id}), attempt {attempt.number}, {log.name}", bold=True)
                    click.echo(await asyncio.to_thread(_fetch, log.uri, tail))


def _fetch(uri: str, tail: int | None) -> str:
    try:
        with urllib.request.urlopen(uri + (f"?tail={tail}" if tail else ""), timeout=FETCH_SECONDS) as answer:
            return str(answer.read().decode(errors="replace"))
    except urllib.error.HTTPError as error:
        return f"(no log: {error.reason})"
    except OSError as error:
        raise errors.PlatformError(f"The log {uri} cannot be read: {error}.") from error
