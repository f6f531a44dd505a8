"""Groups of pods that are only laid out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dayfly.executors.kubernetes import manifests, names
from dayfly.executors.kubernetes.settings import PodSettings
from dayfly.ports.executors import AttemptSpec
from dayfly.ports.pod_groups import PodGroupSpec


class FakeGroups:
    """As much of `ports.pod_groups.PodGroups` as a layout needs; `known` says whether the cluster knows DaskJobs,
    `lacks` what the platform may not do."""

    def __init__(self, *, known: bool = True, lacks: tuple[str, ...] = ()) -> None:
        self._known, self._lacks, self._told = known, lacks, PodSettings()

    def pod_name(self, spec: AttemptSpec, role: str) -> str:
        return names.pod(spec, self._told.namespace, role)

    async def look(self) -> str:
        return "Kubernetes v1.29.0"

    async def serves(self, kind: str) -> bool:
        assert kind == "DaskJob"
        return self._known

    async def lacking(self, spec: PodGroupSpec) -> list[str]:
        assert spec.objects[0]["kind"] == "DaskJob"
        return list(self._lacks)

    async def manifests(self, by_role: Mapping[str, AttemptSpec]) -> dict[str, dict[str, Any]]:
        return {role: manifests.build(spec, self._told, {}, role) for role, spec in by_role.items()}
