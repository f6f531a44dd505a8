"""From a node and its resolved inputs to an `AttemptSpec`: command filled in, environment, resources. Pure.

Called by `performing`. Environment: flyteplugins/go/tasks/pluginmachinery/flytek8s/k8s_resource_adds.go of Flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from flyteidl.admin import execution_pb2, matchable_resource_pb2
from flyteidl.core import security_pb2

from dayfly.model import command_templates, entrypoint_args, identifiers, layout, placing, quantities, resources
from dayfly.ports import executors, secrets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flyteidl.core import literals_pb2, tasks_pb2

    from dayfly.model.identifiers import EntityId, NodeId
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.runs import Run

MEBI = 1024 * 1024

INDEX_VARIABLE = "FLYTE_K8S_ARRAY_INDEX"
"""Environment variable that tells an array's element which it is."""


class Sizing(msgspec.Struct, frozen=True):
    """What the platform says about the sizes of tasks."""

    assumed_cpu: float = 0.0
    """What a task counts for that asks for none."""
    assumed_memory_bytes: int = 0
    ceiling: resources.Ceiling = resources.Ceiling()
    memory_growth: float = 1.0
    """Times as much memory, after each attempt that ran out of it."""
    memory_growth_limit_bytes: int = 0
    """The most that is asked for after such growth; 0 is no limit."""


AZURE_SCHEMES = ("abfs://", "abfss://", "az://")


def build_spec(
    run: Run,
    node: NodeId,
    attempt: int,
    template: tasks_pb2.TaskTemplate,
    inputs: literals_pb2.LiteralMap,
    *,
    interruptible: bool,
    public_url: str,
    platform_env: Mapping[str, str],
    sizing: Sizing | None = None,
    out_of_memory: int = 0,
    notes: tuple[str, ...] = (),
    pods: Sequence[tasks_pb2.K8sPod] = (),
    own_inputs_uri: str = "",
    alone: bool = False,
) -> AttemptSpec:
    """Return everything an executor needs to run this attempt.

    `template` is the task's with the node's overrides applied, of which `notes` tells, and `pods` are what both say of
    its pod; `platform_env` is what every task gets (object store credentials); `own_inputs_uri` is where an array's
    element finds its own inputs, if these were stored; `alone` says that they are lists of one, which its entry point
    is led to. Raises `InvalidArgument` where a command template names an input that does not exist.
    """
    task = placing.rules_of(run, node).target
    spec = execution_pb2.ExecutionSpec.FromString(run.spec)
    container = template.container
    whole = layout.node_inputs_uri(run.storage, run.id, node)
    inputs_uri = whole if finds_its_element(template) and not alone else own_inputs_uri or whole
    values = _template_values(run, node, attempt, spec, inputs, inputs_uri)
    own = {pair.key: pair.value for pair in container.env}
    of_execution = {pair.key: pair.value for pair in spec.envs.values}
    env = {
        **_storage_env(run.storage),
        **own,
        **_flyte_env(run, task, attempt, public_url),
        **_element_env(node, alone=alone),
        **platform_env,
        **of_execution,
    }
    sizing = sizing or Sizing()
    sizes = resources.settle(container.resources, sizing.ceiling)
    factor, told = _growth(sizes, sizing, out_of_memory)
    return executors.AttemptSpec(
        key=identifiers.attempt_key(run.id, node, attempt),
        generated_name=identifiers.generated_name(run.id, node, attempt),
        task=task,
        task_type=template.type,
        template=template.SerializeToString(deterministic=True),
        argv=command_templates.render((*container.command, *container.args), values),
        env=env,
        volatile_env=frozenset(of_execution),
        inputs_uri=own_inputs_uri or whole,
        output_prefix=values.output_prefix,
        raw_output_prefix=values.raw_output_data_prefix,
        image=container.image,
        cpu_request=sizes.cpu_request,
        memory_request_bytes=int(sizes.memory_request_bytes * factor),
        cpu_limit=sizes.cpu_limit,
        memory_limit_bytes=int(sizes.memory_limit_bytes * factor),
        assumed_cpu=sizing.assumed_cpu,
        assumed_memory_bytes=sizing.assumed_memory_bytes,
        memory_factor=factor,
        interruptible=interruptible,
        secrets=_secrets(template, spec),
        notes=(*notes, *told),
        pods=tuple(pod.SerializeToString(deterministic=True) for pod in pods),
        labels=dict(spec.labels.values),
        annotations=dict(spec.annotations.values),
        service_account=_service_account(template, spec),
    )


def sizing_for(platform: Sizing, told: matchable_resource_pb2.TaskResourceAttributes) -> Sizing:
    """Return the sizes with what matchable attributes say laid over."""
    defaults = told.defaults
    cpu = quantities.cores(defaults.cpu) if defaults.cpu else platform.assumed_cpu
    memory = quantities.size_bytes(defaults.memory) if defaults.memory else platform.assumed_memory_bytes
    ceiling = resources.limited(platform.ceiling, told.limits)
    return msgspec.structs.replace(platform, assumed_cpu=cpu, assumed_memory_bytes=memory, ceiling=ceiling)


def finds_its_element(template: tasks_pb2.TaskTemplate) -> bool:
    """Say whether the command takes an array's inputs, and finds those of its element by itself."""
    argv = (*template.container.command, *template.container.args)
    return entrypoint_args.parse(argv).inner_kind == entrypoint_args.MAP


def uses_task_template(template: tasks_pb2.TaskTemplate) -> bool:
    """Say whether the command asks for `{{.taskTemplatePath}}`, so that the file must be written."""
    return command_templates.uses_task_template((*template.container.command, *template.container.args))


def task_template_uri(run: Run, node: NodeId) -> str:
    """Return where that file lies."""
    return layout.node_inputs_uri(run.storage, run.id, node).removesuffix("inputs.pb") + "task.pb"


