"""Schedules in words, when they fire, and which fires nobody kept. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, NamedTuple

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.model import schedule_times
from dayfly.model.schedule_times import ON_TIME, Times

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT = {name[:3].upper(): at for at, name in enumerate(_DAYS[:7])}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_UNITS = {0: "minute", 1: "hour", 2: "day"}

LOOKED_AT = 50
"""Moments in the past that are looked at for missed fires."""


class Told(NamedTuple):
    """A schedule for people."""

    words: str
    exact: str
    """As it was registered."""


def tell(schedule: Any) -> Told:
    """Return an admin.Schedule in words."""
    kind = schedule.WhichOneof("ScheduleExpression")
    if kind == "rate":
        unit, count = _UNITS.get(schedule.rate.unit, "?"), schedule.rate.value
        words = f"Every {unit}" if count == 1 else f"Every {count} {unit}s"
        return Told(words, f"rate: {count} {unit}")
    exact = schedule.cron_schedule.schedule if kind == "cron_schedule" else schedule.cron_expression
    try:
        expression = schedule_times.read(schedule).cron
    except errors.InvalidArgument:
        return Told(exact, exact)
    return Told(cron(expression), exact)


def cron(expression: str) -> str:
    """Return five fields in words; the fields themselves where they are too special."""
    minute, hour, day, month, weekday = expression.split()
    days = _days(day, month, weekday)
    times = _times(minute, hour)
    if days is None or times is None:
        return f"Cron {expression}, UTC"
    told, at_times = days, times
    if at_times.startswith("at "):
        return f"{told} {at_times} UTC"
    return at_times if told == "Every day" else f"{at_times}, {told[0].lower()}{told[1:]}"


def next_fires(schedule: Any, fired_at: Micros, now: Micros, count: int) -> list[Micros]:
    """Return the next moments; `fired_at` is the last one, or when the schedule began."""
    try:
        times = schedule_times.read(schedule)
    except errors.InvalidArgument:
        return []
    found: list[Micros] = []
    at = _beat_before(times, fired_at, now)
    while len(found) < count:
        later = schedule_times.next_after(times, at)
        if later is None:
            break
        found.append(later)
        at = later
    return found


def missed(schedule: Any, since: Micros, now: Micros, kept: Collection[Micros]) -> list[Micros]:
    """Return moments since then of which there is no run, newest first; of the last `LOOKED_AT` alone."""
    try:
        times = schedule_times.read(schedule)
    except errors.InvalidArgument:
        return []
    there = {at // 1_000_000 for at in kept}
    due = schedule_times.latest(times, since, Micros(now - ON_TIME), LOOKED_AT)
    return [at for at in due if at // 1_000_000 not in there]


def _beat_before(times: Times, fired_at: Micros, now: Micros) -> Micros:
    if times.every:
        return Micros(fired_at + max((now - fired_at) // times.every, 0) * times.every)
    return now


def _times(minute: str, hour: str) -> str | None:
    if minute.isdigit() and hour.isdigit():
        return f"at {int(hour):02}:{int(minute):02}"
    if minute.isdigit() and re.fullmatch(r"\d+(,\d+)+", hour):
        return "at " + _and([f"{int(one):02}:{int(minute):02}" for one in hour.split(",")])
    if hour == "*" and minute.isdigit():
        return "Every hour" if int(minute) == 0 else f"Every hour at minute {int(minute)}"
    if hour == "*" and (every := re.fullmatch(r"\*/(\d+)", minute)):
        return f"Every {every[1]} minutes"
    if hour == "*" and minute == "*":
        return "Every minute"
    if minute == "0" and (every := re.fullmatch(r"\*/(\d+)", hour)):
        return f"Every {every[1]} hours"
    return None


def _days(day: str, month: str, weekday: str) -> str | None:
    if (day, month, weekday) == ("*", "*", "*"):
        return "Every day"
    if (day, month) == ("*", "*"):
        return _weekdays(weekday)
    if weekday == "*" and day.isdigit():
        if month == "*":
            return f"On day {int(day)} of every month"
        if month.isdigit() and 1 <= int(month) <= 12:
            return f"Every year on {int(day)} {_MONTHS[int(month) - 1]}"
    return None


def _weekdays(weekday: str) -> str | None:
    plain = re.sub("[A-Z]{3}", lambda one: str(_SHORT.get(one[0], one[0])), weekday.upper())
    if plain == "1-5":
        return "Monday to Friday"
    if not re.fullmatch(r"[0-7](,[0-7])*", plain):
        return None
    return "Every " + _and([_DAYS[int(one)] for one in plain.split(",")])


def _and(parts: list[str]) -> str:
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
