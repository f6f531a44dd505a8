"""What a connector says, as the controller sees it."""

from __future__ import annotations

import pytest
from flyteidl.admin import agent_pb2
from flyteidl.core import execution_pb2

from dayfly.base.clock import Micros
from dayfly.executors.connector import observing
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import ObservationKind

KEY = AttemptKey("p/d/e/n0/0")
PHASE = execution_pb2.TaskExecution


@pytest.mark.parametrize(
    ("resource", "kind", "recoverable"),
    [
        ({"phase": PHASE.QUEUED}, ObservationKind.QUEUED, True),
        ({"phase": PHASE.WAITING_FOR_RESOURCES}, ObservationKind.QUEUED, True),
        ({"phase": PHASE.INITIALIZING}, ObservationKind.INITIALIZING, True),
        ({"phase": PHASE.RUNNING}, ObservationKind.RUNNING, True),
        ({"phase": PHASE.SUCCEEDED}, ObservationKind.EXITED, True),
        ({"phase": PHASE.FAILED}, ObservationKind.FAILED, False),
        ({"phase": PHASE.ABORTED}, ObservationKind.FAILED, False),
        ({"phase": PHASE.RETRYABLE_FAILED}, ObservationKind.FAILED, True),
        ({"state": agent_pb2.PENDING}, ObservationKind.QUEUED, True),
        ({"state": agent_pb2.SUCCEEDED}, ObservationKind.EXITED, True),
        ({"state": agent_pb2.PERMANENT_FAILURE}, ObservationKind.FAILED, False),
        ({"state": agent_pb2.RETRYABLE_FAILURE}, ObservationKind.FAILED, True),
    ],
)
def test_phases(resource: dict[str, int], kind: ObservationKind, recoverable: bool) -> None:
    seen = observing.observe(KEY, agent_pb2.Resource(**resource), Micros(1))
    assert (seen.kind, seen.recoverable) == (kind, recoverable)


def test_a_failure_has_the_connectors_words() -> None:
    error = {"code": "QuotaExceeded", "origin": 2}
    told = agent_pb2.Resource(phase=PHASE.FAILED, message="no quota", agent_error=error)
    seen = observing.observe(KEY, told, Micros(1))
    assert (seen.code, seen.message, seen.failure_kind) == ("QuotaExceeded", "no quota", FailureKind.SYSTEM)
    silent = observing.observe(KEY, agent_pb2.Resource(phase=PHASE.ABORTED), Micros(1))
    assert (silent.code, silent.failure_kind) == ("TaskFailedWithError", FailureKind.USER)
    assert "ABORTED" in silent.message


def test_links_and_figures_are_passed_on() -> None:
    told = agent_pb2.Resource(phase=PHASE.RUNNING, log_links=[{"name": "job", "uri": "http://x"}])
    told.custom_info["rows"] = 3
    seen = observing.observe(KEY, told, Micros(1))
    assert [(link.name, link.uri) for link in seen.logs] == [("job", "http://x")]
    assert seen.custom_info
