"""The way to a port of a pod over the cluster's API, for who does not reach pods themselves: its pod proxy.

Called by `groups` for whoever shows dashboards. The API server asks the pod, and passes its answers on, websockets too.
Of pages it changes the links: they get its own path of the pod in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.ports.dashboards import Way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import Manifest


async def find_way(api: Api, pods: Iterable[Manifest], address: str, *, anew: bool) -> Way | None:
    """Return the way to that of these pods which has the address; None if none has."""
    path = path_of(pods, address)
    if not path:
        return None
    door = await api.door(anew=anew)
    return door._replace(url=door.url.rstrip("/") + path, put_in_front=path)


def path_of(pods: Iterable[Manifest], address: str) -> str:
    """Return the API's path of the port at `host:port`; empty where it is none of these pods'. Pure."""
    host, _, port = address.rpartition(":")
    for pod in pods:
        if host and (pod.get("status") or {}).get("podIP") == host.strip("[]"):
            metadata = pod["metadata"]
            return f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}:{port}/proxy"
    return ""
