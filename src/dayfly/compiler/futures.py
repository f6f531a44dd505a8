"""What a dynamic task left instead of outputs -> a compiled workflow, or all the errors.

The controller reads `futures.pb` (a `DynamicJobSpec`), loads what `required` names and calls `compile`. From there on
it is a workflow like any other: without inputs, since flytekit writes the values into the bindings, and with the task's
outputs. Source: flytepropeller/pkg/controller/nodes/dynamic/dynamic_workflow.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Mapping

from flyteidl.admin import launch_plan_pb2
from flyteidl.core import dynamic_job_pb2, identifier_pb2, interface_pb2, tasks_pb2, workflow_pb2

from dayfly.compiler import digests, errors, references, tasks, workflows
from dayfly.compiler.errors import CompileError, Rejected
from dayfly.compiler.references import References
from dayfly.compiler.workflows import Compiled
from dayfly.model.identifiers import EntityId, NodeId

VERSION_CHARACTERS = 20
"""Of the job's digest, as the version of its workflow: the same job found again is the same workflow."""


def workflow_id(project: str, domain: str, node: NodeId, spec: dynamic_job_pb2.DynamicJobSpec) -> EntityId:
    """Return the name of the workflow that a node became; it is in no list, and stands in the compiled form only."""
    version = digests.digest(spec)[:VERSION_CHARACTERS]
    return EntityId(identifier_pb2.WORKFLOW, project, domain, f"dynamic_{node}", version)


def required(spec: dynamic_job_pb2.DynamicJobSpec) -> References:
    """Return what the job refers to and does not bring along, so that it must be registered."""
    needed = references.required(_template(spec), spec.subworkflows)
    brought = given_tasks(spec)
    missing = tuple(task for task in needed.tasks if task not in brought)
    return References(missing, needed.launch_plans, needed.workflows)


def given_tasks(spec: dynamic_job_pb2.DynamicJobSpec) -> dict[EntityId, tasks_pb2.TaskTemplate]:
    """Return the tasks that the job brings along: they need not be registered, and win over those that are."""
    return {references.task_id(task.id): task for task in spec.tasks}


def compile(
    spec: dynamic_job_pb2.DynamicJobSpec,
    registered: Mapping[EntityId, tasks_pb2.TaskTemplate],
    launch_plans: Mapping[EntityId, launch_plan_pb2.LaunchPlan],
    id: EntityId,
    outputs: interface_pb2.VariableMap,
) -> Compiled | Rejected:
    """Return the job compiled as workflow `id`, whose outputs are those of its task; or everything wrong with it."""
    brought = given_tasks(spec)
    found = [error for task, template in brought.items() for error in tasks.check(template, task)]
    compiled = workflows.compile(
        _template(spec, outputs), spec.subworkflows, {**registered, **brought}, launch_plans, id, brought
    )
    wrong: tuple[CompileError, ...] = compiled.errors if isinstance(compiled, errors.Rejected) else ()
    return Rejected((*found, *wrong)) if found or isinstance(compiled, errors.Rejected) else compiled


def _template(
    spec: dynamic_job_pb2.DynamicJobSpec, outputs: interface_pb2.VariableMap | None = None
) -> workflow_pb2.WorkflowTemplate:
    return workflow_pb2.WorkflowTemplate(
        interface=interface_pb2.TypedInterface(outputs=outputs),
        metadata=workflow_pb2.WorkflowMetadata(),
        metadata_defaults=workflow_pb2.WorkflowMetadataDefaults(),
        nodes=spec.nodes,
        outputs=spec.outputs,
    )
