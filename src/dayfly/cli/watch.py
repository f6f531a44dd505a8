"""`dayfly watch`: an execution while it runs, then its typed outputs; the exit code tells how it ended."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import click
from flyteidl.admin import common_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, interface_pb2

from dayfly.cli import reaching, tree, values
from dayfly.client import connecting
from dayfly.model import identifiers
from dayfly.model.phases import ExecutionPhase

if TYPE_CHECKING:
    from pathlib import Path

    from dayfly.client.connecting import Client
    from dayfly.client.watching import Snapshot

CONNECT_SECONDS = 10.0

EXIT_CODES = {
    ExecutionPhase.SUCCEEDED: 0,
    ExecutionPhase.FAILED: 1,
    ExecutionPhase.TIMED_OUT: 1,
    ExecutionPhase.ABORTED: 3,
}
"""What the commands `watch` and `run` return; 2 is click's own for wrong usage."""


@click.command("watch")
@click.argument("execution")
@reaching.project_option
@reaching.domain_option
@reaching.config_option
def command(execution: str, project: str, domain: str, config: Path | None) -> None:
    """Show EXECUTION while it runs, then its outputs. Exits 0 if it succeeded, 1 if it failed, 3 if it was aborted."""
    address = reaching.find_address(config)
    sys.exit(asyncio.run(follow(address, identifiers.ExecutionId(project, domain, execution))))


async def follow(address: str, execution: identifiers.ExecutionId) -> int:
    """Show the execution until its end; return the exit code."""
    async with connecting.open(address) as client:
        await client.wait_until_connected(CONNECT_SECONDS)
        ended = await tree.follow(client, execution)
        await _tell_end(client, ended)
        click.echo(
            f"See http://{address}/console/projects/{execution.project}/domains/{execution.domain}/executions/{execution.name}"
        )
    return EXIT_CODES[ended.phase]


async def _tell_end(client: Client, ended: Snapshot) -> None:
    if ended.phase is ExecutionPhase.SUCCEEDED:
        data = await client.get_execution_data(ended.id)
        declared = await _declared_outputs(client, ended)
        for line in values.lines(data.full_outputs, declared):
            click.echo(f"  {line}")
    elif ended.error is not None:
        click.secho(f"{ended.error.code} ({ended.error.kind})", fg="red")
        click.echo(ended.error.message)
    elif ended.abort_cause:
        click.echo(f"aborted: {ended.abort_cause}")


async def _declared_outputs(client: Client, ended: Snapshot) -> interface_pb2.VariableMap:
    request = common_pb2.ObjectGetRequest(
        id=identifier_pb2.Identifier(
            resource_type=identifier_pb2.WORKFLOW,
            project=ended.id.project,
            domain=ended.id.domain,
            name=ended.workflow,
            version=ended.version,
        )
    )
    workflow: workflow_pb2.Workflow = await client.call(client.admin.GetWorkflow, request)
    return workflow.closure.compiled_workflow.primary.template.interface.outputs
