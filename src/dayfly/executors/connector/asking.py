"""What a connector is asked: from an attempt's spec to the messages of its protocol. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import agent_pb2
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2

from dayfly.model import identifiers

if TYPE_CHECKING:
    from dayfly.ports.executors import AttemptSpec


def template(spec: AttemptSpec) -> tasks_pb2.TaskTemplate:
    """Return the task's template, its command filled in."""
    made = tasks_pb2.TaskTemplate.FromString(spec.template)
    if made.WhichOneof("target") == "container":
        del made.container.command[:]
        made.container.args[:] = spec.argv
    return made


def create(spec: AttemptSpec, inputs: literals_pb2.LiteralMap) -> agent_pb2.CreateTaskRequest:
    """Return the request that starts a task."""
    return agent_pb2.CreateTaskRequest(
        inputs=inputs,
        template=template(spec),
        output_prefix=spec.output_prefix,
        task_execution_metadata=metadata(spec),
    )


def metadata(spec: AttemptSpec) -> agent_pb2.TaskExecutionMetadata:
    """Return whose attempt it is."""
    execution, node, attempt = identifiers.parse_attempt_key(spec.key)
    id = identifier_pb2.TaskExecutionIdentifier(
        task_id=identifiers.to_identifier(spec.task),
        node_execution_id={
            "node_id": node,
            "execution_id": {"project": execution.project, "domain": execution.domain, "name": execution.name},
        },
        retry_attempt=attempt,
    )
    labels = {
        "execution-id": execution.name,
        "project": execution.project,
        "domain": execution.domain,
        "node-id": str(node),
        "task-name": spec.task.name,
    }
    return agent_pb2.TaskExecutionMetadata(
        task_execution_id=id,
        namespace=f"{execution.project}-{execution.domain}",
        labels=labels,
        k8s_service_account="default",
        environment_variables=spec.env,
        interruptible=spec.interruptible,
    )
