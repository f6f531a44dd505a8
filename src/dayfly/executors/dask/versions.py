"""Whether driver, scheduler and workers can understand each other: Python, dask and distributed must be the same.

What they send each other is pickled bytecode in a protocol that changes with every release; a mixture fails late and
darkly, or not at all but for some data. Called before a cluster is made, for roles with environments of their own.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from dayfly.base import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.environments import Environment, Environments

COMPARED = ("python", "dask", "distributed")

ONE_ENVIRONMENT = "Use one image for all roles, and no worker command of another environment."


class VersionMismatch(errors.InvalidArgument):
    """The images of one cluster hold different versions."""

    code = "DaskVersionMismatch"


async def check(spec: ClusterSpec, environments: Environments) -> None:
    """Raise `VersionMismatch` if the roles' environments differ in what they must agree on.

    One environment for all needs no look. Raises `InvalidArgument` where one lacks Dask or cannot be run.
    """
    roles = role_environments(spec, environments)
    distinct = {environment.python: environment for environment in roles.values()}
    if len(distinct) == 1:
        return
    found = await asyncio.gather(*(environments.versions(environment) for environment in distinct.values()))
    by_python = dict(zip(distinct, found, strict=True))
    told = compare({role: by_python[environment.python] for role, environment in roles.items()})
    if told:
        images = ", ".join(f"{role}: {environment.name}" for role, environment in roles.items())
        raise VersionMismatch(
            f"The environments of {spec.driver.task} cannot form one Dask cluster ({images}).\n{told}\n",
            remedy="Build the images of driver, scheduler and workers from one lock, or leave the images of scheduler "
            "and workers unset: they then are the task's own.",
        )


def tell_differing(event: Mapping[str, Any]) -> str:
    """Return what must be the same and is not, by the record's event of a role whose packages differ from the
    scheduler's: `worker-0 has dask 2024.4.0 (the scheduler: 2025.4.0)`; empty where it may differ."""
    differ = event.get("differ") or {}
    told = [
        f"{name} {there or 'none'} (the scheduler: {here or 'none'})"
        for name in COMPARED
        for there, here in [differ.get(name, ("", ""))]
        if there or here
    ]
    return f"{event.get('worker')} has {', '.join(told)}" if told else ""


def role_environments(spec: ClusterSpec, environments: Environments) -> dict[str, Environment]:
    """Return the environment of each role."""
    images = {"driver": spec.driver.image, "scheduler": spec.scheduler.image}
    for group in spec.groups:
        images["workers" if len(spec.groups) == 1 else f"workers {group.name}"] = group.image
    return {role: environments.find(image) for role, image in images.items()}


def compare(by_role: Mapping[str, Mapping[str, str]]) -> str:
    """Return a table of what differs or is missing; empty if all agree. Python counts by its minor version."""
    rows = {name: [_told(name, found.get(name, "")) for found in by_role.values()] for name in COMPARED}
    bad = {name: row for name, row in rows.items() if len({_counted(name, each) for each in row}) > 1 or "none" in row}
    if not bad:
        return ""
    table = [["", *by_role], *([name, *row] for name, row in bad.items())]
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in table]
    return "\n".join(line.rstrip() for line in lines)


def _told(name: str, version: str) -> str:
    return version or "none"


def _counted(name: str, version: str) -> str:
    return ".".join(version.split(".")[:2]) if name == "python" else version
