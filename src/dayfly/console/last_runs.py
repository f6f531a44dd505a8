"""What the lists of workflows and of tasks are made of: names, their versions, and the last runs of each."""

from __future__ import annotations

import asyncio
from typing import Any

from dayfly.console import registered, run_bars
from dayfly.console.addresses import Place
from dayfly.console.site import View

REFRESH_SECONDS = 10.0
"""Seldom: each time the versions of a whole place are read, with all that was registered."""

ASKED_SINGLY = registered.MOST // 5
"""Names that are asked for by themselves, at most."""


async def read(
    view: View, place: Place, kind: int, entity: str, filters: str = ""
) -> tuple[list[Any], dict[str, list[Any]], dict[str, list[Any]]]:
    """Return admin.NamedEntity, and by name their versions and last runs, newest first.

    `kind` is core's resource type, `entity` begins the field that runs have for it: `workflow` or `task`. `filters`
    chooses among the place's runs.
    """
    named, versions, runs = await asyncio.gather(
        registered.names(view, kind, place),
        registered.versions(view, kind, place),
        registered.runs(view, place, filters),
    )
    found = await _last(view, place, [one.id.name for one in named], runs, entity)
    return named, registered.by_name(versions), found


async def _last(view: View, place: Place, names: list[str], runs: list[Any], entity: str) -> dict[str, list[Any]]:
    """Return the last runs by name, out of the newest of the place; those with none there are asked for one by one."""
    found: dict[str, list[Any]] = {name: [] for name in names}
    for one in runs:
        name = one.closure.workflow_id.name if entity == "workflow" else one.spec.launch_plan.name
        if name in found and len(found[name]) < run_bars.IN_A_ROW:
            found[name].append(one)
    if len(runs) >= registered.MOST:  # There are older ones.
        rare = [name for name, some in found.items() if not some][:ASKED_SINGLY]
        field = f"{entity}.name"
        lists = await asyncio.gather(
            *(registered.runs(view, place, registered.of_name(field, name), limit=run_bars.IN_A_ROW) for name in rare)
        )
        found.update(zip(rare, lists, strict=True))
    return found
