"""What the operator needs of a cluster. Resources are plain JSON; `executors.kubernetes.flyte_workflows` has them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from dayfly.model.identifiers import ExecutionId

Manifest = dict[str, Any]

Told = Callable[[bool, Manifest], None]
"""Is told of a resource as it is now, and whether it is gone."""


class Cluster(Protocol):
    """The resources that a platform sees. All calls may be repeated; all raise `ExecutorUnavailable`."""

    platform: str
    """The value of the platform's label."""

    @property
    def one_namespace(self) -> str:
        """Return the namespace that all is in; empty if each project and domain has its own."""
        ...

    def namespace_of(self, project: str, domain: str) -> str:
        """Return where the objects of this project and domain are."""
        ...

    async def list_all(self) -> list[Manifest]:
        """Return all resources, also those of users. Raise `NotFound` where the cluster does not know the kind."""
        ...

    async def get(self, namespace: str, name: str) -> Manifest | None:
        """Return a resource as it is now; None if it is gone."""
        ...

    async def ensure(self, execution: ExecutionId) -> Manifest:
        """Return what stands for an execution, made if it is not there. Raise `NotFound`, and `AlreadyExists` where
        something else has its name."""
        ...

    async def patch(self, resource: Manifest, change: Manifest, *, part: str = "") -> Manifest | None:
        """Merge a change into a resource or its `status`, and return it; None if it is gone. Raise `VersionClash`
        where the change names a version that it has no more."""
        ...

    async def delete(self, resource: Manifest) -> None:
        """Have a resource deleted; one that is gone is fine."""
        ...

    async def left(self, execution: ExecutionId) -> list[str]:
        """Name the pods and services that there are of an execution."""
        ...


class Detection(Protocol):
    """Tells what happens to resources, soon after it has. It may miss some: whoever listens lists now and then."""

    async def run(self, told: Told) -> None:
        """Tell what is there, and what happens from then on, for as long as it is not cancelled."""
        ...
