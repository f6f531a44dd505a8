"""What may stand by of a cluster, and for which attempts: those that ask for the very same in the same project. Pure.

Called by `groups`. A cluster that stands by has run nobody's code yet beyond what is imported before the fork, and each
is for one attempt only: of one attempt the next can find nothing.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec
from flyteidl.core import tasks_pb2

from dayfly.model import identifiers
from dayfly.ports import process_groups

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.process_groups import Preload, Role

OF_ATTEMPT = ("notes", "dashboard_prefix", "record", "reports")
"""Arguments of the scheduler that are one attempt's alone."""

CONFIGURATION = "DASK_"
"""How variables begin that must be there when a process of Dask begins."""


def build(spec: ClusterSpec, preload: Preload, roles: tuple[Role, ...]) -> process_groups.Standby | None:
    """Return what may stand by after the cluster whose scheduler and workers are `roles`; None where nothing may."""
    if not spec.reuse_seconds:
        return None
    fresh = tuple(_without_attempt(role, of_attempt(spec.driver)) for role in roles)
    return process_groups.Standby(key(spec, preload, fresh), spec.reuse_seconds, fresh)


def key(spec: ClusterSpec, preload: Preload, roles: tuple[Role, ...]) -> str:
    """Return what two attempts have in common that may have each other's cluster: project and domain they run in,
    interpreter, code and environment, and every role, so all that is said of the cluster."""
    execution, _, _ = identifiers.parse_attempt_key(spec.key)
    told = msgspec.json.encode([execution.project, execution.domain, preload, roles])
    return hashlib.sha256(told).hexdigest()


def of_attempt(driver: AttemptSpec) -> frozenset[str]:
    """Return the variables that are the attempt's own: all but those of its task and those that Dask reads."""
    container = tasks_pb2.TaskTemplate.FromString(driver.template).container
    own = {pair.key: pair.value for pair in container.env}
    return frozenset(
        name for name, value in driver.env.items() if own.get(name) != value and not name.startswith(CONFIGURATION)
    )


def _without_attempt(role: Role, own: frozenset[str]) -> Role:
    arguments = {name: value for name, value in role.arguments.items() if name not in OF_ATTEMPT}
    env = {name: value for name, value in role.env.items() if name not in own}
    return msgspec.structs.replace(role, arguments=arguments | {"standing": True}, env=env)
