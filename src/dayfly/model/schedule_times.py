"""When a launch plan's schedule fires: cron expressions and fixed rates, in UTC. Pure.

Sources: flytekit/core/schedule.py in flyteorg/flytekit for what clients send, and for what Flyte's scheduler
makes of it flyteadmin/scheduler/core/gocron_scheduler.go in flyteorg/flyte.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec
from flyteidl.admin import launch_plan_pb2, schedule_pb2

from dayfly.base import clock, errors
from dayfly.base.clock import SECOND, Micros

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND

ON_TIME = 2 * MINUTE
"""What is due for longer than this was missed: nobody was there to fire it."""

_UNITS = {schedule_pb2.MINUTE: MINUTE, schedule_pb2.HOUR: HOUR, schedule_pb2.DAY: DAY}

_ALIASES = {
    "hourly": "0 * * * *",
    "hours": "0 * * * *",
    "daily": "0 0 * * *",
    "days": "0 0 * * *",
    "weekly": "0 0 * * 0",
    "weeks": "0 0 * * 0",
    "monthly": "0 0 1 * *",
    "months": "0 0 1 * *",
    "annually": "0 0 1 1 *",
    "yearly": "0 0 1 1 *",
    "years": "0 0 1 1 *",
}


class Times(msgspec.Struct, frozen=True):
    """A schedule that has been understood: one of the two is set."""

    cron: str = ""
    """Five fields."""
    every: int = 0
    """Microseconds between two."""


class Due(msgspec.Struct, frozen=True):
    """What is to be done about a schedule now."""

    fire: tuple[Micros, ...]
    """Moments to fire, oldest first."""
    missed: int
    """How many before them are passed over; at least that many."""
    seen: Micros
    """Everything up to here has been looked at."""


def is_scheduled(spec: launch_plan_pb2.LaunchPlanSpec) -> bool:
    """Say whether the launch plan has a schedule."""
    return spec.entity_metadata.schedule.WhichOneof("ScheduleExpression") is not None


def read(schedule: schedule_pb2.Schedule) -> Times:
    """Return when the schedule fires. Raise `InvalidArgument` for one that cannot be understood or would never."""
    kind = schedule.WhichOneof("ScheduleExpression")
    if kind == "rate":
        unit = _UNITS.get(schedule.rate.unit)
        if unit is None or schedule.rate.value == 0:
            raise errors.InvalidArgument("schedule.rate needs a value above 0, in minutes, hours or days.")
        return Times(every=schedule.rate.value * unit)
    if kind == "cron_schedule":
        if schedule.cron_schedule.offset:
            raise errors.InvalidArgument(
                f"schedule.cron_schedule.offset {schedule.cron_schedule.offset!r} is not served.",
                remedy="Say the time itself in the expression; times are UTC.",
            )
        return Times(cron=_cron(schedule.cron_schedule.schedule))
    return Times(cron=_cron(_from_aws(schedule.cron_expression)))


def next_after(times: Times, moment: Micros) -> Micros | None:
    """Return the first moment after `moment`; None if there is none within the years that cron looks ahead."""
    if times.every:
        return Micros(moment + times.every)
    return next(_walk(times.cron, moment, "get_next"), None)


def latest(times: Times, after: Micros, until: Micros, count: int) -> list[Micros]:
    """Return the last moments from `after`, which is left out, to `until`, the last one first: `count` at most."""
    return list(itertools.islice(_backwards(times, after, until), count))


def due(times: Times, fired_at: Micros, now: Micros, *, catch_up: int) -> Due:
    """Return what to fire at `now`, everything up to `fired_at` having been seen to.

    Of what was missed, the last `catch_up` are fired. A fixed rate keeps its beat, however late one is fired.
    """
    fresh: list[Micros] = []
    late: list[Micros] = []
    missed = 0
    for moment in _backwards(times, fired_at, now):
        if now - moment <= ON_TIME:
            fresh.append(moment)
        elif len(late) < catch_up:
            late.append(moment)
        else:
            missed = 1 if times.cron else (moment - fired_at) // times.every
            break
    fire = tuple(reversed([*fresh, *late]))
    return Due(fire, missed, fire[-1] if fire else _last_before(times, fired_at, now))


def _backwards(times: Times, after: Micros, now: Micros) -> Iterator[Micros]:
    """Yield the moments of a schedule from `now` back to `after`, which is left out."""
    if times.every:
        count = (now - after) // times.every
        yield from (Micros(after + number * times.every) for number in range(count, 0, -1))
        return
    # One microsecond on, so that `now` itself counts; cron looks at whole seconds.
    from_now = _walk(times.cron, Micros(now - now % SECOND + SECOND), "get_prev")
    yield from itertools.takewhile(lambda moment: moment > after, from_now)


def _walk(expression: str, start: Micros, step: str) -> Iterator[Micros]:
    """Yield the moments before or after `start`, which is left out, for as far as croniter looks."""
    import croniter  # when it is needed: it takes 40 ms, and most servers have no schedule

    walk = croniter.croniter(expression, clock.to_datetime(start))
    while True:
        try:
            yield Micros(int(getattr(walk, step)()) * SECOND)
        except croniter.CroniterBadDateError:
            return


def _last_before(times: Times, fired_at: Micros, now: Micros) -> Micros:
    return next(_backwards(times, fired_at, now), fired_at)


def _cron(text: str) -> str:
    import croniter

    expression = _ALIASES.get(text.strip().lower().removeprefix("@"), text.strip())
    if len(expression.split()) != 5 or not croniter.croniter.is_valid(expression):
        raise errors.InvalidArgument(
            f"The schedule {text!r} is no cron expression.",
            remedy="Give five fields (minute, hour, day of month, month, day of week), or one of: "
            f"{', '.join(sorted(_ALIASES))}.",
        )
    if next_after(Times(cron=expression), Micros(0)) is None:
        raise errors.InvalidArgument(f"The schedule {text!r} never fires.", remedy="Name a day that there is.")
    return expression


def _from_aws(text: str) -> str:
    """Return the five fields of an expression of AWS EventBridge, which has a year at its end, `?` and days from 1."""
    fields = text.strip().split()
    if len(fields) != 6:
        return text
    fields = [field.replace("?", "*") for field in fields[:5]]
    fields[4] = re.sub(r"[1-7](?![0-9])", lambda day: str(int(day.group()) - 1), fields[4])
    return " ".join(fields)
