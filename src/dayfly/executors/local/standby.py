"""Which groups stand by on this host, and for whom: at most one for a key, and a few in all.

Called by `groups`, to which one that stands by is a group as any other: started by an order, ended by one, by itself or
with its fork server. What is different: nobody waits for it, its folders lie below `run/standby`, and with the group
that takes it over they become that group's. It knows nothing of an earlier platform's: these end with it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from dayfly.base import ids, logs
from dayfly.executors.local import admission, records
from dayfly.ports.process_groups import GroupSpec, Role

MOST = 4
"""Groups that stand by at a time."""

WORTHY_ENDS = frozenset({"exited", "stopped", "oom", "essential_lost", "restarts_exhausted"})
"""Ends of a group after which another is made that stands by; the others say that processes fare badly here."""

PREFIX = "standby/"
"""How keys of groups that stand by begin; no attempt's does, for these have more parts."""

_log = logs.get("process groups")


class Standbys:
    """The groups that stand by, by what they stand by for: the keys of `Standby`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._keys: dict[str, str] = {}

    def add(self, ended: GroupSpec, end: str, host: admission.Admission) -> GroupSpec | None:
        """Return what is to stand by after a group has ended, with its folder made and its room taken; None where
        nothing is to, something does already, or there is no room."""
        wanted = ended.standby
        if wanted is None or end not in WORTHY_ENDS or wanted.key in self._keys:
            return None
        key = f"{PREFIX}{ids.unique()}"
        folder = self.record(key).folder
        if not host.stand(host.fit(key, ended.cpu_request, ended.memory_request_bytes)):
            return None
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            host.leave(key)
            _log.warning("nothing stands by", after=ended.key, error=str(error))
            return None
        self._keys[wanted.key] = key
        return msgspec.structs.replace(
            ended,
            key=key,
            roles=(*wanted.roles, Role("driver", "argv", main=True, wait_for=(ended.quorum_fact,))),
            working_dir=str(folder / "work"),
            log_dir=str(folder / "logs"),
            quorum=sum(role.restart for role in wanted.roles),
            standby=None,
            standing_seconds=wanted.seconds,
        )

    def find(self, spec: GroupSpec) -> str:
        """Return the key of what stands by for such a group, empty if nothing does."""
        return self._keys.get(spec.standby.key, "") if spec.standby is not None else ""

    def list(self) -> list[str]:
        """Return the keys of all that stand by or are being made, the oldest first."""
        return [*self._keys.values()]

    def drop(self, key: str) -> None:
        """Take one off the list: it has ended, is to end, or has been taken over."""
        self._keys = {wanted: each for wanted, each in self._keys.items() if each != key}

    def record(self, key: str) -> records.Record:
        """Return the folder of one that stands by."""
        return records.Record(self._root, key.removeprefix(PREFIX))

    def sweep(self) -> None:
        """Remove what those of an earlier platform have left that were killed with it. One whose supervisor lives
        removes its folder itself, or has taken it along into another group."""
        for folder in self._root.glob("*"):
            record = records.Record(self._root, folder.name)
            started = record.find_started()
            if started is None or not started.alive:
                shutil.rmtree(record.temporary_dir, ignore_errors=True)
                shutil.rmtree(folder, ignore_errors=True)
