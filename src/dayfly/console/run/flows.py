"""What a workflow is made of, as far as the board shows it: names, kinds and ways between nodes, of all its levels.

Read from what the API says is compiled, and kept, for a registered version never changes. `build` is pure.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin import common_pb2, node_execution_pb2

from dayfly.base import errors
from dayfly.client.connecting import Client
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, ExecutionId

KEPT_NODES = 60_000
"""Nodes of all flows that are kept together, some 20 MB."""

_ARRAY_NAME = re.compile(r"map_(.+?)_[0-9a-f]{32}(?:-arraynode)?")
"""What flytekit calls a map task: the task's own name is in the middle."""

_BOUNDS = (START_NODE, END_NODE)


@dataclass(frozen=True)
class Part:
    """One node of a flow."""

    name: str
    """As people call it: the task's or workflow's name, without its module."""
    kind: str
    """task, dask, map, workflow, launch_plan, branch or gate. A dynamic task is one only once it runs."""
    upstream: tuple[str, ...] = ()
    """The nodes that it waits for, of the same flow."""
    inner: Flow | None = None
    """What it consists of; None where that is nothing, or known only once it runs."""


@dataclass(frozen=True)
class Flow:
    """The nodes of one level, by their ids in the workflow, in the order in which they were written."""

    parts: Mapping[str, Part] = field(default_factory=dict)

    def count(self) -> int:
        """Return how many nodes there are on all levels."""
        return sum(1 + (part.inner.count() if part.inner else 0) for part in self.parts.values())


NOTHING = Flow()


def build(closure: Any) -> Flow:
    """Return the flow of a core.CompiledWorkflowClosure."""
    types = {_key(one.template.id): one.template.type for one in closure.tasks}
    return _Building(types, {_key(one.template.id): one for one in closure.sub_workflows}).level(closure.primary)


class Flows:
    """Flows that were read, until too many others were."""

    def __init__(self, kept_nodes: int = KEPT_NODES) -> None:
        self._kept: OrderedDict[object, tuple[Flow, int]] = OrderedDict()
        self._most, self._count = kept_nodes, 0

    async def of_workflow(self, client: Client, workflow: EntityId) -> Flow:
        """Return the flow of a version; an empty one where it is not there any more."""
        known = self._find(key := (client.address, workflow))
        if known is not None:
            return known
        request = common_pb2.ObjectGetRequest(id=identifiers.to_identifier(workflow))
        try:
            found = await client.call(client.admin.GetWorkflow, request)
        except errors.NotFound:
            return NOTHING
        return self._keep(key, build(found.closure.compiled_workflow))

    async def of_dynamic(self, client: Client, execution: ExecutionId, node: str, *, ended: bool) -> Flow:
        """Return the flow that a dynamic node has made; an empty one where it has not made any yet.

        It is kept once the node has `ended`: until then another attempt may make another one.
        """
        known = self._find(key := (client.address, execution, node))
        if known is not None:
            return known
        request = node_execution_pb2.GetDynamicNodeWorkflowRequest(
            id={"node_id": node, "execution_id": identifiers.to_execution_identifier(execution)}
        )
        try:
            found = await client.call(client.admin.GetDynamicNodeWorkflow, request)
        except errors.NotFound:
            return NOTHING
        made = build(found.compiled_workflow)
        return self._keep(key, made) if ended else made

    def _find(self, key: object) -> Flow | None:
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        return self._kept[key][0]

    def _keep(self, key: object, flow: Flow) -> Flow:
        size = flow.count()
        self._kept[key] = flow, size
        self._count += size
        while self._count > self._most and len(self._kept) > 1:
            self._count -= self._kept.popitem(last=False)[1][1]
        return flow


known = Flows()
"""Those of this process, for all pages."""


class _Building:
    def __init__(self, types: Mapping[tuple[str, ...], str], subs: Mapping[tuple[str, ...], Any]) -> None:
        self._types, self._subs = types, subs
        self._built: dict[tuple[str, ...], Flow] = {}

    def level(self, compiled: Any) -> Flow:
        upstream = compiled.connections.upstream
        parts = {}
        for node in compiled.template.nodes:
            if node.id not in _BOUNDS:
                before = upstream[node.id].ids if node.id in upstream else node.upstream_node_ids
                parts[node.id] = self._part(node, tuple(one for one in before if one not in _BOUNDS))
        if compiled.template.HasField("failure_node"):
            parts[compiled.template.failure_node.id] = self._part(compiled.template.failure_node, ())
        return Flow(parts)

    def _part(self, node: Any, upstream: tuple[str, ...]) -> Part:
        of = node.WhichOneof("target")
        target, inner, kind = None, None, "task"
        if of == "task_node":
            target = node.task_node.reference_id
            kind = "dask" if self._types.get(_key(target)) == "dask" else "task"
        elif of == "workflow_node":
            target = node.workflow_node.sub_workflow_ref
            kind = "workflow"
            if node.workflow_node.WhichOneof("reference") == "launchplan_ref":
                target, kind = node.workflow_node.launchplan_ref, "launch_plan"
            else:
                inner = self._sub(_key(target))
        elif of == "branch_node":
            kind, inner = "branch", Flow({one.id: self._part(one, ()) for one in _choices(node.branch_node)})
        elif of == "gate_node":
            kind = "gate"
        elif of == "array_node":
            kind, target = "map", node.array_node.node.task_node.reference_id
        return Part(_name(node, target), kind, upstream, inner)

    def _sub(self, key: tuple[str, ...]) -> Flow | None:
        if key not in self._built and key in self._subs:
            self._built[key] = self.level(self._subs[key])  # Compiled workflows do not hold themselves.
        return self._built.get(key)


def _choices(branch: Any) -> Iterator[Any]:
    choice = branch.if_else
    for case in (choice.case, *choice.other):
        yield case.then_node
    if choice.WhichOneof("default") == "else_node":
        yield choice.else_node


def _name(node: Any, target: Any) -> str:
    told = (node.metadata.name or (target.name if target is not None else "") or node.id).rsplit(".", 1)[-1]
    mapped = _ARRAY_NAME.fullmatch(told)
    return mapped[1] if mapped else str(told)


def _key(id: Any) -> tuple[str, ...]:
    return id.project, id.domain, id.name, id.version
