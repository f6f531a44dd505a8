"""The classes that users write, and the task that registers them.

They extend those of `flytekitplugins.dask`, which remains the one to write what Flyte reads.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any, Union

import msgspec
from flytekit.core import resources
from flytekit.core.task import TaskPlugins
from flytekitplugins.dask import task as plugin
from google.protobuf import json_format

from dayfly.base import errors
from dayfly.model import cluster_wishes

Seconds = Union[float, datetime.timedelta]


@dataclasses.dataclass
class Workers(plugin.WorkerGroup):
    """A group of workers alike: number, image, requests and limits as in `WorkerGroup`, and more.

    Each of the `number_of_workers` workers has `processes` processes of `threads` threads, which share its resources.
    """

    name: str = cluster_wishes.DEFAULT_GROUP
    """Lower-case letters, digits and dashes, at most 20; for groups beside the default one."""
    threads: int | None = None
    """Of each process; the CPU limit unless said."""
    processes: int = 1
    environment: dict[str, str] = dataclasses.field(default_factory=dict)
    command: str = ""
    """What starts a worker; it is given the scheduler's address and the options of `dask worker`."""
    preload: list[str] = dataclasses.field(default_factory=list)
    """Modules, files or addresses that each worker loads as it begins."""
    nanny: bool | None = None
    adapt: cluster_wishes.Adapt | None = None
    """The number of workers follows the work, within these bounds; it begins with `number_of_workers`."""


@dataclasses.dataclass
class DaskCluster(plugin.Dask):
    """The cluster of a task: `task_config=DaskCluster(workers=Workers(...), groups=[Workers(...)], ...)`.

    Raises `ValueError`, which names the field, for what makes no sense.
    """

    groups: list[Workers] = dataclasses.field(default_factory=list)
    """Groups beside `workers`, each with a name."""
    min_workers: int | None = None
    """The task begins when so many Dask workers are there; half of them unless said."""
    startup_timeout: Seconds | None = None
    """Seconds until then, after which the attempt fails and is tried again."""
    idle_timeout: Seconds | None = None
    """Seconds without work, after which scheduler and workers end; the task goes on without them."""
    config: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Dask's configuration for all roles, as `dask.config.set` takes it: what JSON can hold."""
    reuse: cluster_wishes.Reuse | None = None
    """A fresh cluster may stand by, once the task has ended, for the next that asks for the same."""

    def __post_init__(self) -> None:
        """Say at once what is wrong."""
        self.to_wishes()

    def to_wishes(self) -> dict[str, Any]:
        """Return what is said beyond flyteidl's `DaskJob`, as it is registered; empty if nothing is."""
        if not isinstance(self.workers, plugin.WorkerGroup):
            raise ValueError(f"DaskCluster.workers: {self.workers!r} is no Workers(...)")
        own = _of_group(self.workers) if isinstance(self.workers, Workers) else {}
        told = {
            "workers": own,
            "groups": [_of_extra(index, group) for index, group in enumerate(self.groups)],
            "min_workers": self.min_workers,
            "startup_timeout_seconds": _seconds(self.startup_timeout),
            "idle_timeout_seconds": _seconds(self.idle_timeout),
            "config": self.config,
            "reuse": self.reuse and msgspec.to_builtins(self.reuse),
        }
        try:
            wishes = cluster_wishes.read({cluster_wishes.KEY: told})
            plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(wishes))
        except errors.InvalidArgument as error:
            raise ValueError(f"DaskCluster.{error.message}".replace("_timeout_seconds", "_timeout")) from error
        except TypeError as error:
            raise ValueError(f"DaskCluster.config: it holds what JSON cannot: {error}") from error
        return {name: value for name, value in plain.items() if value}


class DaskClusterTask(plugin.DaskTask):
    """A task of type `dask` whose `custom` says more."""

    def get_custom(self, settings: Any) -> dict[str, Any]:
        """Return flyteidl's `DaskJob` as JSON, with Dayfly's own key beside it."""
        custom: dict[str, Any] = super().get_custom(settings)
        wishes = self.task_config.to_wishes()
        return {**custom, cluster_wishes.KEY: wishes} if wishes else custom


TaskPlugins.register_pythontask_plugin(DaskCluster, DaskClusterTask)


def _of_group(group: Workers) -> dict[str, Any]:
    return {
        "threads": group.threads,
        "processes": group.processes,
        "environment": group.environment,
        "command": group.command,
        "preload": group.preload,
        "nanny": group.nanny,
        "adapt": group.adapt and msgspec.to_builtins(group.adapt),
    }


def _of_extra(index: int, group: Workers) -> dict[str, Any]:
    if not isinstance(group, Workers):
        raise ValueError(f"DaskCluster.groups[{index}]: {group!r} is no Workers(...)")
    model = resources.convert_resources_to_resource_model(requests=group.requests, limits=group.limits)
    return {
        "name": group.name,
        "number_of_workers": group.number_of_workers,
        "image": group.image or "",
        "resources": json_format.MessageToDict(model.to_flyte_idl()),
        **_of_group(group),
    }


def _seconds(told: Seconds | None) -> float | None:
    return told.total_seconds() if isinstance(told, datetime.timedelta) else told
