"""From a cluster's description to the group of processes that is the cluster. Pure.

Called by `provider`. The scheduler is essential: with it goes all that the cluster knows. Workers are made anew. The
driver is the main role: its end is the cluster's.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from flyteidl.core import tasks_pb2

from dayfly.model import entrypoint_args
from dayfly.ports import dashboards, process_groups, records

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec, WorkerGroup
    from dayfly.ports.executors import AttemptSpec

DRIVER, SCHEDULER = "driver", "scheduler"

ADDRESS_FACT, PROGRESS_FACT, READY_FACT, QUORUM_FACT = "scheduler_address", "progress", "ready", "quorum"
DASHBOARD_FACT, COUNTED_FACT, REPORTS_FACT = "dashboard_address", "counted", "last_words"
WARNING_FACT, DEATHS_FACT = "progress_warning", "deaths"
"""What roles and supervisor publish."""

TERMINATE_SHARE = 0.95
"""Of a worker's memory limit: above it, it is killed, where Dask's nanny would
(distributed.worker.memory.terminate)."""

NANNY_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MALLOC_TRIM_THRESHOLD_": "65536",
}
"""What Dask's nanny sets for its workers (distributed.nanny.pre-spawn-environ): their tasks run side by side already,
and memory that is freed goes back at once, lest they pause for what they no longer hold."""

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
    return process_groups.GroupSpec(
        key=spec.key,
        preload=preload(spec.driver, python, distribution, _ROLE_MODULES),
        roles=(_scheduler(spec, log_dir), *_workers(spec), driver(spec.driver, distribution)),
        working_dir=working_dir,
        log_dir=log_dir,
        cpu_request=cpu_request,
        memory_request_bytes=memory_request_bytes,
        quorum_fact=QUORUM_FACT,
        quorum=spec.quorum,
        startup_timeout_seconds=spec.startup_timeout_seconds,
        restart_limit=spec.restart_limit,
    )


class Forked:
    """Clusters in which every worker is a role; the shape of `provider.Shape`."""

    build = staticmethod(build)

    def worker_names(self, spec: ClusterSpec) -> tuple[str, ...]:
        """Return the names of all workers."""
        return tuple(name for name, _ in worker_names(spec.groups))


FORKED = Forked()


def worker_names(groups: tuple[WorkerGroup, ...]) -> Iterator[tuple[str, WorkerGroup]]:
    """Yield the name of each worker with its group: `worker-0`, or `worker-gpu-0` outside the default group."""
    for group in groups:
        prefix = "worker" if group.name == "default" else f"worker-{group.name}"
        for number in range(group.count):
            yield f"{prefix}-{number}", group


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
        },
        env=dict(spec.driver.env),
        env_files=spec.driver.env_files,
        memory_limit_bytes=spec.scheduler.resources.memory_limit_bytes,
        essential=True,
        last_fact=COUNTED_FACT,
    )


def _workers(spec: ClusterSpec) -> Iterator[process_groups.Role]:
    for name, group in worker_names(spec.groups):
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
