"""Launch plans as a table: state, schedule in words, next fires, last fire and its run, missed ones; switched here."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.console import addresses, confirming, frame, interfaces, registered, schedule_words, table, wording
from dayfly.console.addresses import Place
from dayfly.console.site import View
from dayfly.model import identifiers

COLUMNS = (
    table.column("name", "Launch plan", kind="grow"),
    table.column("state", "State"),
    table.column("schedule", "Schedule"),
    table.column("next", "Next"),
    table.column("last", "Last fire"),
    table.column("run", "Run"),
    table.column("missed", "Missed", kind="num"),
    table.column("act", ""),
)


@dataclass(frozen=True)
class Fires:
    """What a schedule did and will do."""

    next: tuple[Micros, ...] = ()
    last: Any = None
    """admin.Execution"""
    missed: tuple[Micros, ...] = ()


class Plans:
    """The table on a page; `every` shows launch plans without a schedule too."""

    def __init__(self, view: View, place: Place, *, every: bool = False) -> None:
        self._view, self._place, self._every = view, place, every
        self._plans: dict[str, Any] = {}
        nothing = "No launch plans." if every else "Nothing is scheduled here."
        self._table = table.Table(COLUMNS, label="Launch plans", nothing=nothing, on_action=self._act)

    async def refresh(self, versions: list[Any]) -> None:
        """Show what is there now, out of all versions of launch plans."""
        self._plans = {name: _shown(some) for name, some in registered.by_name(versions).items()}
        shown = [one for one in self._plans.values() if self._every or is_scheduled(one)]
        fires = await asyncio.gather(*(find_fires(self._view, self._place, one) for one in shown))
        self._table.set_rows([_row(self._place, one, told) for one, told in zip(shown, fires, strict=True)])

    async def _act(self, name: str, action: str) -> None:
        plan = self._plans[name]
        if action == "launch":
            asked = {"launch_plan": name, "version": plan.id.version}
            frame.go(addresses.launch(self._place, asked))
            return
        if await switch(self._view, plan, action == "activate"):
            versions = await registered.versions(self._view, plan.id.resource_type, self._place, name)
            others = [one for one in self._plans.values() if one.id.name != name]
            await self.refresh([*versions, *others])


async def switch(view: View, plan: Any, active: bool) -> bool:
    """Activate or deactivate an admin.LaunchPlan once the reader has confirmed it; return whether it was done."""
    name, version = plan.id.name, plan.id.version
    told = schedule_words.tell(plan.spec.entity_metadata.schedule) if is_scheduled(plan) else None
    if active:
        words = f"It fires by its schedule: {told.words}." if told else "It has no schedule."
        asked = (f"Activate {name}?", f"Version {version} becomes the active one. {words}", "Activate")
    else:
        words = "Its schedule fires no more" if told else "No version of it is the active one"
        asked = (f"Deactivate {name}?", f"{words} until it is activated again. Runs under way go on.", "Deactivate")
    if not await confirming.confirm(*asked, danger=not active):
        return False
    try:
        await registered.set_active(view, identifiers.from_identifier(plan.id), active)
    except errors.DayflyError as error:
        confirming.say(error.message, bad=True)
        return False
    confirming.say(f"{name} is {'active' if active else 'not active any more'}.")
    return True


def is_scheduled(plan: Any) -> bool:
    """Say whether an admin.LaunchPlan has a schedule."""
    return plan.spec.entity_metadata.schedule.WhichOneof("ScheduleExpression") is not None


def is_active(plan: Any) -> bool:
    """Say whether an admin.LaunchPlan is the active version of its name."""
    return bool(plan.closure.state == registered.ACTIVE)


async def find_fires(view: View, place: Place, plan: Any) -> Fires:
    """Return what the schedule of an admin.LaunchPlan did and will do."""
    if not is_scheduled(plan):
        return Fires()
    mode = execution_pb2.ExecutionMetadata.SCHEDULED
    filters = f"{registered.of_name('launch_plan.name', plan.id.name)}+eq(mode,{mode})"
    runs = await registered.runs(view, place, filters, limit=schedule_words.LOOKED_AT)
    last = runs[0] if runs else None
    if not is_active(plan):
        return Fires((), last)
    schedule, now = plan.spec.entity_metadata.schedule, view.site.clock.now()
    since = Micros(plan.closure.updated_at.ToMicroseconds())  # Since when it is active.
    kept = [Micros(one.spec.metadata.scheduled_at.ToMicroseconds()) for one in runs]
    if len(runs) == schedule_words.LOOKED_AT:
        since = max(since, min(kept))  # Older ones are not looked at.
    fired_at = max([since, *kept])
    missed = schedule_words.missed(schedule, since, now, kept)
    return Fires(tuple(schedule_words.next_fires(schedule, fired_at, now, 5)), last, tuple(missed))


def _shown(versions: list[Any]) -> Any:
    """Return the version that counts: the active one, else the newest."""
    return next((one for one in versions if is_active(one)), versions[0])


def _row(place: Place, plan: Any, fires: Fires) -> table.Row:
    id = identifiers.from_identifier(plan.id)
    href = addresses.version("launch_plan", id)
    active = is_active(plan)
    told = schedule_words.tell(plan.spec.entity_metadata.schedule) if is_scheduled(plan) else None
    state = table.text("Active", title=f"Version {id.version}") if active else table.text("Inactive", faint=True)
    lines = "; ".join(f"{one.name}: {one.more}" for one in interfaces.of_plan(plan) if one.more)
    cells = {
        "name": table.link(id.name, href, below=f"{id.version} · {plan.spec.workflow_id.name}"),
        "state": {**state, "title": lines},
        "schedule": {"text": told.words, "below": told.exact} if told else table.text("–", faint=True),
        "next": table.moment(fires.next[0]) if fires.next else table.text("–", faint=True),
        "missed": _missed(fires),
        **_last(fires.last),
        "act": table.actions(
            ("deactivate", "Deactivate") if active else ("activate", "Activate"), ("launch", "Launch")
        ),
    }
    return table.row(id.name, cells, href=href)


def _last(run: Any) -> dict[str, table.Cell]:
    if run is None:
        return {"last": table.text("–", faint=True), "run": table.text("–", faint=True)}
    phase = wording.phase(phases_pb2.WorkflowExecution.Phase.Name(run.closure.phase))
    id = identifiers.from_execution_identifier(run.id)
    at = Micros(run.spec.metadata.scheduled_at.ToMicroseconds())
    return {"last": table.moment(at), "run": table.link(id.name, addresses.run(id), below=phase)}


def _missed(fires: Fires) -> table.Cell:
    if not fires.missed:
        return table.text("0", faint=True)
    told = ", ".join(wording.moment(at)[:16].replace("T", " ") for at in fires.missed[:10])
    return table.text(str(len(fires.missed)), title=f"No run for {told} (UTC)")
