"""What a look at a resource comes to."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.base import clock
from dayfly.operator import deciding
from dayfly.operator.deciding import Do
from dayfly.operator.resources import Resource
from tests.unit.operator.making import execution, platforms, users

GONE = {"deletionTimestamp": "2026-11-26T10:00:00Z"}
REFUSED = {"phase": "REFUSED", "observedGeneration": 1}
SEEN = {"executionId": {}, "phase": "RUNNING"}

ASKS = [
    ("the platform's own", platforms(), None),
    ("another platform's", platforms("other"), Do.NOTHING),
    ("new", users(), Do.LAUNCH),
    ("new, for this platform", users(platform="dayfly"), Do.LAUNCH),
    ("new, for another platform", users(platform="other"), Do.NOTHING),
    ("new and deleted", users(**GONE), Do.NOTHING),
    ("claimed, perhaps launched", users(claimed=True), Do.LAUNCH),
    ("claimed, perhaps launched, deleted", users(claimed=True, **GONE), None),
    ("launched", users(claimed=True, status=SEEN), None),
    ("refused", users(status=REFUSED), Do.NOTHING),
    ("refused when it was claimed", users(claimed=True, status=REFUSED), None),
    ("refused when it was claimed, and released", users(claimed=True, status=REFUSED, finalizers=[]), Do.NOTHING),
    ("refused, then changed", users(status=REFUSED, generation=2), Do.LAUNCH),
    ("the platform's own without its mark", platforms(labels={}), Do.LAUNCH),
]


LACKED = {**REFUSED, "error": {"code": "NotFound"}}


@pytest.mark.parametrize(
    ("status", "again", "do"),
    [(LACKED, True, Do.LAUNCH), (LACKED, False, Do.NOTHING), (REFUSED, True, Do.NOTHING)],
)
def test_what_was_missing_is_looked_for_again(status: dict[str, Any], again: bool, do: Do) -> None:
    assert deciding.asks(users(status=status), "dayfly", again=again) is do


@pytest.mark.parametrize(("resource", "do"), [case[1:] for case in ASKS], ids=[case[0] for case in ASKS])
def test_what_is_done_without_asking(resource: Resource, do: Do | None) -> None:
    assert deciding.asks(resource, "dayfly") is do


ENDED = {"phase": "SUCCEEDED", "endedAt": "2026-11-26T10:00:00Z"}
RELEASED: dict[str, Any] = {"finalizers": []}

AT = clock.Micros(1_795_687_200 * clock.SECOND)
"""The moment of ENDED."""

DECISIONS = [
    ("runs", platforms(), {"phase": "RUNNING"}, 0, Do.NOTHING),
    ("runs and may go", platforms(**RELEASED), {"phase": "RUNNING"}, 0, Do.HOLD),
    ("runs, deleted", platforms(**GONE), {"phase": "RUNNING"}, 0, Do.TERMINATE),
    ("queued, deleted", platforms(**GONE), {"phase": "QUEUED"}, 0, Do.TERMINATE),
    ("a user's runs, deleted", users(claimed=True, **GONE), {"phase": "RUNNING"}, 0, Do.TERMINATE),
    ("ends, deleted", platforms(**GONE), {"phase": "ABORTING"}, 0, Do.NOTHING),
    ("ended", platforms(), ENDED, 0, Do.RELEASE),
    ("ended, deleted", platforms(**GONE), ENDED, 0, Do.RELEASE),
    ("ended and released", platforms(**RELEASED), ENDED, 59, Do.NOTHING),
    ("ended long ago", platforms(**RELEASED), ENDED, 60, Do.DELETE),
    ("ended long ago, deleted", platforms(**RELEASED, **GONE), ENDED, 60, Do.NOTHING),
    ("a user's ended long ago", users(claimed=True, **RELEASED), ENDED, 60, Do.NOTHING),
]


@pytest.mark.parametrize(
    ("resource", "status", "after", "do"), [case[1:] for case in DECISIONS], ids=[case[0] for case in DECISIONS]
)
def test_what_follows_from_the_status(resource: Resource, status: dict[str, Any], after: int, do: Do) -> None:
    resource = Resource({**resource.manifest, "status": status})
    now = clock.Micros(AT + after * clock.SECOND)
    assert deciding.decide(resource, now=now, keep_seconds=60) is do


@pytest.mark.parametrize(
    ("resource", "do"),
    [
        (platforms(), Do.NOTHING),
        (platforms(**GONE), Do.GIVE_UP),
        (platforms(**GONE, **RELEASED), Do.NOTHING),
        (users(claimed=True, **GONE), Do.GIVE_UP),
        (users(claimed=True, status=REFUSED), Do.GIVE_UP),
    ],
)
def test_what_follows_where_nobody_knows_the_execution(resource: Resource, do: Do) -> None:
    assert deciding.decide_unknown(resource) is do


@pytest.mark.parametrize("phase", ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"])
def test_what_has_ended(phase: str) -> None:
    assert deciding.has_ended(execution(phase))
    assert not deciding.has_ended(execution("ABORTING"))
