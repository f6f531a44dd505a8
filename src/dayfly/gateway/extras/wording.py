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
    return _of_attempt(event) or _of_node(event) or _of_execution(event) or tell_by_name(event)


def tell_by_name(event: Event) -> str:
    """Return what the name of an event's kind says: for kinds that have no words here."""
    return f"{_spaced(type(event).__name__)}{_place(event)}."


def _of_execution(event: Event) -> str:
    match event:
        case events.Launched():
            return "The execution was created."
        case events.AbortRequested(cause=cause, principal=principal):
            return f"{principal or 'Somebody'} asked for its end: {_short(cause)}"
        case events.OutputsWritten():
            return f"The outputs of {_owner(event)} are stored."
        case events.OutputsRejected(code=code, message=message):
            return f"The outputs of {_owner(event)} cannot be put together ({code}): {_short(message)}"
        case events.TimerFired(timer=timer):
            return f"The time of {timer} has come."
        case events.SignalSet(signal_id=signal):
            return f"Signal {signal} was given a value."
    return ""


def _of_attempt(event: Event) -> str:
    match event:
        case events.AttemptProgressed(phase=phase, reason=reason):
            said = f": {_short(reason)}" if reason else "."
            return f"{_attempt(event)} is {phase.name}{said}"
        case events.AttemptSucceeded(grows=grows):
            return f"{_attempt(event)} succeeded{' and left further nodes' if grows else ''}."
        case events.AttemptFailed(code=code, message=message, kind=kind, recoverable=recoverable):
            again = "a retry may help" if recoverable else "a retry does not help"
            return f"{_attempt(event)} failed ({kind.name} error {code}, {again}): {_short(message)}"
        case events.AttemptStopped(told=told):
            said = f" {_short(told)}" if told else ""
            return f"{_attempt(event)} has ended because it was told to.{said}"
        case events.Grown():
            return f"The nodes that {_attempt(event).lower()} left are ready to run."
    return ""


def _of_node(event: Event) -> str:
    match event:
        case events.InputsPrepared(node=node):
            return f"The inputs of node {node} are stored."
        case events.BranchChosen(node=node, case=case):
            return f"Branch {node} takes case {case}, counted from 0."
        case events.ArrayMeasured(node=node, size=size):
            return f"Array {node} has {size} elements."
        case events.GateOpened(node=node):
            return f"Gate {node} opened."
        case events.ChildLaunched(node=node, child=child):
            return f"Node {node} launched execution {child}."
        case events.ChildEnded(node=node, phase=phase, message=message):
            said = f": {_short(message)}" if message else "."
            return f"The execution that node {node} launched is {phase.name}{said}"
        case events.NodeFailed(node=node, code=code, message=message, kind=kind):
            return f"Node {node} failed ({kind.name} error {code}): {_short(message)}"
        case events.CacheHit(node=node):
            return f"The outputs of node {node} were in the cache."
        case events.CacheMissed(node=node):
            return f"The outputs of node {node} were not in the cache."
        case events.CacheBusy(node=node):
            return f"Another node makes just now what node {node} would make; it waits."
        case events.CacheFilled(node=node, status=status):
            return f"The cache was given the outputs of node {node}: {status.name}."
        case events.NodeRecovered(node=node):
            return f"Node {node} had succeeded in the execution that is recovered."
        case events.NothingRecovered(node=node):
            return f"Node {node} had not succeeded in the execution that is recovered: it runs."
    return ""


def to_plain(event: Event) -> dict[str, Any]:
    """Return all fields but time and node, as JSON has them: phases by name, progress as clients read it."""
    told = {field: getattr(event, field) for field in type(event).__struct_fields__ if field not in ("at", "node")}
    return {name: _struct(value) if name == "custom_info" else _plain(value) for name, value in told.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return msgspec.to_builtins(value)  # bytes as base64


def _struct(raw: bytes) -> Any:
    message = struct_pb2.Struct()
    try:
        message.ParseFromString(raw)
    except DecodeError:
        return _plain(raw)
    return json_format.MessageToDict(message)


def _owner(event: Any) -> str:
    return f"node {event.node}" if event.node else "the execution"


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
