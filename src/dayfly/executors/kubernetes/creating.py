"""Makes objects where their namespace may be missing yet: Flyte has one for each project and domain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dayfly.base import errors

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import Manifest


async def create(api: Api, manifest: Manifest) -> Manifest:
    """Create an object, or find it created; return it as it is there."""
    namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
    while True:
        try:
            made = await api.create(manifest)
        except errors.NotFound:
            await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
            made = await api.create(manifest)
        made = made or await api.get(manifest["kind"], namespace, name)
        if made is not None:
            return made


def owned(manifest: Manifest, owner: Manifest) -> Manifest:
    """Return an object that goes when its owner does."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}
