"""The roles of a cluster as attempts of their own, from which their pods are made. Pure.

Commands are `dask scheduler` and `dask worker`: the scripts with a dash are gone from distributed since 2026.6. What
Flyte's own plugin gives each role: flyteplugins/go/tasks/plugins/k8s/dask/dask.go in flyteorg/flyte.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
from flyteidl.core import tasks_pb2

from dayfly.executors.dask import naming
from dayfly.executors.dask.pods import beginning
from dayfly.executors.dask.relay import carrying
from dayfly.executors.dask.roles import reporting_time
from dayfly.model import entrypoint_args

if TYPE_CHECKING:
    from dayfly.ports.clusters import ClusterSpec, RoleResources, WorkerGroup
    from dayfly.ports.executors import AttemptSpec

COMM_PORT, HTTP_PORT = 8786, 8787

LAST_WORDS_SECONDS = 5.0
"""What a scheduler may take to tell its last beside its reports."""

DEATH_TIMEOUT_SECONDS = 60
"""After which a worker ends that has no scheduler."""

ROUTES_VARIABLE = "DASK_DISTRIBUTED__SCHEDULER__HTTP__ROUTES"

ROUTES = (
    "distributed.http.scheduler.prometheus",
    "distributed.http.scheduler.info",
    "distributed.http.scheduler.json",
    "distributed.http.health",
    "distributed.http.proxy",
    "distributed.http.statics",
    "distributed.http.scheduler.api",
)
"""Those that every scheduler has (distributed.yaml), and the last, by which it is asked about its workers."""


def driver(spec: ClusterSpec, address: str) -> AttemptSpec:
    """Return the driver, which waits for the quorum and then is the task's own command."""
    attempt = spec.driver
    entry = entrypoint_args.parse(attempt.argv)
    argv = attempt.argv if entry.kind == entrypoint_args.OTHER else beginning.driver(entry, spec.quorum)
    env = carrying.driver_environment({"DASK_SCHEDULER_ADDRESS": address, **attempt.env})
    return msgspec.structs.replace(attempt, argv=argv, template=_without_command(attempt), env=env, interruptible=False)


def scheduler(spec: ClusterSpec, scaled: tuple[WorkerGroup, ...] = ()) -> AttemptSpec:
    """Return the scheduler; `scaled` are the groups whose number it is to make follow the work."""
    argv = ["dask", "scheduler", "--port", str(COMM_PORT), "--dashboard-address", f":{HTTP_PORT}"]
    if spec.idle_timeout_seconds:
        argv += ["--idle-timeout", f"{spec.idle_timeout_seconds:g}s"]
    argv += carrying.SCHEDULER_WORDS
    made = _role(spec.driver, argv, spec.scheduler.resources, image=spec.scheduler.image)
    env = {ROUTES_VARIABLE: repr(list(ROUTES)), **made.env, **carrying.scheduler_environment(spec, scaled)}
    return msgspec.structs.replace(made, env=env, interruptible=False)


def last_seconds(spec: ClusterSpec) -> float:
    """Return what the scheduler may take to end once the driver has, Dask's own reports included."""
    asked = reporting_time.read_asked(spec.driver.env.get(reporting_time.VARIABLE, ""))
    return LAST_WORDS_SECONDS + (reporting_time.MOST_SECONDS if asked is None else asked)


def workers(spec: ClusterSpec, address: str) -> Iterator[tuple[str, AttemptSpec]]:
    """Yield each worker with its name."""
    for name, group in naming.worker_names(spec.groups):
        yield name, worker(spec, group, name, address)


def worker(spec: ClusterSpec, group: WorkerGroup, name: str, address: str) -> AttemptSpec:
    """Return a worker of the group, which Dask is to know by this name."""
    made = _role(spec.driver, _worker_words(name, group, address), group.resources, image=group.image)
    env = carrying.worker_environment({**spec.driver.env, **group.env}, group)
    return msgspec.structs.replace(made, env=env, interruptible=group.interruptible)


def _worker_words(name: str, group: WorkerGroup, address: str) -> list[str]:
    words = [*(group.command or ("dask", "worker")), address, "--name", name, *carrying.worker_words(group)]
    words += ["--death-timeout", str(DEATH_TIMEOUT_SECONDS)]
    if group.threads:
        words += ["--nthreads", str(group.threads)]
    if group.memory_limit_bytes:
        words += ["--memory-limit", str(group.memory_limit_bytes)]
    if group.processes > 1:
        words += ["--nworkers", str(group.processes)]
    if group.nanny is False:
        words.append("--no-nanny")
    for module in group.preload:
        words += ["--preload", module]
    return words


def _role(attempt: AttemptSpec, words: list[str], resources: RoleResources, *, image: str) -> AttemptSpec:
    """Return a role that runs `words` where the task's own code can be imported."""
    template = tasks_pb2.TaskTemplate.FromString(attempt.template)
    template.container.ClearField("command")
    template.container.ClearField("resources")
    if resources.gpus:
        template.container.resources.limits.add(name=tasks_pb2.Resources.GPU, value=str(resources.gpus))
    return msgspec.structs.replace(
        attempt,
        argv=beginning.role(entrypoint_args.parse(attempt.argv), tuple(words)),
        template=template.SerializeToString(deterministic=True),
        image=image or attempt.image,
        cpu_request=resources.cpu_request,
        cpu_limit=resources.cpu_limit,
        memory_request_bytes=resources.memory_request_bytes,
        memory_limit_bytes=resources.memory_limit_bytes,
    )


def _without_command(attempt: AttemptSpec) -> bytes:
    """The whole command line is in `argv`: nothing of it is the image's."""
    template = tasks_pb2.TaskTemplate.FromString(attempt.template)
    template.container.ClearField("command")
    made: bytes = template.SerializeToString(deterministic=True)
    return made
