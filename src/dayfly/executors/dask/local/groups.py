"""From a cluster's description to the group of processes that is the cluster. Pure.

Called by `provider`. The scheduler is essential: with it goes all that the cluster knows. Workers are made anew; those
of a group whose number follows the work are scaled roles, as many as there may be. The driver is the main role: its end
is the cluster's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flyteidl.core import tasks_pb2

from dayfly.executors.dask import naming
from dayfly.executors.dask.local import standby
from dayfly.model import entrypoint_args
from dayfly.ports import dashboards, process_groups, records

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec, WorkerGroup
    from dayfly.ports.executors import AttemptSpec

DRIVER, SCHEDULER = naming.DRIVER, naming.SCHEDULER

ADDRESS_FACT, PROGRESS_FACT, READY_FACT, QUORUM_FACT = "scheduler_address", "progress", "ready", "quorum"
DASHBOARD_FACT, COUNTED_FACT, REPORTS_FACT = "dashboard_address", "counted", "last_words"
WARNING_FACT, DEATHS_FACT, BEGUN_FACT = "progress_warning", "deaths", "begun_roles"
STOOD_BY_FACT = "stood_by"
"""What roles and supervisor publish."""

TERMINATE_SHARE = 0.95
"""Of a worker's memory limit: above it, it is killed, where Dask's nanny would
(distributed.worker.memory.terminate)."""

STILLBORN_PER_WORKER = 3
"""Times that workers are made anew while none of them has ever joined: what they lack, they will go on to lack."""

NANNY_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}
"""What Dask's nanny sets for its workers (distributed.nanny.pre-spawn-environ): their tasks run side by side already,
and memory that is freed goes back at once, lest they pause for what they no longer hold."""

SCALING_ENVIRONMENT = {"DASK_DISTRIBUTED__ADAPTIVE__TARGET_DURATION": "500ms"}
"""Of the scheduler of workers that follow the work: how long these may need for all there is to do before there are
more. Dask's 5 s are for workers that take minutes to start; here it is a fifth of a second, and their room is kept. A
task that Dask has not seen before counts as much (distributed.scheduler.unknown-task-duration), so that a few long ones
get a worker each at once (dask/dask-jobqueue#463)."""

_ROLES = Path(__file__).resolve().parent.parent / "roles"

_ROLE_MODULES = tuple(str(_ROLES / file) for file in ("scheduler.py", "worker.py", "commanded.py"))
"""By path: the environment of the task need not have Dayfly."""

LIBRARIES = ("flytekit.bin.entrypoint", "distributed")
"""What the fork server imports before it forks, and then the modules of the roles."""


def build(
    spec: ClusterSpec,
    *,
    python: str,
    distribution: str,
    working_dir: str,
    log_dir: str,
    cpu_request: float,
    memory_request_bytes: int,
) -> process_groups.GroupSpec:
    """Return the group. `distribution` is the local folder of the unpacked code, empty where there is none."""
    loaded = preload(spec.driver, python, distribution, _ROLE_MODULES)
    roles = (_scheduler(spec, log_dir), *_workers(spec))
    return process_groups.GroupSpec(
        key=spec.key,
        preload=loaded,
        roles=(*roles, driver(spec.driver, distribution)),
        wanted_roles=tuple(
            name for group in spec.groups if group.maximum for name in naming.first_workers(group, group.count)
        ),
        working_dir=working_dir,
        log_dir=log_dir,
        cpu_request=cpu_request,
        memory_request_bytes=memory_request_bytes,
        quorum_fact=QUORUM_FACT,
        quorum=spec.quorum,
        startup_timeout_seconds=spec.startup_timeout_seconds,
        restart_limit=spec.restart_limit,
        stillborn_limit=STILLBORN_PER_WORKER * spec.worker_count,
        standby=standby.build(spec, loaded, roles),
    )


class Forked:
    """Clusters in which every worker is a role; the shape of `provider.Shape`."""

    build = staticmethod(build)

    def worker_names(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the names of all workers that there may be."""
        return tuple(name for name, _ in naming.worker_names(spec.groups))


FORKED = Forked()


def preload(driver: AttemptSpec, python: str, distribution: str, roles: tuple[str, ...]) -> process_groups.Preload:
    """Return what is imported before the fork; `roles` are the paths of the roles' own modules.

    The task's own environment is the same for all attempts of its version; the execution's is not.
    """
    container = tasks_pb2.TaskTemplate.FromString(driver.template).container
    own = {pair.key: pair.value for pair in container.env if driver.env.get(pair.key) == pair.value}
    modules = () if driver.volatile_env or driver.secrets else entrypoint_args.parse(driver.argv).user_modules
    return process_groups.Preload(python, (*LIBRARIES, *roles), distribution, modules, tuple(sorted(own.items())))


def driver(driver: AttemptSpec, distribution: str) -> process_groups.Role:
    """Return the main role, which begins once there is a quorum, and finds the scheduler."""
    entry = entrypoint_args.parse(driver.argv)
    unpacked = bool(distribution) or not entry.distribution
    return process_groups.Role(
        name=DRIVER,
        entry="argv",
        argv=entry.inner if unpacked else driver.argv,
        # As the Dask operator does: only where the user has not set it.
        env={"DASK_SCHEDULER_ADDRESS": f"{{fact:{ADDRESS_FACT}}}", **driver.env},
        env_files=driver.env_files,
        memory_limit_bytes=driver.memory_limit_bytes,
        cpu_limit=driver.cpu_limit or driver.cpu_request,
        main=True,
        wait_for=(ADDRESS_FACT, QUORUM_FACT),
    )


def _scheduler(spec: ClusterSpec, log_dir: str) -> process_groups.Role:
    scaled = naming.scaled(spec.groups)
    return process_groups.Role(
        name=SCHEDULER,
        entry=f"{_ROLE_MODULES[0]}:run",
        arguments={
            "wanted": spec.worker_count,
            "notes": list(spec.notes),
            "dashboard_prefix": dashboards.prefix_of(spec.key),
            "record": f"{log_dir}/{records.FILE_NAME}",
            "reports": log_dir,
            **({"idle_timeout_seconds": spec.idle_timeout_seconds} if spec.idle_timeout_seconds else {}),
            **({"scaled": scaled} if scaled else {}),
        },
        env={**(SCALING_ENVIRONMENT if scaled else {}), **spec.driver.env},
        env_files=spec.driver.env_files,
        memory_limit_bytes=spec.scheduler.resources.memory_limit_bytes,
        essential=True,
        last_fact=COUNTED_FACT,
    )


def _workers(spec: ClusterSpec) -> Iterator[process_groups.Role]:
    for name, group in naming.worker_names(spec.groups):
        # Without a nanny there is only what holds a pod to its limit.
        share = 1.0 if group.nanny is False else TERMINATE_SHARE
        yield process_groups.Role(
            name=name,
            entry=f"{_ROLE_MODULES[2] if group.command else _ROLE_MODULES[1]}:run",
            arguments=_worker_arguments(name, group),
            env={**NANNY_ENVIRONMENT, **spec.driver.env, **group.env},
            env_files=spec.driver.env_files,
            memory_limit_bytes=int(group.memory_limit_bytes * share),
            restart=True,
            scaled=bool(group.maximum),
        )


def _worker_arguments(name: str, group: WorkerGroup) -> dict[str, object]:
    """What is not said is left out: a cluster of a thousand workers has its order read by each of them."""
    arguments: dict[str, object] = {
        "name": name,
        "threads": group.threads,
        "memory_limit_bytes": group.memory_limit_bytes,
    }
    if group.preload:
        arguments["preload"] = list(group.preload)
    if group.command:
        arguments |= {"command": list(group.command), "nanny": group.nanny}
    return arguments
