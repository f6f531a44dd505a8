"""Brings modules of `roles` into processes of images in which Dayfly is not installed: in their environment. Pure.

A scheduler or nanny of Dask loads whatever `preload` names, also the text of a program. That text is one line, which
unpacks the modules from a variable. No object of Kubernetes beside the pod is needed, and no right to make one.
"""

from __future__ import annotations

import base64
import functools
import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dayfly.executors.dask import naming
from dayfly.executors.dask.roles import carried
from dayfly.ports import dashboards

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec, WorkerGroup

ARGUMENTS_VARIABLE = "DAYFLY_RELAY"
"""Of a scheduler: see `roles/relaying.py`."""

NANNY_PRELOAD, CLIENT_PRELOAD = "DASK_DISTRIBUTED__NANNY__PRELOAD", "DASK_DISTRIBUTED__CLIENT__PRELOAD"

PACKAGE = "dayfly_relay"

SCHEDULER = (
    "differing",
    "stuck",
    "recording_frames",
    "recording_spans",
    "recording",
    "holding",
    "dashboard",
    "scaling_policy",
    "scaling",
    "reporting_time",
    "reporting",
    "telling",
    "settling",
    "relaying",
)
"""What a scheduler needs; the last is the one that it loads."""

NANNY = ("carried", "telling", "holding", "spilling", "relaying_nanny")
"""What a nanny needs, which has its worker load the same."""

DRIVER = ("telling", "holding", "relaying_driver")

_ROLES = Path(__file__).resolve().parent.parent / "roles"

SCHEDULER_WORDS = ["--no-dashboard", "--preload", carried.TEXT]
"""Options of `dask scheduler`. The dashboard is made when somebody first looks at it."""

_PROGRAM = """\
import importlib.abc, importlib.util, sys

SOURCES = {sources!r}


class Carried(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name in SOURCES else None

    def is_package(self, name):
        return name == {package!r}

    def get_source(self, name):
        return SOURCES[name]


if {package!r} not in sys.modules:
    sys.meta_path.append(Carried())
from {package}.{main} import *
"""


@functools.cache
def pack(modules: tuple[str, ...]) -> str:
    """Return the value of the variable: modules of `roles`, of which the last is loaded by the role."""
    sources = {PACKAGE: ""}
    sources |= {f"{PACKAGE}.{name}": (_ROLES / f"{name}.py").read_text(encoding="utf-8") for name in modules}
    program = _PROGRAM.format(sources=sources, package=PACKAGE, main=modules[-1])
    return base64.b64encode(zlib.compress(program.encode(), 9)).decode()


def scheduler_environment(spec: ClusterSpec, scaled: tuple[WorkerGroup, ...] = ()) -> dict[str, str]:
    """Return the variables that a scheduler needs which is started with `SCHEDULER_WORDS`; `scaled` are the groups
    whose number it is to make follow the work."""
    arguments = {
        "wanted": spec.worker_count,
        "notes": list(spec.notes),
        "dashboard_prefix": dashboards.prefix_of(spec.key),
        "memory_limit_bytes": spec.scheduler.resources.memory_limit_bytes,
        "scaled": naming.scaled(scaled),
    }
    return {carried.CODE_VARIABLE: pack(SCHEDULER), ARGUMENTS_VARIABLE: json.dumps(arguments)}


def driver_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return a driver's variables: its `own`, and those that have its client load a module."""
    return {CLIENT_PRELOAD: repr([carried.TEXT]), carried.CODE_VARIABLE: pack(DRIVER), **own}


def worker_words(group: WorkerGroup) -> list[str]:
    """Return the options of a worker's command that have its nannies load their module."""
    # `dask worker` passes over what is configured for nannies; of other commands nobody knows their options.
    return ["--preload-nanny", carried.TEXT] if group.nanny is not False and not group.command else []


def worker_environment(own: Mapping[str, str], group: WorkerGroup) -> dict[str, str]:
    """Return a worker's variables: its `own`, and those by which nannies find their module."""
    if group.nanny is False:
        return dict(own)
    by_configuration = {NANNY_PRELOAD: repr([carried.TEXT])} if group.command else {}
    return {**by_configuration, carried.CODE_VARIABLE: pack(NANNY), **own}
