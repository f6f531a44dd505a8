"""Task templates by id, and what else the controller reads of definitions. Parsed ones are kept: they never change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flyteidl.admin import launch_plan_pb2, task_pb2
from flyteidl.core import identifier_pb2, tasks_pb2

from dayfly.base import errors
from dayfly.model import placing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flyteidl.core import interface_pb2

    from dayfly.model.identifiers import AttemptKey, EntityId, NodeId
    from dayfly.ports.definitions import Definitions
    from dayfly.ports.runs import Run

KEPT = 2_000
"""Parsed task templates kept in memory."""


class Templates:
    """Reads registered documents for nodes."""

    def __init__(self, definitions: Definitions) -> None:
        self._definitions = definitions
        self._kept: dict[EntityId, tasks_pb2.TaskTemplate] = {}
        self._noted: dict[AttemptKey, tasks_pb2.TaskTemplate] = {}

    async def of(self, run: Run, node: NodeId) -> tasks_pb2.TaskTemplate:
        """Return the template of a node's task: as a dynamic task brought it along, else as registered.

        Raise `NotFound`.
        """
        return await self._task(run, node, placing.rules_of(run, node).target)

    def note(self, key: AttemptKey, template: tasks_pb2.TaskTemplate) -> None:
        """Remember by what template an attempt was started, so that at its end nobody needs to load its run."""
        self._noted[key] = template

    def noted(self, key: AttemptKey) -> tasks_pb2.TaskTemplate | None:
        """Return it; None where an earlier platform had started the attempt."""
        return self._noted.get(key)

    def drop_noted(self, key: AttemptKey) -> None:
        """Forget it: the attempt has ended."""
        self._noted.pop(key, None)

    async def outputs_of(self, run: Run, node: NodeId, target: EntityId) -> interface_pb2.VariableMap:
        """Return the outputs that a task or launch plan declares which runs inside or as `node`. Raise `NotFound`."""
        if target.kind == identifier_pb2.LAUNCH_PLAN:
            return (await self.launch_plans([target]))[target].closure.expected_outputs
        return (await self._task(run, node, target)).interface.outputs

    async def registered(self, tasks: Iterable[EntityId]) -> dict[EntityId, tasks_pb2.TaskTemplate]:
        """Return those of the tasks that are registered."""
        found = await self._definitions.find_many(list(tasks))
        return {
            task: task_pb2.TaskClosure.FromString(each.document).compiled_task.template for task, each in found.items()
        }

    async def launch_plans(self, plans: Iterable[EntityId]) -> dict[EntityId, launch_plan_pb2.LaunchPlan]:
        """Return those of the launch plans that are registered."""
        found = await self._definitions.find_many(list(plans))
        return {plan: launch_plan_pb2.LaunchPlan.FromString(each.document) for plan, each in found.items()}

    async def _task(self, run: Run, node: NodeId, task: EntityId) -> tasks_pb2.TaskTemplate:
        brought = placing.plan_of(run, node).tasks.get(str(task))
        return await self._registered(task) if brought is None else tasks_pb2.TaskTemplate.FromString(brought)

    async def _registered(self, task: EntityId) -> tasks_pb2.TaskTemplate:
        if task not in self._kept:
            found = await self._definitions.find(task)
            if found is None:
                raise errors.NotFound(f"{task} is not registered any more.", remedy="Register it again.")
            if len(self._kept) >= KEPT:
                self._kept.clear()
            self._kept[task] = task_pb2.TaskClosure.FromString(found.document).compiled_task.template
        return self._kept[task]
