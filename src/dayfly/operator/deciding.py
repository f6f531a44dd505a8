"""What is to be done about one resource, from how it is and how its execution is. Pure.

Every rule looks at what is there now, never at what has happened: whoever missed something, was away or was not alone
comes to the same.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

from google.protobuf import timestamp_pb2

from dayfly.base import clock
from dayfly.model.phases import TERMINAL_EXECUTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyteidl.admin import execution_pb2

    from dayfly.base.clock import Micros
    from dayfly.operator.resources import Resource

_ENDED = frozenset(phase.name for phase in TERMINAL_EXECUTION)


class Do(Enum):
    """What one look at a resource comes to."""

    NOTHING = "nothing"
    LAUNCH = "launch"
    """Start the execution that a user's resource asks for."""
    HOLD = "hold"
    """Keep it from going before its execution has ended."""
    TERMINATE = "terminate"
    """It was deleted: end its execution."""
    RELEASE = "release"
    """Its execution has ended: see that nothing is left, and let it go when somebody deletes it."""
    GIVE_UP = "give up"
    """The platform knows no such execution: let it go, unless one comes to be known."""
    DELETE = "delete"
    """It has been there for long enough."""


def asks(resource: Resource, platform: str, *, again: bool = False) -> Do | None:
    """Return what is to be done without asking the platform; None where its execution's status decides.

    `again` says that it is time to look anew for what was missing.
    """
    if resource.platform not in ("", platform):
        return Do.NOTHING
    refused = resource.refused and not (again and resource.lacked)
    if resource.execution is None:
        over = resource.deleting or refused
        return Do.LAUNCH if not over else Do.RELEASE if resource.held else Do.NOTHING
    if not resource.unseen:
        return None
    # One that was claimed and not seen launched may have been: launching twice launches once.
    if not resource.deleting and not refused:
        return Do.LAUNCH
    return None if resource.held else Do.NOTHING


def decide(resource: Resource, *, now: Micros, keep_seconds: float) -> Do:
    """Return what follows from its status, in which is written how its execution is."""
    phase = resource.status.get("phase")
    if phase not in _ENDED:
        if resource.deleting:
            return Do.NOTHING if phase == "ABORTING" else Do.TERMINATE
        return Do.NOTHING if resource.held else Do.HOLD
    if resource.held:
        return Do.RELEASE
    # What a user made is the user's: whoever keeps it in a repository would make it again, and start it again.
    over = not resource.is_users and not resource.deleting and now >= _until(resource.status, keep_seconds)
    return Do.DELETE if over else Do.NOTHING


def decide_unknown(resource: Resource) -> Do:
    """Return what follows where the platform knows no such execution.

    It may be another's that has the same name, or one that was lost: only who deletes it wants it gone.
    """
    over = resource.deleting or resource.refused
    return Do.GIVE_UP if over and resource.held else Do.NOTHING


def _until(status: Mapping[str, Any], keep_seconds: float) -> Micros:
    ended = timestamp_pb2.Timestamp()
    ended.FromJsonString(status["endedAt"])
    return clock.Micros(ended.ToMicroseconds() + int(keep_seconds * clock.SECOND))


def has_ended(message: execution_pb2.Execution) -> bool:
    """Say whether an execution has ended."""
    return message.closure.phase in TERMINAL_EXECUTION
