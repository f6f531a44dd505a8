"""A cluster's `FlyteWorkflow` resources in memory, with what Kubernetes does to them: versions, finalizers, merges."""

from __future__ import annotations

import asyncio
import copy
import itertools
import uuid
from typing import Any

from dayfly.base import errors
from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId
from dayfly.operator.cluster import Told

Manifest = dict[str, Any]


class FakeFlyteWorkflows:
    """Implements `operator.cluster.Cluster` and `Detection`; `known` is whether the cluster knows the kind."""

    def __init__(self, platform: str = "dayfly", namespace: str = "{project}-{domain}") -> None:
        self.platform, self._namespace = platform, namespace
        self.known = True
        self.there: dict[tuple[str, str], Manifest] = {}
        self.pods: dict[ExecutionId, list[str]] = {}
        self.patches = 0
        self.answers = True
        """Whether anybody answers."""
        self._name = uuid.uuid4().hex
        """Ids are unlike those of any other cluster."""
        self._versions = itertools.count(1)
        self._listeners: list[Told] = []

    @property
    def one_namespace(self) -> str:
        return "" if "{" in self._namespace else self._namespace

    def namespace_of(self, project: str, domain: str) -> str:
        return self._namespace.format(project=project, domain=domain)

    async def list_all(self) -> list[Manifest]:
        await self._answer()
        if not self.known:
            raise errors.NotFound("the server could not find the requested resource")
        return copy.deepcopy(list(self.there.values()))

    async def get(self, namespace: str, name: str) -> Manifest | None:
        await self._answer()
        return copy.deepcopy(self.there.get((namespace, name)))

    async def ensure(self, execution: ExecutionId) -> Manifest:
        await self._answer()
        namespace = self.namespace_of(execution.project, execution.domain)
        for (where, _), one in self.there.items():
            if where == namespace and flyte_workflows.execution_of(one) == execution:
                return copy.deepcopy(one)
        return self.create(flyte_workflows.build(execution, namespace, self.platform, shared=False))

    async def patch(self, resource: Manifest, change: Manifest, *, part: str = "") -> Manifest | None:
        await self._answer()
        key = _key(resource)
        kept = self.there.get(key)
        if kept is None:
            return None
        version = change.get("metadata", {}).get("resourceVersion")
        if version not in (None, kept["metadata"]["resourceVersion"]):
            raise errors.VersionClash("the object has been modified")
        self.patches += 1
        change = (
            {"status": change["status"]} if part == "status" else {k: v for k, v in change.items() if k != "status"}
        )
        merged = _merged(kept, change)
        merged["metadata"]["generation"] += merged.get("spec") != kept.get("spec")
        merged["metadata"]["resourceVersion"] = str(next(self._versions))
        self.there[key] = merged
        self._collect(key)
        return copy.deepcopy(merged)

    async def delete(self, resource: Manifest) -> None:
        await self._answer()
        self.delete_now(*_key(resource))

    async def left(self, execution: ExecutionId) -> list[str]:
        await self._answer()
        return self.pods.get(execution, [])

    async def _answer(self) -> None:
        await asyncio.sleep(0)  # others have their turn, as with any call over a network
        if not self.answers:
            raise errors.ExecutorUnavailable("Kubernetes does not answer.")

    async def run(self, told: Told) -> None:
        """Tell what is there, and what happens from then on, for as long as it is not cancelled."""
        self._listeners.append(told)
        for one in self.there.values():
            told(False, copy.deepcopy(one))
        try:
            await asyncio.Event().wait()
        finally:
            self._listeners.remove(told)

    # --- what people and Kubernetes do -------------------------------------------------------------------------------

    def create(self, manifest: Manifest) -> Manifest:
        made = copy.deepcopy(manifest)
        version = str(next(self._versions))
        made["metadata"] |= {"uid": f"{self._name}-{version}", "resourceVersion": version, "generation": 1}
        self.there[_key(made)] = made
        self._tell(made)
        return copy.deepcopy(made)

    def apply(self, namespace: str, name: str, spec: Manifest, **labels: str) -> Manifest:
        """Make a user's own, or change its spec."""
        kept = self.there.get((namespace, name))
        if kept is None:
            return self.create({"metadata": {"namespace": namespace, "name": name, "labels": labels}, "spec": spec})
        kept["spec"] = spec
        kept["metadata"]["generation"] += 1
        kept["metadata"]["resourceVersion"] = str(next(self._versions))
        self._tell(kept)
        return copy.deepcopy(kept)

    def delete_now(self, namespace: str, name: str) -> None:
        """Delete one: it stays for as long as it has finalizers."""
        kept = self.there.get((namespace, name))
        if kept is not None:
            kept["metadata"].setdefault("deletionTimestamp", "2026-11-26T10:00:00Z")
            kept["metadata"]["resourceVersion"] = str(next(self._versions))
            self._collect((namespace, name))

    def _collect(self, key: tuple[str, str]) -> None:
        """Tell of a change, and let go what was deleted and is held by nobody."""
        metadata = self.there[key]["metadata"]
        gone = bool(metadata.get("deletionTimestamp")) and not metadata.get("finalizers")
        self._tell(self.there.pop(key) if gone else self.there[key], gone=gone)

    def _tell(self, manifest: Manifest, *, gone: bool = False) -> None:
        for told in self._listeners:
            told(gone, copy.deepcopy(manifest))


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["metadata"]["namespace"], manifest["metadata"]["name"]


def _merged(kept: Any, change: Any) -> Any:
    """Return what a JSON merge patch (RFC 7386) makes of it."""
    if not isinstance(change, dict):
        return copy.deepcopy(change)
    made = copy.deepcopy(kept) if isinstance(kept, dict) else {}
    for name, value in change.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = _merged(made.get(name), value)
    return made
