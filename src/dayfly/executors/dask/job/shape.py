"""Clusters of which the Dask operator makes the pods: a shape of `pods.provider`'s clusters.

The platform makes one DaskJob, and what follows once its runner is there, and so its DaskCluster: a DaskWorkerGroup for
each group beside the first, and a DaskAutoscaler where the number of workers follows the work. What becomes of them,
their pods tell: `DaskJob.status` says whether the operator has seen it, and is believed in nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import naming
from dayfly.executors.dask.job import manifests
from dayfly.executors.dask.pods import plain, provider, reports, retiring, roles
from dayfly.ports import pod_groups
from dayfly.ports.pod_groups import PodGroupSpec

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import PodGroups

KINDS = ("DaskJob", "DaskAutoscaler", "DaskWorkerGroup", "DaskCluster", "Deployment", "ReplicaSet", "Service", "Pod")
"""Of all that belongs to a cluster, owners first."""


class DaskJobs:
    """Implements `provider.Shape`."""

    def __init__(self, groups: PodGroups) -> None:
        self._groups = groups

    async def lay_out(self, spec: ClusterSpec) -> provider.Layout:
        """Return the DaskJob of a cluster, and what is to follow it. Raise `manifests.Unfit`."""
        name = manifests.name_of(self._groups.pod_name(spec.driver, naming.DRIVER), spec)
        pods = await self._groups.manifests(_roles(name, spec))
        for workers in spec.groups:
            retiring.before_the_end(pods[naming.prefix(workers)], f"http://{name}-scheduler:{roles.HTTP_PORT}")
        job = manifests.job(name, spec, pods)
        followers = [manifests.worker_group(name, group, pods[naming.prefix(group)]) for group in spec.groups[1:]]
        scaled = manifests.is_scaled(spec)
        if scaled:
            followers.append(manifests.autoscaler(name, spec.groups[0], job))
        for one in (job, *followers):
            manifests.check_size(one)
        namespace = job["metadata"]["namespace"]
        group = PodGroupSpec(
            spec.key,
            namespace,
            (job,),
            naming.DRIVER,
            teller=naming.SCHEDULER,
            teller_seconds=roles.last_seconds(spec),
            maker=_maker(name, namespace, spec),
            followers=tuple(followers),
        )
        limits = reports.Limits(
            0 if scaled else spec.worker_count,
            spec.quorum,
            spec.startup_timeout_seconds,
            spec.restart_limit,
            (naming.DRIVER, naming.SCHEDULER),
            {naming.prefix(group): group.processes for group in spec.groups},
            " ".join((f"The Dask operator makes the cluster, by DaskJob {name}.", *manifests.unheeded(spec))),
        )
        return provider.Layout(group, limits)


def _roles(name: str, spec: ClusterSpec) -> dict[str, AttemptSpec]:
    """Return what each role runs; workers of one group are alike."""
    scheduler = f"{name}-scheduler"
    by_role = {
        naming.DRIVER: plain.driver(spec, scheduler),
        naming.SCHEDULER: roles.scheduler(msgspec.structs.replace(spec, idle_timeout_seconds=0.0)),
    }
    for group in spec.groups:
        address = f"tcp://{scheduler}:{roles.COMM_PORT}"
        by_role[naming.prefix(group)] = roles.worker(spec, group, f"$({manifests.WORKER_NAME})", address)
    return by_role


def _maker(name: str, namespace: str, spec: ClusterSpec) -> pod_groups.Maker:
    return pod_groups.Maker(
        name="the Dask operator",
        main=f"{name}-runner",
        takes_up="jobStatus",
        has_made="jobRunnerPodName",
        kinds=KINDS,
        pods=2 + sum(min(group.count, group.minimum or group.count) for group in spec.groups),
        absent="DaskOperatorAbsent",
        remedy=f"Look whether it runs and watches namespace {namespace}, or let the platform make the pods: "
        "DAYFLY_KUBERNETES__DASK=pods.",
    )
