"""Keeps `FlyteWorkflow` resources and executions alike: Kubernetes objects in, API calls out.

Knows: the resource, the public API as every client has it. Never knows: pods, plans, run states, where anything is
kept. Needs the extra `kubernetes`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base import errors

if TYPE_CHECKING:
    from dayfly.base.clock import Clock
    from dayfly.client.connecting import Client
    from dayfly.operator.cluster import Cluster
    from dayfly.operator.detecting import Login
    from dayfly.operator.driving import Operator

CRD = "flyteworkflows.yaml"
"""The kind's own definition, a file of this package: `dayfly deploy kubernetes --crd` prints it."""


def build(
    client: Client, cluster: Cluster, login: Login, clock: Clock, *, public_url: str, keep_seconds: float
) -> Operator:
    """Return the operator; `login` says how kopf reaches the cluster.

    Raise `FailedPrecondition` where the extra is not installed.
    """
    try:
        from dayfly.operator import detecting, driving
    except ImportError as error:
        raise errors.FailedPrecondition(
            f"The operator needs the package {error.name}, which is not installed.",
            remedy="Install the extra: pip install 'dayfly[kubernetes]'.",
        ) from error
    told = driving.OperatorSettings(public_url, keep_seconds)
    return driving.Operator(client, cluster, detecting.KopfDetection(login, cluster.one_namespace), told, clock)
