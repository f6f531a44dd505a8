"""Registered documents -> the closure that clients read and the plan that the engine runs, or all the errors.

`services` loads what `references.required` names, calls `compile`, and stores both results or answers with
`errors.describe`. One workflow is linked in `linking`; the plan comes from `plans`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec
from flyteidl.admin import launch_plan_pb2
from flyteidl.core import compiler_pb2, tasks_pb2, workflow_pb2

from dayfly.compiler import errors, interfaces, linking, plans, references
from dayfly.compiler.errors import CompileError, Rejected
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId
from dayfly.model.plan import Plan


class Compiled(msgspec.Struct, frozen=True):
    """A workflow that is right."""

    closure: compiler_pb2.CompiledWorkflowClosure
    plan: Plan


def compile(
    template: workflow_pb2.WorkflowTemplate,
    sub_workflows: Sequence[workflow_pb2.WorkflowTemplate],
    tasks: Mapping[EntityId, tasks_pb2.TaskTemplate],
    launch_plans: Mapping[EntityId, launch_plan_pb2.LaunchPlan],
    id: EntityId,
    brought: Iterable[EntityId] = (),
) -> Compiled | Rejected:
    """Return the workflow compiled under the name `id`, or everything that is wrong with it.

    `tasks` and `launch_plans` hold what is registered of that which `references.required` names; what they lack is
    reported. `brought` are those of the tasks that are registered nowhere, so that the plan must keep them. The given
    messages stay as they are.
    """
    found: list[CompileError] = []
    closure = _link_all(_named(template, id), sub_workflows, tasks, launch_plans, found)
    if found:
        return Rejected(tuple(found))
    return Compiled(closure, plans.build_plan(closure, id, brought))


def _named(template: workflow_pb2.WorkflowTemplate, id: EntityId) -> workflow_pb2.WorkflowTemplate:
    named = workflow_pb2.WorkflowTemplate()
    named.CopyFrom(template)
    named.id.CopyFrom(identifiers.to_identifier(id))
    return named


def _link_all(
    template: workflow_pb2.WorkflowTemplate,
    sub_workflows: Sequence[workflow_pb2.WorkflowTemplate],
    tasks: Mapping[EntityId, tasks_pb2.TaskTemplate],
    launch_plans: Mapping[EntityId, launch_plan_pb2.LaunchPlan],
    found: list[CompileError],
) -> compiler_pb2.CompiledWorkflowClosure:
    library = interfaces.Library(template, sub_workflows, tasks, launch_plans)
    needed = references.required(template, sub_workflows)
    _check_copies(sub_workflows, found)
    return compiler_pb2.CompiledWorkflowClosure(
        primary=linking.link(template, library, found),
        sub_workflows=[
            linking.link(library.workflows[sub], library, found) for sub in needed.workflows if sub in library.workflows
        ],
        tasks=[compiler_pb2.CompiledTask(template=tasks[task]) for task in needed.tasks if task in tasks],
    )


def _check_copies(sub_workflows: Sequence[workflow_pb2.WorkflowTemplate], found: list[CompileError]) -> None:
    seen: dict[EntityId, workflow_pb2.WorkflowTemplate] = {}
    for sub in sub_workflows:
        first = seen.setdefault(references.workflow_id(sub.id), sub)
        if first != sub:
            message = "it is given twice, and the two differ"
            found.append(CompileError(errors.VALUE_COLLISION, f"workflow {sub.id.name}", message))
