"""An execution as the status of its resource: a summary with references, never the workflow. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from flyteidl.core import identifier_pb2
from google.protobuf import duration_pb2, timestamp_pb2

from dayfly.model import plain_values
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from dayfly.operator import resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flyteidl.admin import execution_pb2
    from flyteidl.core import literals_pb2


MAX_LINE = 160
"""Characters of the message, which is a column of a table."""

MAX_ERROR = 4000
"""Characters of the error; the platform has the whole."""

MAX_OUTPUT_BYTES = 2048
"""Of one output as JSON; a larger one is read where all are."""

MAX_OUTPUTS_BYTES = 16 * 1024
"""Of all of them together."""


class Nodes(NamedTuple):
    """How far the nodes of the workflow itself are."""

    done: int
    total: int


def of_execution(
    message: execution_pb2.Execution,
    nodes: Nodes | None,
    console: str,
    outputs: literals_pb2.LiteralMap | None = None,
) -> dict[str, Any]:
    """Return the status. `nodes` is None where they have not been counted."""
    closure, target = message.closure, message.spec.launch_plan
    phase = ExecutionPhase(closure.phase)
    status: dict[str, Any] = {
        "executionId": _parts(message.id),
        "phase": (ExecutionPhase.QUEUED if phase is ExecutionPhase.UNDEFINED else phase).name,
        "workflow": closure.workflow_id.name,
        "console": console,
    }
    if target.resource_type == identifier_pb2.LAUNCH_PLAN:
        status["launchPlan"] = target.name
    if nodes is not None:
        status |= {"nodes": nodes._asdict(), "progress": f"{nodes.done}/{nodes.total}"}
    if closure.HasField("started_at"):
        status["startedAt"] = _moment(closure.started_at)
    if phase in TERMINAL_EXECUTION:
        status["endedAt"] = _end(closure)
    if closure.HasField("error"):
        error = closure.error
        kind = type(error).ErrorKind.Name(error.kind)
        status["error"] = {"code": error.code, "kind": kind, "message": error.message[:MAX_ERROR]}
        status["message"] = line(error.message)
    elif closure.abort_metadata.cause:
        status["message"] = line(closure.abort_metadata.cause)
    if phase is ExecutionPhase.SUCCEEDED and closure.outputs.uri:
        status["outputsUri"] = closure.outputs.uri
    if outputs is not None and phase is ExecutionPhase.SUCCEEDED:
        status["outputs"] = small(outputs)
    return status


def refused(message: str, remedy: str, code: str, generation: int) -> dict[str, Any]:
    """Return the status of a resource from which no execution can be started."""
    told = f"{message} {remedy}".strip()
    return {
        "phase": resources.REFUSED,
        "message": line(told),
        "error": {"code": code, "kind": "USER", "message": told[:MAX_ERROR]},
        "observedGeneration": generation,
    }


def waiting(why: str) -> dict[str, Any]:
    """Return the status of a resource whose execution may be started later."""
    return {"phase": resources.WAITING, "message": line(why)}


def with_nodes_of(before: Mapping[str, Any], status: dict[str, Any]) -> dict[str, Any]:
    """Return a status for which no nodes were counted, with those that were counted before, perhaps by another."""
    return status | {name: before[name] for name in ("nodes", "progress") if name in before}


def spec_of(message: execution_pb2.Execution) -> dict[str, Any]:
    """Return what the spec of a resource that the platform makes refers to, beside the execution."""
    target = message.spec.launch_plan
    kind = "task" if target.resource_type == identifier_pb2.TASK else "launchPlan"
    return {kind: _entity(target), "workflow": _entity(message.closure.workflow_id)}


def line(text: str) -> str:
    """Return the first line that says something, as long as a column may be."""
    first = next((one.strip() for one in text.splitlines() if one.strip()), "")
    return first if len(first) <= MAX_LINE else f"{first[: MAX_LINE - 3]}..."


def small(outputs: literals_pb2.LiteralMap) -> dict[str, Any]:
    """Return the outputs that are small, as plain values that JSON has."""
    found: dict[str, Any] = {}
    room = MAX_OUTPUTS_BYTES
    for name in sorted(outputs.literals):
        literal = outputs.literals[name]
        if literal.ByteSize() > 2 * MAX_OUTPUT_BYTES:
            continue
        text = _json(plain_values.to_plain(literal))
        if len(text) <= min(MAX_OUTPUT_BYTES, room):
            room -= len(text)
            found[name] = json.loads(text)
    return found


def _json(value: Any) -> str:
    try:
        return json.dumps(value, default=str, allow_nan=False)
    except ValueError:  # an infinity, which JSON has no word for
        return json.dumps(str(value))


def _parts(told: identifier_pb2.WorkflowExecutionIdentifier) -> dict[str, str]:
    return {"project": told.project, "domain": told.domain, "name": told.name}


def _entity(told: identifier_pb2.Identifier) -> dict[str, str]:
    return {"project": told.project, "domain": told.domain, "name": told.name, "version": told.version}


def _moment(told: timestamp_pb2.Timestamp) -> str:
    return str(timestamp_pb2.Timestamp(seconds=told.seconds).ToJsonString())


def _end(closure: execution_pb2.ExecutionClosure) -> str:
    """Return the end, which is told as a duration; of what has never started as the last change."""
    if closure.HasField("started_at") and closure.duration != duration_pb2.Duration():
        nanos = closure.started_at.ToNanoseconds() + closure.duration.ToNanoseconds()
        return _moment(timestamp_pb2.Timestamp(seconds=nanos // 10**9))
    return _moment(closure.updated_at)