def _template_values(
    run: Run,
    node: NodeId,
    attempt: int,
    spec: execution_pb2.ExecutionSpec,
    inputs: literals_pb2.LiteralMap,
    inputs_uri: str,
) -> command_templates.TemplateValues:
    prefix = spec.raw_output_data_config.output_location_prefix or f"{run.storage}/data"
    # flytekit makes folders for a plain local path, and for nothing that has a scheme, `file://` included.
    prefix = layout.without_file_scheme(prefix)
    raw = layout.raw_output_prefix(prefix, run.id, node, attempt)
    previous = layout.raw_output_prefix(prefix, run.id, node, attempt - 1) if attempt else ""
    return command_templates.TemplateValues(
        input=inputs_uri,
        input_prefix=inputs_uri.removesuffix("/inputs.pb"),
        output_prefix=layout.output_prefix(run.storage, run.id, node, attempt),
        raw_output_data_prefix=raw,
        checkpoint_output_prefix=f"{raw}/_flytecheckpoints",
        prev_checkpoint_prefix=f"{previous}/_flytecheckpoints" if previous else run.state.nodes[node].recovered_from,
        per_retry_unique_key=command_templates.unique_key(identifiers.generated_name(run.id, node, attempt)),
        task_template_path=task_template_uri(run, node),
        namespace=f"{run.id.project}-{run.id.domain}",
        inputs=inputs,
    )


def _flyte_env(run: Run, task: EntityId, attempt: int, public_url: str) -> dict[str, str]:
    execution = run.id
    return {
        "FLYTE_INTERNAL_EXECUTION_WORKFLOW": f"{execution.project}:{execution.domain}:{run.workflow.name}",
        "FLYTE_INTERNAL_EXECUTION_ID": execution.name,
        "FLYTE_INTERNAL_EXECUTION_PROJECT": execution.project,
        "FLYTE_INTERNAL_EXECUTION_DOMAIN": execution.domain,
        "FLYTE_ATTEMPT_NUMBER": str(attempt),
        "FLYTE_INTERNAL_TASK_PROJECT": task.project,
        "FLYTE_INTERNAL_TASK_DOMAIN": task.domain,
        "FLYTE_INTERNAL_TASK_NAME": task.name,
        "FLYTE_INTERNAL_TASK_VERSION": task.version,
        "FLYTE_EXECUTION_URL": (
            f"{public_url}/console/projects/{execution.project}/domains/{execution.domain}/executions/{execution.name}"
        ),
        "FLYTE_PLATFORM_URL": public_url.split("://", 1)[-1],
        "FLYTE_PLATFORM_INSECURE": "true",
    }


def _storage_env(storage: str) -> dict[str, str]:
    """Return what a task has to know of the store.

    flytekit writes on what it stores whose it is. Azure's client writes something of its own there, and refuses what
    others add since adlfs 2026.8 (`_put_file` in adlfs/spec.py): no task could store its outputs.
    """
    return {"FLYTE_PERSISTENCE_ATTACH_EXECUTION_METADATA": "false"} if storage.startswith(AZURE_SCHEMES) else {}


def _element_env(node: NodeId, *, alone: bool) -> dict[str, str]:
    """Return by what `pyflyte-map-execute` finds its element
    (flyteplugins/go/tasks/plugins/array/k8s/subtask.go in flyteorg/flyte).

    Where its inputs are lists of one, an offset leads it there; its index stays what it is.
    """
    element = identifiers.parse_element(node)
    if element is None:
        return {}
    found = {"BATCH_JOB_ARRAY_INDEX_VAR_NAME": INDEX_VARIABLE, INDEX_VARIABLE: str(element[1])}
    if alone:
        found["BATCH_JOB_ARRAY_INDEX_OFFSET"] = str(-element[1])
    return found


def _secrets(template: tasks_pb2.TaskTemplate, spec: execution_pb2.ExecutionSpec) -> tuple[secrets.SecretRequest, ...]:
    """Return what the task asks for, and what the execution asks for on behalf of all its tasks."""
    asked = (*template.security_context.secrets, *spec.security_context.secrets)
    return tuple(
        dict.fromkeys(
            secrets.SecretRequest(
                one.group,
                one.key,
                one.group_version,
                one.mount_requirement == security_pb2.Secret.ENV_VAR,
                one.env_var,
            )
            for one in asked
        )
    )


def _service_account(template: tasks_pb2.TaskTemplate, spec: execution_pb2.ExecutionSpec) -> str:
    """Return whom the execution runs as, by Kubernetes' name; a task's own word counts where the execution has none."""
    asked: str = spec.security_context.run_as.k8s_service_account or spec.auth_role.kubernetes_service_account
    return asked or template.security_context.run_as.k8s_service_account


def _growth(sizes: resources.Sizes, sizing: Sizing, out_of_memory: int) -> tuple[float, tuple[str, ...]]:
    """Return by how much the attempt's memory is raised, and say so."""
    before = sizes.memory_limit_bytes
    if not out_of_memory or sizing.memory_growth <= 1.0:
        return 1.0, ()
    factor = sizing.memory_growth**out_of_memory
    most = sizing.memory_growth_limit_bytes or sizing.ceiling.memory_bytes
    if before and most:
        factor = max(1.0, min(factor, most / before))
    if not before:
        return factor, (f"after running out of memory it gets {factor:g} times as much",)
    grown = f"{before / MEBI:.0f} MiB to {before * factor / MEBI:.0f} MiB"
    if factor == 1.0:
        return factor, (f"it ran out of memory, and has the most that this platform gives: {before / MEBI:.0f} MiB",)
    return factor, (f"after running out of memory its limit is raised from {grown}",)
