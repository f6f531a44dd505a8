"""One element of a map task as something to choose: made of what the API tells of its array.

Clients see an array as one node with one task execution, whose external resources are its elements' attempts. For the
panel an element is a node with attempts of its own, at the address that its logs have.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flyteidl.admin import node_execution_pb2, task_execution_pb2
from flyteidl.core import execution_pb2 as phases_pb2

from dayfly.base import errors

PHASES = {
    phases_pb2.TaskExecution.SUCCEEDED: phases_pb2.NodeExecution.SUCCEEDED,
    phases_pb2.TaskExecution.FAILED: phases_pb2.NodeExecution.FAILED,
    phases_pb2.TaskExecution.ABORTED: phases_pb2.NodeExecution.ABORTED,
    phases_pb2.TaskExecution.RUNNING: phases_pb2.NodeExecution.RUNNING,
}
"""A node's phase by its last attempt's. In all others it waits."""


def is_number(told: str) -> bool:
    """Tell whether text out of an address is a number that an index or attempt may have."""
    return told.isascii() and told.isdigit() and len(told) < 10


def build(id: str, array: Any, attempts: Sequence[Any]) -> tuple[Any, tuple[Any, ...]]:
    """Return an element, `ARRAY#INDEX`, as admin.NodeExecution with its admin.TaskExecutions. Raise `NotFound`."""
    index = id.rpartition("#")[2]
    resources = attempts[-1].closure.metadata.external_resources if attempts else ()
    own = [one for one in resources if is_number(index) and one.index == int(index)]
    if not own:
        raise errors.NotFound(f"Map task {array.id.node_id!r} has no element {index} yet.")
    made = tuple(_attempt(id, attempts[-1], one) for one in sorted(own, key=lambda one: one.retry_attempt))
    node = node_execution_pb2.NodeExecution(id=array.id, input_uri=array.input_uri)
    node.id.node_id = id
    node.metadata.spec_node_id = array.metadata.spec_node_id
    # What began and ended when is not told of elements.
    node.closure.phase = PHASES.get(made[-1].closure.phase, phases_pb2.NodeExecution.QUEUED)
    node.closure.task_node_metadata.cache_status = own[-1].cache_status
    return node, made


def _attempt(id: str, array: Any, resource: Any) -> Any:
    made = task_execution_pb2.TaskExecution(id=array.id, input_uri=array.input_uri)
    made.id.node_execution_id.node_id, made.id.retry_attempt = id, resource.retry_attempt
    made.closure.phase = resource.phase
    made.closure.logs.extend(resource.logs)
    return made
