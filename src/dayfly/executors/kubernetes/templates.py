"""Pod templates in the cluster, by the name that a task or the settings give.

Rules: flyteplugins/go/tasks/pluginmachinery/flytek8s/pod_template_store.go in flyteorg/flyte.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flyteidl.core import tasks_pb2

from dayfly.executors.kubernetes import mounting, names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.settings import PodSettings
    from dayfly.ports.executors import AttemptSpec


class Templates:
    """Reads PodTemplates; they may change, so that none is kept."""

    def __init__(self, api: Api, told: PodSettings) -> None:
        self._api, self._told = api, told

    async def find(self, spec: AttemptSpec) -> dict[str, Any]:
        """Return the template that the attempt's pod is laid over, empty for none.

        Raise `mounting.BadTask` where the task names one that is not there.
        """
        asked = tasks_pb2.TaskTemplate.FromString(spec.template).metadata.pod_template_name
        name = asked or self._told.template_name
        if not name:
            return {}
        namespace = names.namespace(self._told.namespace, spec.key)
        found = await self._api.get("PodTemplate", namespace, name)
        if found is not None:
            template: dict[str, Any] = found.get("template") or {}
            return template
        if asked:
            raise mounting.BadTask(
                f"{spec.task} asks for the PodTemplate {name!r}, and namespace {namespace} has none of that name.",
                remedy="Create it there, or correct pod_template_name.",
            )
        return {}
