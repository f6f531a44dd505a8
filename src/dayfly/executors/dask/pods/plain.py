"""Clusters of plain pods, for which neither operator nor CRD is needed: a shape of `provider`'s clusters.

Driver, scheduler, workers and one Service are made side by side, the driver first: it owns the rest. The kubelet starts
workers again that end; pods that are lost are made anew by the platform.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from dayfly.executors.dask import naming
from dayfly.executors.dask.pods import beginning, provider, reports, retiring, roles
from dayfly.ports import pod_groups
from dayfly.ports.pod_groups import PodGroupSpec

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.pod_groups import Manifest, PodGroups


class PlainPods:
    """Implements `provider.Shape`."""

    def __init__(self, groups: PodGroups) -> None:
        self._groups = groups

    async def lay_out(self, spec: ClusterSpec) -> provider.Layout:
        """Return pods and Service of a cluster."""
        name = self._groups.pod_name(spec.driver, naming.SCHEDULER)
        address = f"tcp://{name}:{roles.COMM_PORT}"
        workers = dict(roles.workers(spec, address))
        scaled = tuple(group for group in spec.groups if group.maximum)
        others = {naming.DRIVER: driver(spec, name), naming.SCHEDULER: roles.scheduler(spec, scaled)}
        made = await self._groups.manifests(others | workers)
        for role in workers:
            # What ends of a worker is its container; Dask computes again what went with it.
            made[role]["spec"]["restartPolicy"] = "Always"
            retiring.before_the_end(made[role], f"http://{name}:{roles.HTTP_PORT}")
        later = frozenset(name for group in scaled for name in naming.first_workers(group, group.most)[group.count :])
        limits = reports.Limits(
            spec.worker_count,
            spec.quorum,
            spec.startup_timeout_seconds,
            spec.restart_limit,
            tuple(role for role in made if role not in later),
            {name: group.processes for name, group in naming.worker_names(spec.groups)},
            " ".join(("The cluster is made of plain pods.", *unheeded(spec))),
            tuple(name for group in scaled for name in naming.first_workers(group, group.most)),
        )
        namespace = made[naming.DRIVER]["metadata"]["namespace"]
        objects = (*made.values(), service(made[naming.SCHEDULER]))
        group = PodGroupSpec(
            spec.key,
            namespace,
            objects,
            naming.DRIVER,
            frozenset(workers),
            later,
            teller=naming.SCHEDULER,
            teller_seconds=roles.last_seconds(spec),
        )
        return provider.Layout(group, limits)


def unheeded(spec: ClusterSpec) -> Iterator[str]:
    """Yield a sentence for each thing that is asked for and that clusters of plain pods do not have."""
    if spec.reuse_seconds:
        yield "No cluster stands by for the next attempt."


def driver(spec: ClusterSpec, scheduler: str) -> AttemptSpec:
    """Return the driver of a cluster whose scheduler is found by this name."""
    made = roles.driver(spec, f"tcp://{scheduler}:{roles.COMM_PORT}")
    counts = f"http://{scheduler}:{roles.HTTP_PORT}{beginning.COUNTS_PATH}"
    return msgspec.structs.replace(made, env={beginning.COUNTS_VARIABLE: counts, **made.env})


def service(scheduler: Manifest) -> Manifest:
    """Return the Service by which all find the scheduler: its name stays while its pod's address is not known yet."""
    metadata = scheduler["metadata"]
    own = {name: metadata["labels"][name] for name in (pod_groups.PLATFORM, pod_groups.GROUP, pod_groups.ROLE)}
    ports = [("tcp-comm", roles.COMM_PORT), ("http-dashboard", roles.HTTP_PORT)]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "labels": metadata["labels"],
            "annotations": metadata["annotations"],
        },
        "spec": {
            "type": "ClusterIP",
            "selector": own,
            # Roles look for it before it is ready, and it is ready once it listens.
            "publishNotReadyAddresses": True,
            "ports": [{"name": name, "port": port, "targetPort": port} for name, port in ports],
        },
    }
