"""Events in words and as values."""

from __future__ import annotations

import typing

import msgspec
import msgspec.structs
import pytest
from google.protobuf import struct_pb2

from dayfly.base.clock import Micros
from dayfly.gateway.extras import wording
from dayfly.model import events
from dayfly.model.events import Event
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, FailureKind
from dayfly.model.run import LogLink, RunOptions

AT, N0 = Micros(7), NodeId("n0")


class SkyFell(msgspec.Struct, frozen=True):
    """A kind of event that nobody here has heard of."""

    at: Micros
    node: NodeId
    attempt: int = 3


class WorldEnded(msgspec.Struct, frozen=True):
    at: Micros


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (events.Launched(AT, RunOptions()), "The execution was created."),
        (events.AbortRequested(AT, "too slow", "ann"), "ann asked for its end: too slow"),
        (events.AttemptProgressed(AT, N0, 1, AttemptPhase.RUNNING), "Attempt 1 of node n0 is RUNNING."),
        (
            events.AttemptProgressed(AT, N0, 1, AttemptPhase.QUEUED, "no room"),
            "Attempt 1 of node n0 is QUEUED: no room",
        ),
        (
            events.AttemptFailed(AT, N0, 0, FailureKind.USER, "ValueError", "no", recoverable=False),
            "Attempt 0 of node n0 failed (USER error ValueError, a retry does not help): no",
        ),
        (
            events.OutputsRejected(AT, FailureKind.SYSTEM, "X", "y" * 600),
            f"The outputs of the execution cannot be put together (X): {'y' * 500}... (100 more characters)",
        ),
        (events.OutputsWritten(AT), "The outputs of the execution are stored."),
        (events.OutputsWritten(AT, N0, 1), "The outputs of node n0 are stored."),
        (
            events.ChildEnded(AT, N0, ExecutionPhase.FAILED, message="no"),
            "The execution that node n0 launched is FAILED: no",
        ),
        (events.CacheHit(AT, N0), "The outputs of node n0 were in the cache."),
        (events.Grown(AT, N0, 2, "x"), "The nodes that attempt 2 of node n0 left are ready to run."),
        (SkyFell(AT, N0), "Sky fell, attempt 3 of node n0."),
        (WorldEnded(AT), "World ended."),
    ],
)
def test_words(event: Event, told: str) -> None:
    assert wording.tell(event) == told


def test_values() -> None:
    info = struct_pb2.Struct()
    info["dask"] = {"workers": 2}
    links = (LogLink("driver", "http://here"),)
    event = events.AttemptProgressed(AT, N0, 1, AttemptPhase.RUNNING, "", links, info.SerializeToString())
    assert wording.to_plain(event) == {
        "attempt": 1,
        "phase": "RUNNING",
        "reason": "",
        "logs": [{"name": "driver", "uri": "http://here"}],
        "custom_info": {"dask": {"workers": 2}},
    }
    broken = events.AttemptProgressed(AT, N0, 1, AttemptPhase.RUNNING, custom_info=b"\xff\xff")
    assert wording.to_plain(broken)["custom_info"] == "//8="
    assert wording.to_plain(events.Launched(AT, RunOptions()))["options"]["max_parallelism"] == 25


@pytest.mark.parametrize("kind", typing.get_args(Event))
def test_every_kind_has_words_of_its_own(kind: type[Event]) -> None:
    values = {
        "at": AT,
        "node": N0,
        "attempt": 0,
        "options": RunOptions(),
        "phase": AttemptPhase.RUNNING,
        "kind": FailureKind.USER,
        "recoverable": True,
        "size": 3,
        "case": 1,
        "child": ExecutionId("p", "d", "e"),
        "look": 1,
    }
    event = kind(**{name: values.get(name, "x") for name in required(kind)})
    assert wording.tell(event) != wording.tell_by_name(event)
    assert "at" not in wording.to_plain(event)


def required(kind: type[Event]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(kind) if field.required]
