"""From a cluster's description to a group of two processes: one that holds the user's cluster object, and the driver.

Called by `executors.dask.local.provider`. The holder is called the scheduler, which most such classes run in their own
process; its supervisor sees to lease, recovery and orphans, as it does for clusters of forked processes. It is pure.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dayfly.base import errors
from dayfly.executors.dask.local import groups
from dayfly.ports import dashboards, process_groups, records

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec, WorkerGroup

CLOSE_SECONDS = 8.0
"""What the class gets to close a cluster, and with it what lies elsewhere, before its holder is killed."""

HOLDER_CPU = 0.25
"""Cores that the holder counts for; where the workers are, and what they take, the class alone knows."""

_HOLDER = str(Path(__file__).resolve().parent.parent / "roles" / "holder.py")

_PLACE = re.compile(r"\{(\w+)\}")


@dataclasses.dataclass(frozen=True)
class ClusterClass:
    """What the settings name."""

    name: str
    """`module:Class`."""
    arguments: Mapping[str, Any]
    """For the class, with places such as `{workers}`."""

    def worker_names(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the roles beside driver and scheduler: none, for the workers' logs are where the class puts them."""
        return ()

    def build(
        self,
        spec: ClusterSpec,
        *,
        python: str,
        distribution: str,
        working_dir: str,
        log_dir: str,
        cpu_request: float,
        memory_request_bytes: int,
    ) -> process_groups.GroupSpec:
        """Return the group. Raise `InvalidArgument` for a cluster that no such class can make."""
        group = _only_group(spec)
        holder = process_groups.Role(
            name=groups.SCHEDULER,
            entry=f"{_HOLDER}:run",
            arguments={
                "class": self.name,
                "arguments": fill(self.arguments, places(spec, group)),
                "minimum": group.minimum * group.processes,
                "maximum": group.maximum * group.processes,
                "wanted": spec.worker_count,
                "quorum": spec.quorum,
                "close_seconds": CLOSE_SECONDS,
                "notes": list(spec.notes),
                "dashboard_prefix": dashboards.prefix_of(spec.key),
                "record": f"{log_dir}/{records.FILE_NAME}",
            },
            env={**_config(spec, group), **spec.driver.env, **group.env},
            env_files=spec.driver.env_files,
            essential=True,
            last_fact=groups.COUNTED_FACT,
        )
        return process_groups.GroupSpec(
            key=spec.key,
            preload=groups.preload(spec.driver, python, distribution, (_HOLDER,)),
            roles=(holder, groups.driver(spec.driver, distribution)),
            working_dir=working_dir,
            log_dir=log_dir,
            cpu_request=spec.driver.cpu_request + HOLDER_CPU,
            memory_request_bytes=spec.driver.memory_request_bytes,
            quorum_fact=groups.QUORUM_FACT,
            quorum=1,  # of the roles; the holder counts the workers
            startup_timeout_seconds=spec.startup_timeout_seconds,
        )


def places(spec: ClusterSpec, group: WorkerGroup) -> dict[str, Any]:
    """Return what arguments may name; what was not said is left out."""
    said = {
        "name": spec.name,
        "image": group.image,
        "workers": group.count,
        "processes": group.processes,
        "threads": group.threads,
        "cores": group.threads * group.processes,
        "memory_bytes": group.memory_limit_bytes,
        "memory_of_worker_bytes": group.memory_limit_bytes * group.processes,
        "environment": dict(group.env),
    }
    return {name: value for name, value in said.items() if value}


def fill(arguments: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments with their places filled. One that is a place alone keeps the type of what is said; one with
    a place for what was not said is left out."""
    filled = {name: _fill(value, said) for name, value in arguments.items()}
    return {name: value for name, value in filled.items() if value is not None}


def _fill(value: Any, said: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return fill(value, said)
    if isinstance(value, list):
        return [part for part in (_fill(each, said) for each in value) if part is not None]
    if not isinstance(value, str):
        return value
    named = _PLACE.findall(value)
    if any(name not in said for name in named):
        return None
    if named and value == f"{{{named[0]}}}":
        return said[named[0]]
    return _PLACE.sub(lambda place: str(said[place[1]]), value)


def _only_group(spec: ClusterSpec) -> WorkerGroup:
    if len(spec.groups) != 1 or spec.groups[0].command:
        what = f"{len(spec.groups)} groups of workers" if len(spec.groups) != 1 else "a command of its own for workers"
        raise errors.InvalidArgument(
            f"{spec.driver.task} asks for {what}; clusters of the class that the settings name have one group.",
            remedy="Ask for one group, or leave the setting DAYFLY_DASK__CLUSTER_CLASS empty.",
        )
    return spec.groups[0]


def _config(spec: ClusterSpec, group: WorkerGroup) -> dict[str, str]:
    """What every such class reads from Dask's own configuration."""
    env = {}
    if spec.idle_timeout_seconds:
        env["DASK_DISTRIBUTED__SCHEDULER__IDLE_TIMEOUT"] = f"{spec.idle_timeout_seconds:g}s"
    if group.preload:
        env["DASK_DISTRIBUTED__WORKER__PRELOAD"] = repr(list(group.preload))
    return env
