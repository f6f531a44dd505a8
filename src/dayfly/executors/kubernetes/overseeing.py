"""Looks after groups whose pods somebody else makes: whether they are taken up, and what keeps pods from being made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from dayfly.base import errors, logs
from dayfly.executors.kubernetes import awaiting, names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.api import Api
    from dayfly.executors.kubernetes.known import Handle, Known
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.pod_groups import Manifest

LOOK_SECONDS = 2.0
"""How often it is looked after a group, which is only while pods of it are missing."""

MAX_TOLD = 500
"""Characters of an event's message."""

_log = logs.get("executors.kubernetes")


class Overseer:
    """Asks the cluster about one group at a time."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._looked: dict[AttemptKey, float] = {}

    async def look(self, known: Known) -> None:
        """Note what is seen of a group that lacks pods, now and then."""
        now = time.monotonic()
        over = known.stopping or known.ended or known.unmade
        if over or not known.lacks() or now - self._looked.get(known.key, 0.0) < LOOK_SECONDS:
            return
        self._looked[known.key] = now
        try:
            facts = await self._facts(known)
            known.facts = facts._replace(trouble=await self._trouble(known.handle))
        except errors.DayflyError as error:  # The next look may see more.
            _log.info("it cannot be seen why pods are missing", attempt=known.key, error=str(error))

    async def find_first(self, key: AttemptKey, handle: Handle) -> Manifest | None:
        """Return the group's first object; None if it is gone, or another attempt's."""
        kind, name = handle.objects[0]
        found = await self._api.get(kind, handle.namespace, name)
        annotations = found["metadata"].get("annotations") or {} if found else {}
        return found if annotations.get(names.ATTEMPT) == key else None

    async def is_given_up(self, pod: Manifest) -> bool:
        """Say whether whoever made a pod that goes is gone too, so that no other comes."""
        for owner in pod["metadata"].get("ownerReferences") or []:
            try:
                found = await self._api.get(owner["kind"], pod["metadata"]["namespace"], owner["name"])
            except errors.DayflyError as error:  # then it is taken for lost
                _log.info("it cannot be seen whose a pod was", pod=pod["metadata"]["name"], error=str(error))
                return False
            if found is None or found["metadata"].get("deletionTimestamp"):
                return True
        return False

    def drop(self, key: AttemptKey) -> None:
        """Forget a group."""
        self._looked.pop(key, None)

    async def _facts(self, known: Known) -> awaiting.Facts:
        maker = known.handle.maker
        if maker is None or not known.awaits_main():
            return known.facts
        found = await self.find_first(known.key, known.handle)
        if found is None:
            return awaiting.Facts(gone=True)
        status = found.get("status") or {}
        made = False
        if status.get(maker.has_made):
            pod = await self._api.get("Pod", known.handle.namespace, known.handle.main)
            made = pod is None
        return awaiting.Facts(taken_up=bool(status.get(maker.takes_up)), made=made)

    async def _trouble(self, handle: Handle) -> str:
        """Return the last thing that Kubernetes or the maker have said of the group's objects that is not as it should
        be; nothing for who may not read events."""
        name = handle.objects[0][1]
        try:
            events, _ = await self._api.list("Event", handle.namespace, "", fields="type!=Normal")
        except errors.InvalidArgument:
            return ""
        found = [event for event in events if _is_about(event, name)]
        if not found:
            return ""
        last = max(found, key=lambda event: str(event.get("lastTimestamp") or event.get("eventTime") or ""))
        about = last["involvedObject"]
        return f"{about.get('kind')} {about.get('name')}: {' '.join((last.get('message') or '').split())}"[:MAX_TOLD]


def _is_about(event: Manifest, name: str) -> bool:
    """Say whether an event is about an object that is called `name`, or something longer that begins so, pods apart:
    what they wait for is in their own states."""
    about = event.get("involvedObject") or {}
    called = str(about.get("name") or "")
    return about.get("kind") != "Pod" and (called == name or called.startswith(f"{name}-"))
