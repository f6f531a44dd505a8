"""What goes into and comes out of the entities that nodes refer to, looked up once per entity.

`nodes` asks it for a node's target. A thousand nodes of one task share one `Interface`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import identifier_pb2, interface_pb2, tasks_pb2, types_pb2, workflow_pb2

from dayfly.compiler import references
from dayfly.model import types
from dayfly.model.identifiers import EntityId

Types = Mapping[str, types_pb2.LiteralType]


class Interface(msgspec.Struct, frozen=True):
    """Typed inputs and outputs of a node's target."""

    inputs: Types
    outputs: Types
    required: frozenset[str]
    """Inputs that must be bound."""
    fixed: frozenset[str] = frozenset()
    """Names that must not be bound, because the launch plan settled them."""


class Library:
    """Everything that nodes may refer to. Holds the documents as they were registered."""

    def __init__(
        self,
        own: workflow_pb2.WorkflowTemplate,
        sub_workflows: Sequence[workflow_pb2.WorkflowTemplate],
        tasks: Mapping[EntityId, tasks_pb2.TaskTemplate],
        launch_plans: Mapping[EntityId, launch_plan_pb2.LaunchPlan],
    ) -> None:
        self.tasks = tasks
        self.launch_plans = launch_plans
        self.workflows = {references.workflow_id(sub.id): sub for sub in sub_workflows}
        self._own = own
        self._known: dict[EntityId, Interface | None] = {}

    def find(self, entity: EntityId) -> Interface | None:
        """Return the interface of a task, workflow or launch plan, None if it is not in the library."""
        if entity not in self._known:
            self._known[entity] = self._look_up(entity)
        return self._known[entity]

    def _look_up(self, entity: EntityId) -> Interface | None:
        if entity.kind == identifier_pb2.TASK:
            task = self.tasks.get(entity)
            return from_typed(task.interface) if task is not None else None
        if entity.kind == identifier_pb2.WORKFLOW:
            workflow = self.workflows.get(entity)
            return from_typed(workflow.interface) if workflow is not None else None
        plan = self.launch_plans.get(entity)
        if plan is not None:
            return from_launch_plan(plan)
        # A workflow may launch itself: its default launch plan is registered after it, under the same name.
        if entity == references.launch_plan_id(self._own.id):
            return from_typed(self._own.interface)
        return None


def from_typed(interface: interface_pb2.TypedInterface) -> Interface:
    """Return the interface of a task or workflow: all inputs must be bound, but those that may be none."""
    inputs = variable_types(interface.inputs)
    return Interface(inputs, variable_types(interface.outputs), not_optional(inputs))


def from_launch_plan(plan: launch_plan_pb2.LaunchPlan) -> Interface:
    """Return the interface of a launch plan: inputs with defaults need no binding, fixed ones may have none."""
    parameters = plan.closure.expected_inputs.parameters
    inputs = {name: parameter.var.type for name, parameter in parameters.items()}
    needed = {name: parameters[name].var.type for name in parameters if parameters[name].required}
    return Interface(
        inputs,
        variable_types(plan.closure.expected_outputs),
        not_optional(needed),
        frozenset(plan.spec.fixed_inputs.literals),
    )


def variable_types(variables: interface_pb2.VariableMap) -> dict[str, types_pb2.LiteralType]:
    """Return the variables' types by name, in the order of their names."""
    declared: Any = variables.variables
    return {name: declared[name].type for name in sorted(declared)}


def untyped(variables: interface_pb2.VariableMap) -> list[str]:
    """Return the names of variables that declare no type, or are named nothing."""
    declared: Any = variables.variables
    return [name for name in sorted(declared) if not name or declared[name].type.WhichOneof("type") is None]


def not_optional(inputs: Types) -> frozenset[str]:
    """Return the names that must be bound: all but those whose type may be none."""
    return frozenset(name for name, declared in inputs.items() if not types.accepts_none(declared))
