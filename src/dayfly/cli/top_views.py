"""What `dayfly top` puts on the screen: runs and live clusters, or one run with nodes and workers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from dayfly.base.clock import SECOND, Micros
from dayfly.cli import tree
from dayfly.cli.top_state import ClusterNow, Run, State
from dayfly.compiler import single_task

KEYS_OF_RUNS = "↑↓ j k choose   Enter open   a abort   q quit"
KEYS_OF_A_RUN = "↑↓ j k choose   Esc back   a abort   q quit"

STYLES = {"SUCCEEDED": "green", "FAILED": "red", "TIMED_OUT": "red", "ABORTED": "yellow", "RUNNING": "cyan"}

MIB = 1024 * 1024

BAR = 18
"""Characters of a bar."""

CHOSEN = "reverse"

CLUSTER_ROWS = 8
"""Live clusters that are listed below the runs."""

WORKER_ROWS = 12
"""Workers of a cluster that are listed, those that hold most."""

PREFIX_ROWS = 8


def frame(state: State, *, place: str, now: Micros, height: int = 0) -> RenderableType:
    """Return one frame. `place` is where the runs are, empty for everywhere.

    `height` is how many lines there are; 0 is as many as it takes, with no line chosen.
    """
    body = _runs(state, now, height, place) if state.open is None else _run(state, now, height)
    return Group(*body, *([_foot(state)] if height else []))


def plain(text: str) -> str:
    """Return text that does nothing to a terminal: what users write may hold what moves its cursor."""
    return "".join(one if one.isprintable() else " " for one in text)


def span(seconds: float) -> str:
    """Return a time span: 12.3 s, 4m03, 2h05."""
    if seconds < 60:
        return f"{max(0.0, seconds):.1f} s"
    minutes = int(seconds // 60)
    return f"{minutes}m{int(seconds % 60):02}" if minutes < 60 else f"{minutes // 60}h{minutes % 60:02}"


def size(mebibytes: float) -> str:
    """Return memory: 126M, 1.5G."""
    return f"{mebibytes:.0f}M" if mebibytes < 1000 else f"{mebibytes / 1024:.1f}G"


def bar(share: float, *, style: str = "cyan") -> Text:
    """Return a share, 0 to 1, as a bar."""
    full = round(max(0.0, min(1.0, share)) * BAR)
    return Text.assemble(("█" * full, style), ("░" * (BAR - full), "dim"))


def window(count: int, chosen: int, room: int) -> range:
    """Return which of `count` lines are shown where there is room for some: the chosen one is among them."""
    if count <= room:
        return range(count)
    first = max(0, min(chosen - room // 2, count - room))
    return range(first, first + room)


def _runs(state: State, now: Micros, height: int, place: str) -> list[RenderableType]:
    seen = state.seen
    running = sum(not run.ended for run in seen.runs)
    told = f"{place or 'all projects'} · {running} running"
    clusters = seen.clusters[:CLUSTER_ROWS]
    below: list[RenderableType] = [Text(""), _clusters(clusters)] if clusters else []
    taken = 5 + (len(clusters) + 2 if clusters else 0)
    if not seen.runs:
        return [_head(told), Text("Nothing has run here yet.", style="dim"), *below]
    table = _table("phase", "run", "workflow", "created", "took", rest="error")
    rows = window(len(seen.runs), state.position(), max(3, height - taken) if height else len(seen.runs))
    for number in rows:
        chosen = bool(height) and number == state.position()
        table.add_row(*_line(seen.runs[number], now, place), style=CHOSEN if chosen else "")
    more = len(seen.runs) - len(rows)
    return [_head(told + (f" · {more} more runs" if more else "")), table, *below]


def _line(run: Run, now: Micros, place: str) -> tuple[Text, ...]:
    created = f"{span((now - run.created_at) / SECOND)} ago" if run.created_at is not None else ""
    took = span(((run.ended_at or now) - run.started_at) / SECOND) if run.started_at is not None else ""
    return (
        _phase(run.phase.name),
        Text(plain(run.id.name if place else f"{run.id.project}/{run.id.domain}/{run.id.name}")),
        Text(plain(run.workflow.removeprefix(single_task.NAME_PREFIX))),
        Text(created),
        Text(took, justify="right"),
        Text(plain(run.error), style="red"),
    )


def _clusters(clusters: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("live Dask cluster", "run", "workers", "memory", "tasks", "")
    for one in clusters:
        figures = one["figures"]
        done, total = figures["tasks_done"], figures["tasks_total"]
        table.add_row(
            Text(plain(one["task"])),
            Text(plain(one["execution"])),
            f"{figures['workers']}/{figures['wanted']}",
            size(figures["memory_bytes"] / MIB),
            f"{done}/{total}",
            bar(done / total if total else 0.0),
        )
    return table


def _run(state: State, now: Micros, height: int) -> list[RenderableType]:
    run = state.seen.run
    assert state.open is not None
    if run is None:
        return [_head(plain(state.open.name)), Text("Asking ...", style="dim")]
    took = span(((run.ended_at or now) - run.started_at) / SECOND) if run.started_at is not None else ""
    head = Text.assemble(
        ("dayfly top  ", "bold"),
        (plain(run.workflow.removeprefix(single_task.NAME_PREFIX)), "bold"),
        "  ",
        _phase(run.phase.name),
        f"  {took}  ",
        run.id.name,
    )
    details = [part for cluster in state.seen.details for part in _cluster(cluster)]
    error = [Text(plain(line), style="red") for line in run.error.message.splitlines()[:3]] if run.error else []
    taken = 5 + len(error) + sum(_lines(cluster) for cluster in state.seen.details)
    table = _table("phase", "node", "took", rest="")
    rows = window(len(run.nodes), state.position(), max(3, height - taken) if height else len(run.nodes))
    for number in rows:
        node = run.nodes[number]
        lasted = span(((node.ended_at or now) - node.started_at) / SECOND) if node.started_at is not None else ""
        table.add_row(
            _phase(node.phase.name),
            Text(plain(node.name)),
            Text(lasted, justify="right"),
            Text(plain(tree.detail(node)), style="dim"),
            style=CHOSEN if height and number == state.position() else "",
        )
    return [head, Text(""), table, *error, *details]


def _lines(cluster: ClusterNow) -> int:
    return 4 + min(len(cluster.workers), WORKER_ROWS) + min(len(cluster.prefixes), PREFIX_ROWS)


def _cluster(cluster: ClusterNow) -> list[RenderableType]:
    entry, figures = cluster.entry, cluster.entry["figures"]
    workers = _table("worker", "memory", "", "CPU", "tasks")
    held = sorted(cluster.workers.items(), key=lambda one: -one[1]["memory"])[:WORKER_ROWS]
    for name, row in sorted(held):
        limit = row["memory_limit"]
        share = row["memory"] / limit if limit else 0.0
        memory = size(row["memory"]) + (f"/{size(limit)}" if limit else "")
        spilled = f" +{size(row['spilled'])} on disk" if row["spilled"] else ""
        tasks = f"{row['running']} running, {row['waiting']} waiting"
        high = bar(share, style="red" if share > 0.8 else "cyan")
        workers.add_row(Text(plain(name)), memory + spilled, high, f"{row['cpu']} %", tasks)
    prefixes = _table("tasks", "done", "", "")
    most = sorted(cluster.prefixes.items(), key=lambda one: -one[1]["seconds"])[:PREFIX_ROWS]
    for name, row in most:
        total = row["done"] + row["erred"] + row["processing"] + row["waiting"]
        failed = Text(f"{row['erred']} failed", style="red") if row["erred"] else Text("")
        share = bar(row["done"] / total if total else 0.0, style="green")
        prefixes.add_row(Text(plain(name)), f"{row['done']}/{total}", share, failed)
    head = Text.assemble(
        (f"\nDask cluster of {plain(entry['task'])}  ", "bold"),
        f"{figures['workers']}/{figures['wanted']} workers  {size(figures['memory_bytes'] / MIB)}",
    )
    return [head, workers, prefixes]


def _table(*columns: str, rest: str | None = None) -> Table:
    """Return a table; `rest` heads a column that gets what room the others leave, and is cut to it."""
    table = Table(box=None, pad_edge=False, header_style="bold", expand=rest is not None)
    for column in columns:
        table.add_column(column, no_wrap=True, justify="right" if column in ("took", "CPU") else "left")
    if rest is not None:
        table.add_column(rest, no_wrap=True, overflow="ellipsis", ratio=1)
    return table


def _head(text: str) -> Text:
    return Text.assemble(("dayfly top", "bold"), f"  {text}\n")


def _phase(name: str) -> Text:
    return Text(name.replace("_", " ").lower(), style=STYLES.get(name, ""))


def _foot(state: State) -> Text:
    if state.asking is not None:
        return Text(f"\nAbort {plain(state.asking.name)}?  y yes   any other key no", style="bold red")
    note = f"   {plain(state.note)}" if state.note else ""
    return Text.assemble(("\n" + (KEYS_OF_RUNS if state.open is None else KEYS_OF_A_RUN), "dim"), (note, "yellow"))
