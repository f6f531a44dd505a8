"""What a Dask task may say of its cluster beyond flyteidl's `DaskJob`: the wire form, and what is wrong with one. Pure.

It lies in the template's `custom` beside the `DaskJob`, under one key of its own, which Flyte passes over. Written by
`dayfly.dask`, read by `executors.dask.spec`; both check with what is here, so that both say the same. Fields are named
as in Python, because people read these names in errors.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from dayfly.base import errors

KEY = "dayfly"
"""In `custom`."""

DEFAULT_GROUP = "default"
"""The group that flyteidl's `DaskJob` describes."""

_Count = Annotated[int, msgspec.Meta(ge=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
"""Some thirty years at most: JSON has no word for infinity."""
_Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,18}[a-z0-9])?$")]
"""Part of the names of pods and processes."""

_VARIABLE = re.compile(r"[^=\0]+")


class Adapt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How few and how many workers a group may have: their number follows the work, and keeps the data that they hold.

    As long as a client is connected, there is one worker at least over all groups.
    """

    maximum: _Count
    minimum: Annotated[int, msgspec.Meta(ge=0)] = 0


class Reuse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That a cluster may stand by for the next attempt that asks for the same, once one has ended."""

    idle_seconds: _Seconds
    """How long it waits for one."""


class GroupWishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is said of one group beside number, image and resources."""

    threads: _Count | None = None
    """Of each process; None is the CPU limit, shared out among the processes."""
    processes: _Count = 1
    """Of each worker; they share its resources."""
    environment: dict[str, str] = {}
    command: str = ""
    """Words as a shell takes them; empty is `dask worker`, and `dask cuda worker` for a group with GPUs."""
    preload: tuple[str, ...] = ()
    """Modules, files or addresses that each worker loads as it begins."""
    nanny: bool | None = None
    """None leaves it to the kind of cluster."""
    adapt: Adapt | None = None


class ExtraGroup(GroupWishes, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A group beside the default one; the first four fields as in flyteidl's `DaskWorkerGroup`."""

    name: _Name
    number_of_workers: _Count = 1
    image: str = ""
    resources: dict[str, list[dict[str, str]]] = {}


class ClusterWishes(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """All that is said."""

    workers: GroupWishes = GroupWishes()
    """Of the default group."""
    groups: tuple[ExtraGroup, ...] = ()
    min_workers: _Count | None = None
    """Dask workers, over all groups, that the driver waits for; None is half of them."""
    startup_timeout_seconds: _Seconds | None = None
    idle_timeout_seconds: _Seconds | None = None
    config: dict[str, Any] = {}
    """Dask's own configuration, for all roles: dotted names, or nested."""
    reuse: Reuse | None = None


def read(custom: Mapping[str, Any]) -> ClusterWishes:
    """Return what a template's `custom` says. Raise `InvalidArgument`, which names the field."""
    told = custom.get(KEY)
    try:
        wishes = msgspec.convert({} if told is None else _whole(told), ClusterWishes)
    except msgspec.ValidationError as error:
        raise errors.InvalidArgument(_place(str(error)), remedy=REMEDY) from error
    if wrong := find_wrong(wishes):
        raise errors.InvalidArgument("; ".join(wrong), remedy=REMEDY)
    return wishes


REMEDY = "Correct the task_config, DaskCluster(...) of dayfly.dask, or its `custom`; docs/dask.md names all fields."


def find_wrong(wishes: ClusterWishes) -> list[str]:
    """Return what contradicts itself, each named by its field; empty when all is well."""
    found = []
    names = [group.name for group in wishes.groups]
    for index, name in enumerate(names):
        if name == DEFAULT_GROUP or name in names[:index]:
            found.append(f"groups[{index}].name: there is another group called {name!r}")
    groups = {f"groups[{index}]": group for index, group in enumerate(wishes.groups)}
    for place, group in ({"workers": wishes.workers} | groups).items():
        if group.adapt is not None and group.adapt.minimum > group.adapt.maximum:
            found.append(f"{place}.adapt: minimum {group.adapt.minimum} is above maximum {group.adapt.maximum}")
        found += [
            f"{place}.environment: {name!r} is no name of a variable"
            for name in group.environment
            if not _VARIABLE.fullmatch(name)
        ]
        found += _find_wrong_words(place, group.command)
    adapt = wishes.workers.adapt
    most = adapt.maximum * wishes.workers.processes if adapt is not None and not wishes.groups else 0
    if most and wishes.min_workers and wishes.min_workers > most:
        found.append(f"min_workers: {wishes.min_workers} are never there where adapt allows {most}")
    return found


def flatten(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return Dask configuration with dotted names alone."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, Mapping) and value:
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _find_wrong_words(place: str, command: str) -> list[str]:
    try:
        shlex.split(command)
    except ValueError as error:
        return [f"{place}.command: {command!r} cannot be read as a shell reads it: {error}"]
    return []


def _whole(value: Any) -> Any:
    """Make whole numbers of a Struct integers again: it holds nothing but floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {name: _whole(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(part) for part in value]
    return value


def _place(told: str) -> str:
    """Put the place first, as people look for it: `groups[0].threads: Expected ...`."""
    what, _, place = told.partition(" - at `$")
    return f"{place.rstrip('`').lstrip('.') or KEY}: {what}" if place else f"{KEY}: {what}"
