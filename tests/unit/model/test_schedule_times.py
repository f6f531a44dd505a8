from __future__ import annotations

from datetime import datetime, timezone

import pytest
from flyteidl.admin import schedule_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.base import clock, errors
from dayfly.base.clock import SECOND, Micros
from dayfly.model import schedule_times
from dayfly.model.schedule_times import Times

NOON = datetime(2024, 2, 28, 12, 0, tzinfo=timezone.utc)


def at(text: str) -> Micros:
    return clock.from_datetime(datetime.fromisoformat(text))


def cron(text: str, offset: str = "") -> schedule_pb2.Schedule:
    return schedule_pb2.Schedule(cron_schedule=schedule_pb2.CronSchedule(schedule=text, offset=offset))


def rate(value: int, unit: int) -> schedule_pb2.Schedule:
    return schedule_pb2.Schedule(rate=schedule_pb2.FixedRate(value=value, unit=unit))


@pytest.mark.parametrize(
    ("schedule", "after", "expected"),
    [
        (cron("* * * * *"), "2024-02-28T12:00:00", "2024-02-28T12:01:00"),
        (cron("*/15 * * * *"), "2024-02-28T12:00:30.5", "2024-02-28T12:15:00"),
        (cron("0 0 29 2 *"), "2024-03-01T00:00:00", "2028-02-29T00:00:00"),
        (cron("30 6 31 * *"), "2024-03-31T06:30:00", "2024-05-31T06:30:00"),
        (cron("0 12 * * MON-FRI"), "2024-03-01T12:00:00", "2024-03-04T12:00:00"),
        (cron("@daily"), "2024-02-28T12:00:00", "2024-02-29T00:00:00"),
        (cron("days"), "2024-02-28T12:00:00", "2024-02-29T00:00:00"),
        (cron("hourly"), "2024-02-28T12:00:00", "2024-02-28T13:00:00"),
        (cron("weekly"), "2024-02-28T12:00:00", "2024-03-03T00:00:00"),
        (cron("@monthly"), "2024-02-28T12:00:00", "2024-03-01T00:00:00"),
        (cron("@annually"), "2024-02-28T12:00:00", "2025-01-01T00:00:00"),
        # What changes elsewhere in the night of 31 March changes nothing here: times are UTC.
        (cron("30 1 * * *"), "2024-03-30T01:30:00", "2024-03-31T01:30:00"),
        (schedule_pb2.Schedule(cron_expression="0 12 ? * 2-6 *"), "2024-03-01T12:00:00", "2024-03-04T12:00:00"),
        (schedule_pb2.Schedule(cron_expression="0 12 * * *"), "2024-03-01T12:00:00", "2024-03-02T12:00:00"),
        (rate(90, schedule_pb2.MINUTE), "2024-02-28T12:00:00.25", "2024-02-28T13:30:00.25"),
        (rate(2, schedule_pb2.DAY), "2024-02-28T12:00:00", "2024-03-01T12:00:00"),
    ],
)
def test_the_next_time(schedule: schedule_pb2.Schedule, after: str, expected: str) -> None:
    assert schedule_times.next_after(schedule_times.read(schedule), at(after)) == at(expected)


@pytest.mark.parametrize(
    "schedule",
    [
        cron(""),
        cron("every day"),
        cron("* * * *"),
        cron("0 0 * * * *"),
        cron("61 * * * *"),
        cron("0 0 30 2 *"),
        cron("0 0 * * *", offset="PT5M"),
        rate(0, schedule_pb2.DAY),
        rate(1, 17),
        schedule_pb2.Schedule(cron_expression="rate(1 day)"),
    ],
)
def test_what_is_no_schedule(schedule: schedule_pb2.Schedule) -> None:
    with pytest.raises(errors.InvalidArgument):
        schedule_times.read(schedule)


HOURLY, EVERY_HOUR = Times(cron="0 * * * *"), Times(every=schedule_times.HOUR)


@pytest.mark.parametrize("times", [HOURLY, EVERY_HOUR])
def test_what_was_missed_is_caught_up_with_to_the_limit(times: Times) -> None:
    began, now = at("2024-02-28T00:00:00"), at("2024-02-28T12:00:30")
    due = schedule_times.due(times, began, now, catch_up=3)
    assert due.fire == tuple(at(f"2024-02-28T{hour:02}:00:00") for hour in (9, 10, 11, 12))
    assert due.missed >= 1
    assert due.seen == due.fire[-1]
    assert schedule_times.due(times, due.seen, now, catch_up=3) == schedule_times.Due((), 0, due.seen)


@pytest.mark.parametrize("times", [HOURLY, EVERY_HOUR])
def test_without_catching_up_only_what_is_on_time_fires(times: Times) -> None:
    began = at("2024-02-28T00:00:00")
    late = schedule_times.due(times, began, at("2024-02-28T12:30:00"), catch_up=0)
    assert (late.fire, late.seen) == ((), at("2024-02-28T12:00:00"))
    assert schedule_times.due(times, began, at("2024-02-28T12:00:00"), catch_up=0).fire == (at("2024-02-28T12:00:00"),)


def test_a_fixed_rate_keeps_its_beat() -> None:
    began = at("2024-02-28T00:07:00.5")
    due = schedule_times.due(EVERY_HOUR, began, at("2024-03-28T00:00:00"), catch_up=1)
    assert due.fire == (at("2024-03-27T23:07:00.5"),)
    assert due.missed == 29 * 24 - 2


@settings(deadline=None)  # How long it takes is the machine's affair.
@given(
    st.sampled_from([HOURLY, EVERY_HOUR, Times(cron="*/7 3 * * 1-5"), Times(every=13 * SECOND * 60)]),
    st.integers(0, 40 * schedule_times.DAY),
    st.lists(st.integers(1, 3 * schedule_times.DAY), min_size=1, max_size=8),
)
def test_every_moment_fires_once_however_often_one_looks(times: Times, start: int, pauses: list[int]) -> None:
    began = Micros(clock.from_datetime(NOON) + start)
    fired, seen, now = [], began, began
    for pause in pauses:
        now = Micros(now + pause)
        due = schedule_times.due(times, seen, now, catch_up=10_000)
        fired += due.fire
        seen = due.seen
    expected, moment = [], schedule_times.next_after(times, began)
    while moment is not None and moment <= now:
        expected.append(moment)
        moment = schedule_times.next_after(times, moment)
    assert fired == expected


def test_the_latest_moments_are_told_backwards() -> None:
    hour = 3600 * SECOND
    start = Micros(1_767_225_600 * SECOND)
    hourly = Times(cron="0 * * * *")
    assert schedule_times.latest(hourly, start, Micros(start + 3 * hour), 2) == [start + 3 * hour, start + 2 * hour]
    assert schedule_times.latest(hourly, start, Micros(start + hour), 5) == [start + hour]
