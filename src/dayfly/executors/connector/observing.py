"""From what a connector says of a task to what the controller sees of an attempt. Pure, with a table test.

Source: flyteplugins/go/tasks/plugins/webapi/connector/plugin.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import agent_pb2
from flyteidl.core import execution_pb2

from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind

if TYPE_CHECKING:
    from dayfly.base.clock import Micros
    from dayfly.model.identifiers import AttemptKey

FAILED = "TaskFailedWithError"
"""Code of a failure that the connector gives none for."""

_PHASE = execution_pb2.TaskExecution

_STATES = {
    agent_pb2.RETRYABLE_FAILURE: _PHASE.RETRYABLE_FAILED,
    agent_pb2.PERMANENT_FAILURE: _PHASE.FAILED,
    agent_pb2.PENDING: _PHASE.QUEUED,
    agent_pb2.RUNNING: _PHASE.RUNNING,
    agent_pb2.SUCCEEDED: _PHASE.SUCCEEDED,
}
"""What connectors of earlier days say instead of a phase."""

_ALIVE = {
    _PHASE.QUEUED: ObservationKind.QUEUED,
    _PHASE.WAITING_FOR_RESOURCES: ObservationKind.QUEUED,
    _PHASE.INITIALIZING: ObservationKind.INITIALIZING,
    _PHASE.RUNNING: ObservationKind.RUNNING,
}


def observe(key: AttemptKey, resource: agent_pb2.Resource, at: Micros) -> Observation:
    """Return what the resource means; a success still needs its outputs stored."""
    phase = resource.phase or _STATES.get(resource.state, _PHASE.RUNNING)
    logs = tuple(LogLink(link.name or "log", link.uri) for link in resource.log_links)
    info = resource.custom_info.SerializeToString(deterministic=True) if resource.custom_info.fields else b""
    if phase in _ALIVE:
        return Observation(key, _ALIVE[phase], at, resource.message, logs, info)
    if phase == _PHASE.SUCCEEDED:
        return Observation(key, ObservationKind.EXITED, at, resource.message, logs, info, exit_code=0)
    error = resource.agent_error
    return Observation(
        key,
        ObservationKind.FAILED,
        at,
        logs=logs,
        custom_info=info,
        failure_kind=FailureKind(error.origin) if error.origin else FailureKind.USER,
        code=error.code or FAILED,
        message=resource.message or f"The connector says that the task is {_PHASE.Phase.Name(phase)}, and not why.",
        recoverable=phase == _PHASE.RETRYABLE_FAILED,
    )


def lost(key: AttemptKey, at: Micros, code: str, message: str) -> Observation:
    """Return the end of an attempt that its connector does not know, or has stopped to tell about."""
    return Observation(
        key, ObservationKind.FAILED, at, failure_kind=FailureKind.SYSTEM, code=code, message=message, recoverable=True
    )
