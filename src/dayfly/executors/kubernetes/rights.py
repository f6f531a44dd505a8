"""Which rights a group of pods needs that lone pods do not, and which of them the platform's account lacks.

Asked before anything is made: who may make an object and not delete it would leave it there.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from dayfly.executors.kubernetes import known, removing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dayfly.executors.kubernetes.api import Api
    from dayfly.ports.pod_groups import PodGroupSpec

KEPT_SECONDS = 30.0
"""How long an answer holds: rights seldom change, and each attempt asks."""


class Rights:
    """Asks the cluster what the account may do."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._told: dict[tuple[str, str, str], tuple[float, bool]] = {}

    async def lacking(self, spec: PodGroupSpec) -> list[str]:
        """Return what the account may not do for such a group: `create and list daskjobs`, one for each kind."""
        needed = list(_needed(spec, self._api))
        may = await asyncio.gather(*(self._may(verb, kind, spec.namespace) for verb, kind in needed))
        missing: dict[str, list[str]] = {}
        for (verb, kind), allowed in zip(needed, may, strict=True):
            if not allowed:
                missing.setdefault(kind, []).append(verb)
        return [f"{_enumerate(verbs)} {self._api.plural(kind)}" for kind, verbs in missing.items()]

    async def _may(self, verb: str, kind: str, namespace: str) -> bool:
        asked, now = (verb, kind, namespace), time.monotonic()
        if asked not in self._told or now - self._told[asked][0] > KEPT_SECONDS:
            self._told[asked] = (now, await self._api.may(verb, kind, namespace))
        return self._told[asked][1]


def _needed(spec: PodGroupSpec, api: Api) -> Iterator[tuple[str, str]]:
    """Yield verb and kind of all that is done with such a group's objects, but for those of kinds that all groups
    have."""
    first, made = spec.objects[0]["kind"], {one["kind"] for one in (*spec.objects, *spec.followers)}
    for kind in known.handle_of(spec).kinds:
        if kind in removing.PLAIN_KINDS:
            continue
        if kind in made:
            yield "create", kind
        if kind == first:
            yield "get", kind
        yield "list", kind
        if api.is_custom(kind):
            yield "patch", kind  # to take off a finalizer that nobody else does
        yield "delete", kind


def _enumerate(verbs: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(verbs[:-1]), verbs[-1])))
