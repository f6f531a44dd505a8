"""Schedules in words, next fires and missed ones."""

from __future__ import annotations

import pytest
from flyteidl.admin import schedule_pb2

from dayfly.base.clock import SECOND, Micros
from dayfly.console import schedule_words

MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86400 * SECOND
START = Micros(1_767_225_600 * SECOND)  # 2026-01-01, a Thursday.


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("30 2 * * *", "Every day at 02:30 UTC"),
        ("0 6,18 * * *", "Every day at 06:00 and 18:00 UTC"),
        ("0 9 * * 1-5", "Monday to Friday at 09:00 UTC"),
        ("0 9 * * MON,7", "Every Monday and Sunday at 09:00 UTC"),
        ("0 0 1 * *", "On day 1 of every month at 00:00 UTC"),
        ("0 0 24 12 *", "Every year on 24 December at 00:00 UTC"),
        ("*/10 * * * *", "Every 10 minutes"),
        ("*/10 * * * 6", "Every 10 minutes, every Saturday"),
        ("15 * * * *", "Every hour at minute 15"),
        ("0 */4 * * *", "Every 4 hours"),
        ("1-9/2 * 3 * *", "Cron 1-9/2 * 3 * *, UTC"),
    ],
)
def test_cron_is_told_in_words(expression: str, words: str) -> None:
    assert schedule_words.cron(expression) == words


def rate(value: int, unit: int) -> schedule_pb2.Schedule:
    return schedule_pb2.Schedule(rate={"value": value, "unit": unit})


def cron(expression: str) -> schedule_pb2.Schedule:
    return schedule_pb2.Schedule(cron_schedule={"schedule": expression})


def test_rates_and_aliases_are_told_in_words() -> None:
    assert schedule_words.tell(rate(1, schedule_pb2.HOUR)).words == "Every hour"
    assert schedule_words.tell(rate(3, schedule_pb2.DAY)).words == "Every 3 days"
    assert schedule_words.tell(cron("@daily")) == ("Every day at 00:00 UTC", "@daily")
    assert (
        schedule_words.tell(schedule_pb2.Schedule(cron_expression="0 12 ? * 2 *")).words == "Every Monday at 12:00 UTC"
    )


def test_a_rate_keeps_its_beat() -> None:
    now = Micros(START + 25 * MINUTE)
    found = schedule_words.next_fires(rate(10, schedule_pb2.MINUTE), START, now, 2)
    assert found == [START + 30 * MINUTE, START + 40 * MINUTE]


def test_cron_fires_next_by_the_clock() -> None:
    found = schedule_words.next_fires(cron("0 2 * * *"), START, Micros(START + 3 * HOUR), 2)
    assert found == [START + DAY + 2 * HOUR, START + 2 * DAY + 2 * HOUR]


def test_missed_are_moments_without_a_run() -> None:
    now = Micros(START + 4 * HOUR + MINUTE)  # The last one is just due.
    kept = [Micros(START + 1 * HOUR), Micros(START + 3 * HOUR)]
    assert schedule_words.missed(cron("0 * * * *"), START, now, kept) == [START + 2 * HOUR]
