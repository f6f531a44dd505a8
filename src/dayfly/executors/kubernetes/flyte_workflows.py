"""`FlyteWorkflow` resources in the cluster: found, made, changed, and made to own the first pod of an attempt.

Called by `groups` before it makes a pod, and by the operator (`operator.cluster.Cluster`), which keeps them. Where the
cluster does not know the kind, or the platform may not touch it, pods have no owner, and nothing else changes.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from dayfly.base import errors
from dayfly.executors.kubernetes import creating, names
from dayfly.executors.kubernetes.api import Conflict, Forbidden
from dayfly.model import flyte_workflows, identifiers

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.model.identifiers import AttemptKey, ExecutionId
    from dayfly.ports.pod_groups import Manifest

UNKNOWN_SECONDS = 30.0
"""How long a cluster that does not know the kind is not asked again before a pod."""


class FlyteWorkflows:
    """The resources that one platform sees: all, or those of its one namespace."""

    def __init__(self, api: Api, platform: str, namespace: str) -> None:
        self._api, self._namespace = api, namespace
        self.platform = names.label(platform)
        self._unknown_until = 0.0

    def namespace_of(self, project: str, domain: str) -> str:
        """Return where the objects of this project and domain are."""
        return names.namespace_of(self._namespace, project, domain)

    @property
    def one_namespace(self) -> str:
        """Return the namespace that all is in; empty if each project and domain has its own."""
        return names.one_namespace(self._namespace)

    async def list_all(self) -> list[Manifest]:
        """Return all resources, also those of users. Raise `NotFound` where the cluster does not know the kind."""
        found, _ = await self._api.list(flyte_workflows.KIND, self.one_namespace, "")
        return found

    async def find(self, execution: ExecutionId) -> Manifest | None:
        """Return what stands for an execution. Raise `NotFound` where the cluster does not know the kind."""
        namespace = self.namespace_of(execution.project, execution.domain)
        # The platform's own have a name that is known. To find a user's, all of the namespace are looked through.
        name = flyte_workflows.own_name(execution, shared=names.is_shared(self._namespace))
        own = await self.get(namespace, name)
        if own is not None and flyte_workflows.execution_of(own) == execution:
            return own
        selector = f"{flyte_workflows.EXECUTION}={flyte_workflows.mark(execution)}"
        found, _ = await self._api.list(flyte_workflows.KIND, namespace, selector)
        return next((one for one in found if flyte_workflows.execution_of(one) == execution), None)

    async def ensure(self, execution: ExecutionId) -> Manifest:
        """Return what stands for an execution, made if it is not there. Raise `NotFound` as above, `AlreadyExists`
        where something else has its name."""
        found = await self.find(execution)
        if found is not None:
            return found
        namespace = self.namespace_of(execution.project, execution.domain)
        shared = names.is_shared(self._namespace)
        wanted = flyte_workflows.build(execution, namespace, self.platform, shared=shared)
        made = await creating.create(self._api, wanted)
        if flyte_workflows.execution_of(made) != execution:
            raise errors.AlreadyExists(
                f"The FlyteWorkflow {namespace}/{wanted['metadata']['name']} does not stand for {execution}.",
                remedy="Delete it, or give it another name.",
            )
        return made

    async def own(self, key: AttemptKey, manifest: Manifest) -> Manifest:
        """Return an object that goes with its execution's resource, if there are such resources."""
        if time.monotonic() < self._unknown_until:
            return manifest
        execution, _, _ = identifiers.parse_attempt_key(key)
        try:
            return creating.owned(manifest, await self.ensure(execution))
        except (errors.NotFound, errors.AlreadyExists, Forbidden):
            self._unknown_until = time.monotonic() + UNKNOWN_SECONDS
            return manifest

    async def patch(self, resource: Manifest, change: dict[str, Any], *, part: str = "") -> Manifest | None:
        """Merge a change into a resource or its `status`, and return it; None if it is gone.

        Raise `VersionClash` where the change names a version that it has no more.
        """
        namespace, name = resource["metadata"]["namespace"], resource["metadata"]["name"]
        try:
            return await self._api.patch(flyte_workflows.KIND, namespace, name, change, part=part)
        except Conflict as error:
            raise errors.VersionClash(error.message) from error

    async def get(self, namespace: str, name: str) -> Manifest | None:
        """Return a resource as it is now; None if it is gone."""
        return await self._api.get(flyte_workflows.KIND, namespace, name)

    async def delete(self, resource: Manifest) -> None:
        """Have a resource deleted; one that is gone is fine."""
        metadata = resource["metadata"]
        await self._api.delete(flyte_workflows.KIND, metadata["namespace"], metadata["name"], uid=metadata["uid"])

    async def left(self, execution: ExecutionId) -> list[str]:
        """Name the pods and services that there are of an execution."""
        namespace = self.namespace_of(execution.project, execution.domain)
        selector = f"{flyte_workflows.PLATFORM}={self.platform},execution-id={names.label(execution.name)}"
        left = []
        for kind in ("Pod", "Service"):
            found, _ = await self._api.list(kind, namespace, selector)
            for one in found:
                attempt = (one["metadata"].get("annotations") or {}).get(names.ATTEMPT, "")
                if attempt.startswith(f"{execution}/"):
                    left.append(f"{kind} {namespace}/{one['metadata']['name']}")
        return left
