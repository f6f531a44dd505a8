"""Events of executions in words, and as plain values. Pure."""

from __future__ import annotations

import enum
import re
from typing import Any

import msgspec
from google.protobuf import json_format, struct_pb2
from google.protobuf.message import DecodeError

from dayfly.model import events
from dayfly.model.events import Event

MAX_WORDS = 500
"""Characters of a message in the words of an event; all of it is in its data."""


def tell(event: Event) -> str:
    """Return what happened, in one sentence."""
    match event:
        case events.Launched():
            return "The execution was created."
        case events.AbortRequested(cause=cause, principal=principal):
            return f"{principal or 'Somebody'} asked for its end: {_short(cause)}"
        case events.AttemptProgressed(phase=phase, reason=reason):
            said = f": {_short(reason)}" if reason else "."
            return f"{_attempt(event)} is {phase.name}{said}"
        case events.AttemptSucceeded():
            return f"{_attempt(event)} succeeded."
        case events.AttemptFailed(code=code, message=message, kind=kind, recoverable=recoverable):
            again = "a retry may help" if recoverable else "a retry does not help"
            return f"{_attempt(event)} failed ({kind.name} error {code}, {again}): {_short(message)}"
        case events.AttemptStopped():
            return f"{_attempt(event)} has ended because it was told to."
        case events.OutputsWritten():
            return "The outputs of the execution are stored."
        case events.OutputsRejected(code=code, message=message):
            return f"The outputs of the execution cannot be put together ({code}): {_short(message)}"
        case events.TimerFired(timer=timer):
            return f"The time of {timer} has come."
        case events.SignalSet(signal_id=signal):
            return f"Signal {signal} was given a value."
        case _:
            return f"{_spaced(type(event).__name__)}{_place(event)}."


def to_plain(event: Event) -> dict[str, Any]:
    """Return all fields but the time, as JSON has them: phases by name, progress as clients read it."""
    return {
        field: _plain(getattr(event, field)) for field in type(event).__struct_fields__ if field not in ("at", "node")
    }


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, bytes):
        return _struct(value)
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return msgspec.to_builtins(value)


def _struct(raw: bytes) -> Any:
    message = struct_pb2.Struct()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        return msgspec.to_builtins(raw)  # base64
    return json_format.MessageToDict(message)


def _attempt(event: Any) -> str:
    return f"Attempt {event.attempt} of node {event.node}"


def _place(event: Any) -> str:
    node, attempt = getattr(event, "node", ""), getattr(event, "attempt", None)
    where = f" of node {node}" if node else ""
    return f", attempt {attempt}{where}" if attempt is not None else where.replace(" of ", " at ", 1)


def _spaced(name: str) -> str:
    """Return the words of a name such as `GateOpened`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]}... ({len(text) - MAX_WORDS} more characters)"
