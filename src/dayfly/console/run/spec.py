"""The tab of what was registered and asked for: first what people look for, then the messages as they are."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

from flyteidl.core import identifier_pb2, tasks_pb2
from google.protobuf import json_format
from markupsafe import Markup

from dayfly.base import errors
from dayfly.console import markup, wording
from dayfly.console.run import about_run, declared
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject

Pairs = list[tuple[str, Markup | str]]

MAX_BYTES = 200_000
"""Of a message that is shown as JSON; a workflow of thousands of nodes takes megabytes."""


async def build(subject: Subject) -> Refresh | None:
    """Show the tab."""
    if subject.node is None:
        await _show_run(subject)
    else:
        await _show_node(subject)
    return None


async def _show_node(subject: Subject) -> None:
    try:
        template = await declared.find_task(subject)
    except errors.NotFound:
        template = None
    if template is None:
        markup.show(
            markup.empty("It runs no task by itself.", "Choose a node inside it, or the run, for what is registered.")
        )
        markup.show(_raw("Node", subject.node))
        return
    parts = [
        _part("Task", _task(template)),
        _part("Container", _container(template.container)) if template.HasField("container") else Markup(""),
        _part("Dask cluster", _dask(template)) if template.type == "dask" else Markup(""),
        _pod(template),
        _part("Secrets", _secrets(template.security_context)),
        _raw("Task template", template),
        _raw("Attempt", subject.attempt),
    ]
    markup.show(Markup("").join(parts))


async def _show_run(subject: Subject) -> None:
    spec = subject.execution.spec
    wanted = [_found(subject, spec.launch_plan), _found(subject, subject.execution.closure.workflow_id)]
    launched, workflow = await asyncio.gather(*wanted)
    parts = [_part("Run", _run(spec)), _part("Security context", _secrets(spec.security_context))]
    if launched is not None and spec.launch_plan.resource_type == identifier_pb2.LAUNCH_PLAN:
        parts += [_part("Launch plan", _launch_plan(launched)), _raw("Launch plan", launched)]
    if workflow is not None:
        parts.append(_raw("Workflow", workflow.closure.compiled_workflow.primary.template))
    parts.append(_raw("Execution spec", spec))
    markup.show(Markup("").join(parts))


async def _found(subject: Subject, id: Any) -> Any:
    try:
        return await declared.get(subject.view, id)
    except errors.NotFound:
        return None


def _run(spec: Any) -> Pairs:
    pairs: Pairs = [("Launched", about_run.entity(about_run.KINDS[spec.launch_plan.resource_type], spec.launch_plan))]
    if spec.max_parallelism:
        pairs.append(("Parallelism", f"up to {spec.max_parallelism} nodes at once"))
    if spec.HasField("interruptible"):
        pairs.append(("Interruptible", _yes(spec.interruptible.value)))
    pairs.append(("Cache", "overwritten: everything is computed anew" if spec.overwrite_cache else "used"))
    if spec.raw_output_data_config.output_location_prefix:
        pairs.append(("Files go to", markup.code(spec.raw_output_data_config.output_location_prefix)))
    if spec.envs.values:
        pairs.append(("Environment", _env(spec.envs.values)))
    if spec.annotations.values:
        told = (f"{name}={value}" for name, value in sorted(spec.annotations.values.items()))
        pairs.append(("Annotations", _codes(told)))
    if spec.cluster_assignment.cluster_pool_name:
        pairs.append(("Cluster pool", spec.cluster_assignment.cluster_pool_name))
    return pairs


def _launch_plan(found: Any) -> Pairs:
    pairs: Pairs = [("Version", markup.code(found.id.version))]
    schedule = found.spec.entity_metadata.schedule
    if schedule.WhichOneof("ScheduleExpression"):
        told = schedule.cron_schedule.schedule or schedule.cron_expression
        pairs.append(("Schedule", markup.code(told or f"every {schedule.rate.value} {schedule.rate.unit}")))
    if found.spec.fixed_inputs.literals:
        pairs.append(("Fixed inputs", _codes(sorted(found.spec.fixed_inputs.literals))))
    if found.spec.entity_metadata.notifications:
        pairs.append(("Notifications", str(len(found.spec.entity_metadata.notifications))))
    return pairs


def _task(template: Any) -> Pairs:
    metadata = template.metadata
    pairs: Pairs = [
        ("Task", about_run.entity("task", template.id)),
        ("Version", markup.code(template.id.version)),
        ("Type", f"{template.type}, {metadata.runtime.flavor} {metadata.runtime.version}".strip(", ")),
        ("Retries", f"{metadata.retries.retries} of its own; those for faults of machines are free"),
        ("Timeout", wording.duration(metadata.timeout.seconds) if metadata.timeout.seconds else "none"),
        ("Interruptible", _yes(metadata.interruptible) if metadata.HasField("interruptible") else "as the run says"),
        ("Cache", f"version {metadata.discovery_version}" if metadata.discoverable else "no"),
    ]
    if metadata.pod_template_name:
        pairs.append(("Pod template", markup.code(metadata.pod_template_name)))
    if metadata.deprecated_error_message:
        pairs.append(("Deprecated", metadata.deprecated_error_message))
    return pairs


def _container(container: Any) -> Pairs:
    words = " ".join([*container.command, *container.args])
    pairs: Pairs = [("Image", markup.code(container.image or "the platform's own environment"))]
    pairs += _resources(container.resources)
    if container.env:
        pairs.append(("Environment", _env({one.key: one.value for one in container.env})))
    if words:
        pairs.append(("Command", markup.block(words, "Command")))
    return pairs


def _resources(resources: Any) -> Pairs:
    def told(entries: Iterable[Any]) -> str:
        name = tasks_pb2.Resources.ResourceName.Name
        return ", ".join(f"{name(one.name).lower()} {one.value}" for one in entries)

    pairs: Pairs = []
    if resources.requests:
        pairs.append(("Requests", told(resources.requests)))
    if resources.limits:
        pairs.append(("Limits", told(resources.limits)))
    return pairs


def _dask(template: Any) -> Pairs:
    told = json_format.MessageToDict(template.custom)
    workers, scheduler = told.get("workers", {}), told.get("scheduler", {})
    pairs: Pairs = [("Workers", str(int(float(workers.get("numberOfWorkers", 0) or 0))))]
    for label, part in (("Worker", workers), ("Scheduler", scheduler)):
        if part.get("image"):
            pairs.append((f"{label} image", markup.code(str(part["image"]))))
        for kind in ("requests", "limits"):
            entries = part.get("resources", {}).get(kind, [])
            amounts = ", ".join(f"{str(one.get('name', '')).lower()} {one.get('value', '')}" for one in entries)
            if amounts:
                pairs.append((f"{label} {kind}", amounts))
    return pairs


def _pod(template: Any) -> Markup:
    return _raw("Kubernetes pod", template.k8s_pod) if template.HasField("k8s_pod") else Markup("")


def _secrets(context: Any) -> Pairs:
    pairs: Pairs = []
    run_as = context.run_as
    if run_as.k8s_service_account or run_as.iam_role:
        pairs.append(("Runs as", markup.code(run_as.k8s_service_account or run_as.iam_role)))
    for one in context.secrets:
        pairs.append(("Secret", Markup("{} {}").format(markup.code(one.group or "–"), markup.code(one.key or "all"))))
    return pairs


def _part(label: str, pairs: Pairs) -> Markup:
    if not pairs:
        return Markup("")
    return Markup('<section class="data-part"><h2>{}</h2>{}</section>').format(label, markup.facts(pairs))


def _raw(label: str, message: Any) -> Markup:
    if message.ByteSize() > MAX_BYTES:
        return Markup('<p class="faint">{} takes {}: too much to be shown. The API has it.</p>').format(
            label, wording.size(message.ByteSize())
        )
    told = json.dumps(json_format.MessageToDict(message), indent=2, ensure_ascii=False)
    return Markup(
        '<details class="fold"><summary>{} as JSON</summary><p><button type="button" class="small" data-copy="{}">Copy'
        "</button></p>{}</details>"
    ).format(label, told, markup.block(told, label))


def _env(values: Any) -> Markup:
    return _codes(f"{name}={value}" for name, value in sorted(values.items()))


def _codes(told: Iterable[str]) -> Markup:
    return Markup('<span class="codes">{}</span>').format(Markup(" ").join(markup.code(one) for one in told))


def _yes(told: bool) -> str:
    return "yes" if told else "no"


TAB = Tab("spec", "Spec", lambda subject: True, build)
