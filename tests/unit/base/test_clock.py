from datetime import datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from dayfly.base import clock


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))
def test_a_datetime_comes_back_as_it_was(at: datetime) -> None:
    aware = at.replace(tzinfo=timezone.utc)
    back = clock.to_datetime(clock.from_datetime(aware))
    assert abs(back - aware) <= timedelta(microseconds=20), "floats carry no more above 2**53 microseconds"
    assert clock.from_datetime(at) == clock.from_datetime(aware)


def test_a_manual_clock_moves_only_when_told() -> None:
    manual = clock.ManualClock()
    before = manual.now()
    assert manual.now() == before
    manual.advance(1.5)
    assert manual.now() - before == 1_500_000
