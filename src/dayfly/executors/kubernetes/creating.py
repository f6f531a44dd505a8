"""Makes objects, one or a group, where their namespace may be missing yet: Flyte has one for each place."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.executors.kubernetes import names, pruning
from dayfly.executors.kubernetes.api import NotNow

if TYPE_CHECKING:
    from collections.abc import Callable

    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Known
    from dayfly.ports.pod_groups import Manifest, PodGroupSpec

PAUSE_SECONDS = 1.0
"""Before the API is asked again that did not answer."""

AT_ONCE = 16
"""Objects of one group that are made side by side."""

_log = logs.get("executors.kubernetes")


async def create_group(api: Api, spec: PodGroupSpec, first: Manifest) -> Manifest:
    """Make what is not there yet of a group; return its `first` object as it is there, which owns the others."""
    slots = asyncio.Semaphore(AT_ONCE)
    owner = await create(api, first)
    if spec.maker is not None and (dropped := [*pruning.find_dropped(spec.objects[0]["spec"], owner["spec"])]):
        kind, name = owner["kind"], owner["metadata"]["name"]
        _log.warning("the cluster's definition lacks fields, which are left out", kind=kind, name=name, of=dropped)

    async def create_owned(manifest: Manifest) -> None:
        async with slots:
            await api.create(owned(manifest, owner))

    others = [one for one in spec.objects[1:] if names.role_of(one) not in spec.later]
    made = await asyncio.gather(*(create_owned(one) for one in others), return_exceptions=True)
    failed = [one for one in made if isinstance(one, BaseException)]
    # What is wrong for good counts before what may be right in a while.
    for error in sorted(failed, key=lambda one: isinstance(one, NotNow)):
        raise error
    return owner


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


async def follow_up(api: Api, known: Known, main: Manifest, tell: Callable[[Known], None]) -> None:
    """Make what is to be there once the main pod is, with the same owner; `tell` of what keeps it from being made."""
    named = ("apiVersion", "kind", "name", "uid")
    owners = [{word: one[word] for word in named} for one in main["metadata"].get("ownerReferences") or []]
    manifests = known.handle.list_followers()
    while manifests and not known.stopping and not known.ended:
        metadata = manifests[0]["metadata"]
        try:
            await api.create({**manifests[0], "metadata": {**metadata, "ownerReferences": owners}})
            manifests.pop(0)
            known.waits_for = ""
        except errors.DayflyError as error:
            known.waits_for = error.message
            tell(known)
            await asyncio.sleep(PAUSE_SECONDS)


def owned(manifest: Manifest, owner: Manifest) -> Manifest:
    """Return an object that goes when its owner does."""
    reference = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
    }
    return {**manifest, "metadata": {**manifest["metadata"], "ownerReferences": [reference]}}
