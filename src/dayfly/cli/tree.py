"""An execution as a live tree in the terminal: nodes with phase, time and, for Dask tasks, workers and tasks done.

`watch` and `run` show it. Where there is no terminal, one line is printed for each change instead.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from dayfly.base.clock import SECOND, Micros, SystemClock
from dayfly.client import watching
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase

if TYPE_CHECKING:
    from dayfly.client.connecting import Client
    from dayfly.client.watching import NodeView, Snapshot
    from dayfly.model.identifiers import ExecutionId

INTERVAL_SECONDS = 0.25
"""Between looks at the server while the tree is shown."""

_STYLES = {
    "SUCCEEDED": ("green", "✔"),
    "FAILED": ("red", "✘"),
    "TIMED_OUT": ("red", "✘"),
    "ABORTED": ("yellow", "■"),
    "RUNNING": ("cyan", "▶"),
}


async def follow(client: Client, execution: ExecutionId) -> Snapshot:
    """Show the execution until it has ended; return how it ended."""
    console = Console()
    if not console.is_terminal:
        return await _follow_in_lines(client, execution)
    clock = SystemClock()
    last: Snapshot | None = None
    with Live(console=console, auto_refresh=False, transient=False) as live:
        async for last in watching.watch(client, execution, interval_seconds=INTERVAL_SECONDS):
            live.update(render(last, clock.now()), refresh=True)
    assert last is not None
    return last


def render(seen: Snapshot, now: Micros) -> Group:
    """Return the tree as it is at `now`."""
    table = Table.grid(padding=(0, 2))
    for number, node in enumerate(seen.nodes):
        branch = "└─" if number == len(seen.nodes) - 1 else "├─"
        style, sign = _STYLES.get(node.phase.name, ("white", "…"))
        table.add_row(
            Text(f"{branch} {node.name}"),
            Text(f"{sign} {_phase(node)}", style=style),
            Text(_seconds(node.started_at, node.ended_at, now), justify="right"),
            Text(detail(node), style="dim"),
        )
    style, sign = _STYLES.get(seen.phase.name, ("white", "…"))
    head = Text.assemble(
        (f"{sign} {seen.workflow} ", "bold"),
        (seen.phase.name if seen.phase else "QUEUED", style),
        f"  {_seconds(seen.started_at, seen.ended_at, now)}  ",
        (seen.id.name, "dim"),
    )
    return Group(head, table)


def detail(node: NodeView) -> str:
    """Return what else there is to say of a node: attempts, Dask's progress, what it waits for, its error."""
    if not node.attempts:
        return ""
    attempt = node.attempts[-1]
    parts = [f"attempt {attempt.number + 1}"] if attempt.number else []
    if dask := attempt.info.get("dask"):
        parts.append(_dask(dask))
    if node.error is not None:
        parts.append(f"{node.error.code}: {_first_line(node.error.message)}")
    elif attempt.phase not in (AttemptPhase.SUCCEEDED, AttemptPhase.RUNNING) and attempt.reason:
        parts.append(attempt.reason)
    return " · ".join(parts)


def _phase(node: NodeView) -> str:
    if node.phase in (NodePhase.QUEUED, NodePhase.RUNNING) and node.attempts:
        attempt = node.attempts[-1]
        if attempt.phase in (AttemptPhase.WAITING_FOR_RESOURCES, AttemptPhase.INITIALIZING):
            return attempt.phase.name.replace("_", " ").lower()
    return node.phase.name


def _dask(progress: dict[str, float]) -> str:
    workers = f"{progress.get('workers', 0):.0f}/{progress.get('wanted', 0):.0f} workers"
    return f"{workers} · {progress.get('tasksDone', 0):.0f}/{progress.get('tasksTotal', 0):.0f} Dask tasks"


def _seconds(started: Micros | None, ended: Micros | None, now: Micros) -> str:
    return "" if started is None else f"{max(0, (ended or now) - started) / SECOND:.1f} s"


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0][:160]


async def _follow_in_lines(client: Client, execution: ExecutionId) -> Snapshot:
    last: Snapshot | None = None
    told: dict[str, str] = {}
    async for seen in watching.watch(client, execution, interval_seconds=INTERVAL_SECONDS):
        last = seen
        for node in seen.nodes:
            line = f"{_phase(node):<12} {node.name:<28} {detail(node)}".rstrip()
            if told.get(node.id) != line:
                told[node.id] = line
                sys.stdout.write(f"{line}\n")
                sys.stdout.flush()
    assert last is not None
    took = _seconds(last.started_at, last.ended_at, last.ended_at or Micros(0))
    sys.stdout.write(f"{ExecutionPhase(last.phase).name:<12} {last.workflow} {took}\n")
    return last
