"""Launch plans: the execution that a node launches, and what it hands back.

Rules: flytepropeller/pkg/controller/nodes/subworkflow/launchplan/admin.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import execution_pb2, node_execution_pb2
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.model import events, identifiers, layout, paths, placing
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase
from dayfly.ports.runs import ParentNode

if TYPE_CHECKING:
    from flyteidl.core import literals_pb2

    from dayfly.base.clock import Clock
    from dayfly.controller.resolving import Resolver
    from dayfly.model.commands import StopChild
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.children import Children
    from dayfly.ports.runs import ExecutionRow, Run, Runs

LAUNCH_FAILED = "RemoteChildWorkflowExecutionFailed"
"""Code of a node whose child cannot be launched."""

HANDED_DOWN = (
    "security_context",
    "raw_output_data_config",
    "labels",
    "annotations",
    "interruptible",
    "cluster_assignment",
    "envs",
)
"""Message fields of the execution's spec that its children get; what is not set stays so."""


class LaunchPlans:
    """A `Kind`."""

    def __init__(self, resolver: Resolver, runs: Runs, children: Children, clock: Clock) -> None:
        self._resolver, self._runs, self._children, self._clock = resolver, runs, children, clock

    async def prepare(self, run: Run, node: NodeId) -> events.Event:
        """Store the inputs and launch the child, or find the one launched before. Raises `paths.BadPromise`."""
        inputs = await self._inputs(run, node)
        child = _child_of(run, node)
        asked = await self._ask(run, node)
        try:
            await self._children.launch(
                child.project, child.domain, child.name, asked, inputs, parent=ParentNode(run.id, node)
            )
        except errors.AlreadyExists as error:
            await self._require_own(run, node, child, error)
        except errors.UserError as error:
            raise paths.BadPromise(LAUNCH_FAILED, str(error)) from error
        return events.ChildLaunched(self._clock.now(), node, child)

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Return what the child gave. Raises `BlobUnavailable`."""
        child = run.state.nodes[node].child
        row = await self._runs.find_execution(child) if child is not None else None
        if row is None:
            raise errors.BlobUnavailable(f"the execution that node {node} of {run.id} launched is gone.")
        uri = layout.execution_outputs_uri(row.storage, row.id)
        return await self._resolver.read(uri, f"the outputs of execution {row.id}", run)

    async def stop(self, run: Run, command: StopChild) -> list[events.Event]:
        """Have the child aborted; return its end where there is none to end."""
        at, node = self._clock.now(), command.node
        child = _child_of(run, node)
        asked = events.AbortRequested(at, f"its parent {run.id} ended it: {command.why}")
        try:
            await self._runs.request_abort(child, asked, principal="", cause=asked.cause)
        except errors.NotFound:
            return [events.ChildEnded(at, node, ExecutionPhase.ABORTED, message=command.why)]
        except errors.FailedPrecondition:
            pass  # It has ended by itself, and its end was told in the commit that ended it.
        return []

    async def _inputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        element = identifiers.parse_element(node)
        if element is None:
            return await self._resolver.store_inputs(run, node, whole=True)
        return await self._resolver.element_inputs(run, *element)

    async def _ask(self, run: Run, node: NodeId) -> execution_pb2.ExecutionSpec:
        own = execution_pb2.ExecutionSpec.FromString(run.spec)
        asked = execution_pb2.ExecutionSpec(
            launch_plan=identifiers.to_identifier(placing.rules_of(run, node).target),
            max_parallelism=own.max_parallelism,
            overwrite_cache=own.overwrite_cache,
        )
        for name in HANDED_DOWN:
            if own.HasField(name):
                getattr(asked, name).CopyFrom(getattr(own, name))
        asked.metadata.mode = execution_pb2.ExecutionMetadata.CHILD_WORKFLOW
        asked.metadata.parent_node_execution.CopyFrom(_shown_parent(run, node))
        failed = await self._failed_before(run, own, node)
        if failed is not None:
            asked.metadata.mode = execution_pb2.ExecutionMetadata.RECOVERED
            asked.metadata.reference_execution.CopyFrom(identifiers.to_execution_identifier(failed))
        return asked

    async def _failed_before(self, run: Run, own: execution_pb2.ExecutionSpec, node: NodeId) -> ExecutionId | None:
        """Return the child that this node had launched in the execution that is recovered, if it had not succeeded."""
        if not run.state.options.recovers or placing.handles_a_failure(run, run.state.nodes[node].parent):
            return None
        before = identifiers.from_execution_identifier(own.metadata.reference_execution)
        row = await self._runs.find_node(before, node)
        if row is None:
            return None
        closure = node_execution_pb2.NodeExecutionClosure.FromString(row.closure)
        if not closure.HasField("workflow_node_metadata"):
            return None
        return identifiers.from_execution_identifier(closure.workflow_node_metadata.executionId)

    async def _require_own(self, run: Run, node: NodeId, child: ExecutionId, error: errors.AlreadyExists) -> None:
        row = await self._runs.find_execution(child)
        if row is None:  # The name is free: the launch plan has enough executions under way.
            raise paths.BadPromise(LAUNCH_FAILED, str(error)) from error
        if not _is_child_of(row, _shown_parent(run, node)):
            raise paths.BadPromise(LAUNCH_FAILED, f"another execution has the name {child} already") from error


def _child_of(run: Run, node: NodeId) -> ExecutionId:
    return ExecutionId(run.id.project, run.id.domain, identifiers.child_execution_name(run.id, node, 0))


def _shown_parent(run: Run, node: NodeId) -> identifier_pb2.NodeExecutionIdentifier:
    """Return the node as clients know it: for an array's element, the array."""
    element = identifiers.parse_element(node)
    return identifier_pb2.NodeExecutionIdentifier(
        node_id=element[0] if element is not None else node,
        execution_id=identifiers.to_execution_identifier(run.id),
    )


def _is_child_of(row: ExecutionRow, parent: identifier_pb2.NodeExecutionIdentifier) -> bool:
    spec = execution_pb2.ExecutionSpec.FromString(row.spec)
    return bool(spec.metadata.parent_node_execution == parent)
