"""Remembers which pods there were, beside their logs, past the end of a platform: those whose loss is one also where
another takes their role.

A pod that is deleted while no platform runs leaves nothing in the cluster. A later platform finds none of its role, or
one that a Deployment has made, and neither says that there was another.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.base import logs
from dayfly.executors.kubernetes import names

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.known import Known
    from dayfly.ports.pod_groups import Manifest

SUFFIX = ".pod"
"""Of a file that is named for the role and holds the name and id of the first pod that had it."""

_log = logs.get("executors.kubernetes")


class Memory:
    """The pods of one platform's groups; `folder_of` returns the folder of an attempt's logs."""

    def __init__(self, folder_of: Callable[[str], Path]) -> None:
        self._folder_of = folder_of
        self._noted: set[tuple[str, str]] = set()

    def note(self, known: Known, pod: Manifest) -> None:
        """Remember a pod, if its loss is to be told by whoever comes later, and it is the first of its role."""
        which = (known.key, names.role_of(pod))
        if which in self._noted or not known.is_missed(pod):
            return
        self._noted.add(which)
        path, draft = (self._folder_of(known.key) / f"{which[1]}{end}" for end in (SUFFIX, f"{SUFFIX}-draft"))
        try:
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                draft.write_text(f"{pod['metadata']['name']} {pod['metadata']['uid']}")
                os.replace(draft, path)
        except OSError as error:
            _log.warning("its loss cannot be told by a later platform", pod=pod["metadata"]["name"], error=str(error))

    def tell_missed(self, known: Known) -> None:
        """Tell a group that was taken back which of its pods are no more."""
        there = {pod["metadata"]["uid"] for pod in known.pods.values()}
        for path in self._folder_of(known.key).glob(f"*{SUFFIX}"):
            try:
                name, uid = path.read_text().split()
            except (OSError, ValueError) as error:
                _log.warning("it cannot be read which pod this was", file=str(path), error=str(error))
                continue
            if uid not in there:
                known.tell_missed(name, uid, path.stem)

    def drop(self, key: str) -> None:
        """Forget a group; what lies beside its logs stays there."""
        self._noted = {which for which in self._noted if which[0] != key}
