"""A task template as one node has it: the node's overrides applied, a pod seen as its primary container. Pure.

Called by `attempts` before an attempt is prepared; the registered template is never changed. Where there are no pods,
what else is in one is left out and told. Source: flyteplugins/go/tasks/pluginmachinery/flytek8s/pod_helper.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from flyteidl.core import tasks_pb2, workflow_pb2

from dayfly.base import errors
from dayfly.model import resources, structs

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIMARY = "primary_container_name"
"""Where a template's config names the container that is the task."""

_KINDS = {
    "cpu": tasks_pb2.Resources.CPU,
    "memory": tasks_pb2.Resources.MEMORY,
    "ephemeral-storage": tasks_pb2.Resources.EPHEMERAL_STORAGE,
    "nvidia.com/gpu": tasks_pb2.Resources.GPU,
}
"""Names of resources in a pod's spec."""


class BadPod(errors.InvalidArgument):
    """A pod's spec from which no task can be made."""

    code = "BadTaskSpecification"


class Applied(NamedTuple):
    """A task as one node has it."""

    template: tasks_pb2.TaskTemplate
    """With a container, if it had that or a pod."""
    left_out: tuple[str, ...] = ()
    """What of its pod cannot be where there are no pods, in words."""
    pods: tuple[tasks_pb2.K8sPod, ...] = ()
    """The task's own pod and its node's, the latter to be laid over the former; primary containers are named."""


def apply(template: tasks_pb2.TaskTemplate, node: bytes) -> Applied:
    """Return the task as this node has it. Raise `BadPod`.

    `node` is the compiled `flyteidl.core.Node`.
    """
    overrides = workflow_pb2.Node.FromString(node).task_node.overrides
    made = tasks_pb2.TaskTemplate()
    made.CopyFrom(template)
    notes: tuple[str, ...] = ()
    pods = []
    if template.WhichOneof("target") == "k8s_pod":
        name = template.k8s_pod.primary_container_name or template.config.get(PRIMARY, "")
        primary, notes = _primary(template.k8s_pod, name)
        pods.append(_named(template.k8s_pod, name))
        made.container.CopyFrom(primary)
        if template.k8s_pod.HasField("data_config"):
            made.container.data_config.CopyFrom(template.k8s_pod.data_config)
    if overrides.HasField("pod_template"):
        primary, told = _primary(overrides.pod_template, overrides.pod_template.primary_container_name)
        _lay_over(made.container, primary)
        notes += told
        pods.append(overrides.pod_template)
    if overrides.container_image:
        made.container.image = overrides.container_image
    if overrides.HasField("resources"):
        made.container.resources.CopyFrom(resources.merge(made.container.resources, overrides.resources))
    if overrides.HasField("extended_resources"):
        made.extended_resources.CopyFrom(overrides.extended_resources)
    return Applied(made, notes, tuple(pods))


def _named(pod: tasks_pb2.K8sPod, primary: str) -> tasks_pb2.K8sPod:
    made = tasks_pb2.K8sPod()
    made.CopyFrom(pod)
    made.primary_container_name = primary
    return made


def _primary(pod: tasks_pb2.K8sPod, name: str) -> tuple[tasks_pb2.Container, tuple[str, ...]]:
    """Return the container of a pod that is the task; the others run only where there are pods."""
    containers = [each for each in structs.to_plain(pod.pod_spec).get("containers") or [] if isinstance(each, dict)]
    found = next((each for each in containers if each.get("name") == name), None)
    if found is None:
        names = ", ".join(str(each.get("name")) for each in containers) or "none"
        raise BadPod(
            f"the pod's primary container is called {name!r}, and its containers are: {names}.",
            remedy="Name one of them as primary_container_name.",
        )
    made = tasks_pb2.Container(image=found.get("image") or "")
    made.command.extend(map(str, found.get("command") or ()))
    made.args.extend(map(str, found.get("args") or ()))
    for pair in found.get("env") or ():
        if isinstance(pair.get("value"), str):
            made.env.add(key=pair["name"], value=pair["value"])
    _add_resources(made, found.get("resources") or {})
    others = [str(each.get("name")) for each in containers if each is not found]
    if not others:
        return made, ()
    told = f"only the primary container {name!r} runs on this host, which has no pods; left out: {', '.join(others)}"
    return made, (told,)


def _add_resources(container: tasks_pb2.Container, told: Mapping[str, Any]) -> None:
    for word, entries in (("requests", container.resources.requests), ("limits", container.resources.limits)):
        for name, value in (told.get(word) or {}).items():
            if name in _KINDS:
                amount = f"{value:g}" if isinstance(value, float) else str(value)
                entries.add(name=_KINDS[name], value=amount)


def _lay_over(base: tasks_pb2.Container, over: tasks_pb2.Container) -> None:
    """Let a node's container replace what it says; what it does not say stays as the task has it."""
    if over.image:
        base.image = over.image
    for words, own in ((over.command, base.command), (over.args, base.args)):
        if words:
            own[:] = words
    env = {pair.key: pair.value for pair in (*base.env, *over.env)}
    del base.env[:]
    for key, value in env.items():
        base.env.add(key=key, value=value)
    base.resources.CopyFrom(resources.merge(base.resources, over.resources))
