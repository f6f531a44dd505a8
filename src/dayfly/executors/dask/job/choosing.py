"""Which shape a cluster of pods gets: a DaskJob, or plain pods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from dayfly.base import errors
from dayfly.executors.dask.job import manifests, shape
from dayfly.executors.dask.pods import plain, provider
from dayfly.ports.executor_parts import Condition

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.pod_groups import PodGroups

AUTO, JOB, PODS = "auto", "job", "pods"
"""Values of the setting `kubernetes.dask`."""

NOT_KNOWN, GET_IT = "No DaskJob is known here.", "Install the Dask operator, or say DAYFLY_KUBERNETES__DASK=pods."


class Chosen:
    """Implements `provider.Shape` by one of the others. With `auto` it asks the cluster each time, for the operator may
    come and go, and makes of pods what no DaskJob can ask for, or what the platform may not ask for by one. Raise
    `InvalidArgument` for a choice that there is none of."""

    def __init__(self, groups: PodGroups, choice: str) -> None:
        if choice not in (AUTO, JOB, PODS):
            raise errors.InvalidArgument(
                f"DAYFLY_KUBERNETES__DASK is {choice!r}.", remedy=f"Say {AUTO}, {JOB} or {PODS}."
            )
        self._groups, self._choice = groups, choice
        self._lacks: manifests.NotAllowed | None = None
        """Why no DaskJob could be made when one was last asked for, if that was for want of rights."""
        self._jobs, self._pods = shape.DaskJobs(groups), plain.PlainPods(groups)

    async def lay_out(self, spec: ClusterSpec) -> provider.Layout:
        """Return the objects of a cluster."""
        if self._choice == PODS:
            return await self._pods.lay_out(spec)
        try:
            return await self._by_job(spec)
        except manifests.Unfit as error:
            if self._choice == JOB:
                raise
            layout = await self._pods.lay_out(spec)
            told = f"{layout.limits.told} {error.message}"
            return layout._replace(limits=msgspec.structs.replace(layout.limits, told=told))

    async def look(self) -> Condition:
        """Return of what clusters are made at the moment, as far as that is the same for all. Raise `ExecutorAway`
        where their pods cannot be watched."""
        await self._groups.look()
        if self._choice == PODS:
            return Condition("well", "Clusters are made of plain pods, as DAYFLY_KUBERNETES__DASK says.")
        if await self._groups.serves(manifests.JOB):
            if self._lacks is not None:
                told = "Clusters are made of plain pods." if self._choice == AUTO else "No clusters are made."
                state: Literal["warning", "failing"] = "warning" if self._choice == AUTO else "failing"
                return Condition(state, f"{told} {self._lacks.message}", self._lacks.remedy)
            return Condition("well", "Clusters are DaskJobs, which the Dask operator makes pods of.")
        if self._choice == AUTO:
            return Condition("well", "Clusters are made of plain pods, for no DaskJob is known here.")
        return Condition("failing", NOT_KNOWN, GET_IT)

    async def _by_job(self, spec: ClusterSpec) -> provider.Layout:
        if not await self._groups.serves(manifests.JOB):
            raise manifests.Unfit(NOT_KNOWN, remedy=GET_IT)
        layout, self._lacks = await self._jobs.lay_out(spec), None
        if lacking := await self._groups.lacking(layout.group):
            self._lacks = manifests.NotAllowed(
                f"The platform's account may not {', nor '.join(lacking)} in namespace {layout.group.namespace}.",
                remedy="Give it the rights that docs/kubernetes.md names, or say DAYFLY_KUBERNETES__DASK=pods.",
            )
            raise self._lacks
        return layout
