"""Fires the schedules of active launch plans. Started by `assembly`; uses the launcher that CreateExecution uses.

An execution's name follows from its plan and the moment, so that a moment fires once, however often it is tried: after
a crash between launching and noting it, and by two platforms on one database.
"""

from __future__ import annotations

import asyncio
import hashlib

from flyteidl.admin import execution_pb2, launch_plan_pb2
from flyteidl.core import literals_pb2

from dayfly.base import clock as clocks
from dayfly.base import errors, logs
from dayfly.base.clock import SECOND, Clock, Micros
from dayfly.model import identifiers, schedule_times
from dayfly.model.identifiers import EntityId
from dayfly.ports.schedules import ScheduledPlan, Schedules
from dayfly.services.launching import Launcher
from dayfly.services.timestamps import to_timestamp

LONGEST_PAUSE_SECONDS = 5.0
"""How soon a plan that has just been activated is seen."""

_log = logs.get("schedules")


class Scheduler:
    """Keeps all schedules; `catch_up` is how many missed moments of one plan are fired late."""

    def __init__(self, schedules: Schedules, launcher: Launcher, clock: Clock, *, catch_up: int) -> None:
        self._schedules = schedules
        self._launcher = launcher
        self._clock = clock
        self._catch_up = catch_up

    async def run(self) -> None:
        """Fire what is due until cancelled."""
        while True:
            pause = LONGEST_PAUSE_SECONDS
            try:
                due = await self.fire_due()
                if due is not None:
                    pause = min(pause, max(0.0, (due - self._clock.now()) / SECOND))
            except errors.PlatformError as error:
                _log.warning("cannot keep the schedules; trying again", error=str(error))
            await asyncio.sleep(pause)

    async def fire_due(self) -> Micros | None:
        """Fire what is due now and return when the next is. Raise `PlatformError` when that cannot be done now."""
        upcoming = [await self._keep(plan) for plan in await self._schedules.list_active()]
        return min((moment for moment in upcoming if moment is not None), default=None)

    async def _keep(self, plan: ScheduledPlan) -> Micros | None:
        message = launch_plan_pb2.LaunchPlan.FromString(plan.document)
        schedule = message.spec.entity_metadata.schedule
        times = schedule_times.read(schedule)
        due = schedule_times.due(times, plan.fired_at, self._clock.now(), catch_up=self._catch_up)
        if due.missed:
            _log.warning("missed moments of a schedule are passed over", plan=str(plan.id), at_least=due.missed)
        for moment in due.fire:
            await self._fire(plan.id, schedule.kickoff_time_input_arg, moment)
            await self._schedules.mark_fired(plan.id, moment)
        if due.seen > plan.fired_at and not due.fire:
            await self._schedules.mark_fired(plan.id, due.seen)
        return schedule_times.next_after(times, due.seen)

    async def _fire(self, plan: EntityId, kickoff: str, moment: Micros) -> None:
        inputs = literals_pb2.LiteralMap()
        if kickoff:
            inputs.literals[kickoff].scalar.primitive.datetime.CopyFrom(to_timestamp(moment))
        spec = execution_pb2.ExecutionSpec(launch_plan=identifiers.to_identifier(plan))
        spec.metadata.mode = execution_pb2.ExecutionMetadata.SCHEDULED
        spec.metadata.scheduled_at.CopyFrom(to_timestamp(moment))
        name = execution_name(plan, moment)
        at = clocks.to_datetime(moment).isoformat()
        try:
            await self._launcher.launch(plan.project, plan.domain, name, spec, inputs)
        except errors.AlreadyExists:
            return
        except errors.UserError as error:
            # Trying again would not help, and must not keep other plans waiting.
            _log.error("a schedule could not be fired", plan=str(plan), at=at, error=str(error))
            return
        _log.info("fired a schedule", plan=str(plan), at=at, execution=name)


def execution_name(plan: EntityId, moment: Micros) -> str:
    """Return the name of the execution that a plan's schedule starts at that moment: `f` and 19 hex digits."""
    told = f"{plan.project}:{plan.domain}:{plan.name}:{plan.version}:{moment // SECOND}"
    return "f" + hashlib.sha256(told.encode()).hexdigest()[:19]
