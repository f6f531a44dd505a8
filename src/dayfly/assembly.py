"""From settings to a running whole: the only module that knows everybody.

Called by the CLI. Parts are started so that nothing is answered before it can be kept, and ended so that nothing that
was seen is lost: the engine first, then tasks within their grace, then the doors, the database last.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import prometheus_client

from dayfly import blobs, console, environments, operator, secrets
from dayfly.base import clock as clocks
from dayfly.base import data_folder, logs
from dayfly.base import settings as themes
from dayfly.client import connecting, http_api
from dayfly.controller import building, leasing, observing, preparing, timers
from dayfly.executors import kubernetes, local
from dayfly.executors.dask.recorder import files as record_files
from dayfly.executors.kubernetes import measuring as kubernetes_measuring
from dayfly.gateway import app, dashboards, front, log_files, records, rest
from dayfly.gateway.extras import health
from dayfly.gateway.extras import routes as extras
from dayfly.model import identifiers, quantities, resources
from dayfly.ports import executor_parts
from dayfly.services import (
    answering,
    api,
    delivering,
    measuring,
    notifying,
    projects,
    scheduling,
    server,
    signing,
)
from dayfly.services import settings as api_settings
from dayfly.stores import database

if TYPE_CHECKING:
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.children import Children
    from dayfly.ports.dashboards import Ways
    from dayfly.ports.executors import Executor

VERSION = importlib.metadata.version("dayfly")

_log = logs.get("dayfly")


@dataclass
class Platform:
    """A running platform, as the CLI sees it."""

    address: str
    url: str
    client_config: Path
    _hurried: asyncio.Event = field(default_factory=asyncio.Event)

    def hurry(self) -> None:
        """End without waiting for the tasks' grace time."""
        self._hurried.set()

    async def wait_until_hurried(self) -> None:
        """Return when `hurry` was called."""
        await self._hurried.wait()

    def grace_seconds(self, usual: float) -> float:
        """Return how long tasks may still take."""
        return 0.0 if self._hurried.is_set() else usual


@contextlib.asynccontextmanager
async def running(settings: themes.Settings) -> AsyncIterator[Platform]:
    """Run the whole platform in this process for as long as the context lives.

    Raise `FailedPrecondition` for a data folder in use or of a newer version, `UserError` for a port in use or a folder
    that cannot be written.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = data_folder.open_folder(settings.data.folder)
        stack.callback(folder.close)
        listener = front.bind(settings.server.host, settings.server.port)
        stack.callback(listener.close)
        address = f"{settings.server.host}:{listener.getsockname()[1]}"
        url = (settings.server.public_url or f"http://{address}").rstrip("/")
        clock = clocks.SystemClock()
        at = settings.data.database or database.url_of(folder.path / "dayfly.db")
        store = await database.open(at, clock=clock, alone=True)
        stack.push_async_callback(store.close)
        blob_store = blobs.open(_storage_root(settings, folder))
        await projects.seed(store.definitions)
        registry = prometheus_client.CollectorRegistry()
        executors = _Executors(settings, folder.path, url, blob_store, clock, registry)
        platform = Platform(address, url, folder.path / "config.yaml")

        links = signing.SignedLinks(folder.secret(), url, clock)
        told = api_settings.ApiSettings(
            max_parallelism=settings.engine.max_parallelism,
            system_retries=settings.engine.system_retries,
            max_request_bytes=settings.server.max_message_bytes,
            public_url=url,
            task_ceiling=_sizing(settings.tasks).ceiling,
            version=VERSION,
        )
        services = api.build(store, blob_store, links, clock, told)
        scratch = stack.enter_context(_scratch(folder.path / "scratch"))
        measures = measuring.Measures(registry)
        bindings = api.bindings(services)
        calls = answering.calls(bindings, server.SERVICES, measures)
        grpc_server = await server.build(bindings, measures, told)
        grpc_server.add_insecure_port(f"unix:{scratch}/grpc.sock")
        await grpc_server.start()
        stack.push_async_callback(grpc_server.stop, 1.0)
        closing = asyncio.Event()
        own_client = connecting.open(f"unix:{scratch}/grpc.sock")
        stack.push_async_callback(own_client.close)
        own_http = http_api.open(f"http://{address}")
        stack.push_async_callback(own_http.close)
        pages = console.build(console.Site(own_client, own_http, clock, url, VERSION))
        stack.push_async_callback(pages.close)
        flight_records = record_files.RecordFiles(folder.path / "logs")
        attempt_logs = local.log_reading.LogFolder(folder.path / "logs")
        web = app.build(
            blobs=blob_store,
            links=links,
            logs_of=log_files.below(folder.path / "logs"),
            registry=registry,
            version=VERSION,
            public_url=url,
            routers=[
                rest.router(calls, max_bytes=settings.server.max_message_bytes, public_url=url),
                dashboards.router(calls, public_url=url, ways=executors.ways),
                records.router(flight_records, public_url=url),
                extras.router(
                    extras.Sources(
                        attempt_logs,
                        store.runs,
                        store.history,
                        flight_records,
                        store.catalog,
                        blob_store,
                        store.overview,
                        health.Platform(
                            blob_store,
                            folder.path,
                            tuple(sorted(executors.by_name)),
                            executors.looks,
                            settings.engine.backend,
                            health.told_settings(settings),
                        ),
                        clock,
                    ),
                    version=VERSION,
                    public_url=url,
                    closing=closing,
                ),
                console.entrance(),
            ],
            mounted={console.ROOT: pages},
        )
        await stack.enter_async_context(
            _engine(settings, store.for_engine, blob_store, executors, clock, url, platform, services.launcher)
        )
        scheduler = scheduling.Scheduler(
            store.schedules, services.launcher, clock, catch_up=settings.engine.schedule_catch_up
        )
        stack.push_async_callback(_cancel, _supervised(scheduler.run(), "schedules"))
        channels = delivering.channels(settings.notifications)
        notifier = notifying.Notifier(store.notices, channels, clock, public_url=url)
        stack.push_async_callback(_cancel, _supervised(notifier.run(), "notifications"))
        door = await front.serve(settings.server.host, 0, f"{scratch}/grpc.sock", web, listener=listener)
        stack.push_async_callback(door.close)
        stack.callback(closing.set)
        if settings.engine.backend == executor_parts.KUBERNETES and settings.kubernetes.workflow_operator:
            await stack.enter_async_context(_operator(settings, own_client, clock, url))
        folder.announce(address)
        folder.write_client_config(address, url)
        yield platform


@contextlib.asynccontextmanager
async def operating(settings: themes.Settings, address: str) -> AsyncIterator[None]:
    """Run the operator alone, for the platform at `host:port`, for as long as the context lives.

    Raise `FailedPrecondition` where the extra for Kubernetes is not installed.
    """
    url = (settings.server.public_url or f"http://{address}").rstrip("/")
    async with connecting.open(address) as client, _operator(settings, client, clocks.SystemClock(), url):
        yield


@contextlib.asynccontextmanager
async def _operator(
    settings: themes.Settings, client: connecting.Client, clock: clocks.Clock, url: str
) -> AsyncIterator[None]:
    cluster, connection = kubernetes.build_flyte_workflows(settings)
    keep_seconds = settings.kubernetes.keep_workflows_seconds
    made = operator.build(client, cluster, connection.login, clock, public_url=url, keep_seconds=keep_seconds)
    driving = _supervised(made.run(), "operator")
    try:
        yield
    finally:
        await _cancel(driving)
        await connection.close()


class _Executors:
    """The executors of this process, by name, and which of them runs which task type."""

    def __init__(
        self,
        settings: themes.Settings,
        folder: Path,
        url: str,
        blob_store: Blobs,
        clock: clocks.Clock,
        registry: prometheus_client.CollectorRegistry,
    ) -> None:
        calls = kubernetes_measuring.Calls(registry)
        own = local.LocalSettings(
            data=folder,
            public_url=url,
            lease_seconds=settings.lease.group_seconds,
            grace_seconds=settings.host.grace_seconds,
            cpus=settings.host.cpus or None,
            memory_bytes=settings.host.memory_bytes or None,
            max_log_bytes=settings.host.max_log_bytes,
            strict_resources=settings.host.strict_resources,
        )
        self.groups = local.build_groups(own, clock)
        mounted = Path(settings.data.secrets) if settings.data.secrets else None
        delivery = secrets.build(folder, os.environ, mounted)
        delivery.sweep(identifiers.AttemptKey(key) for key in self.groups.list_kept())
        parts = executor_parts.ExecutorParts(
            settings=settings,
            data=folder,
            clock=clock,
            blobs=blob_store,
            environments=environments.build(sys.executable, tuple(settings.host.environments.items())),
            share_groups=self.groups.share,
            host_cpus=self.groups.capacity.cpus,
            host_memory_bytes=self.groups.capacity.memory_bytes,
            unpack=local.build_distributions(own, blob_store).unpack,
            public_url=url,
            log_uri=lambda key, role: local.log_files.uri_for(url, key, role),
            secrets=delivery,
            share_pods=lambda: kubernetes.build_groups(settings, folder, clock, calls.count),
        )
        self.by_name: dict[str, Executor] = {}
        self.by_type: dict[str, str] = {}
        self.claims: dict[str, Callable[[str], Awaitable[bool]]] = {}
        self.ways: list[Ways] = []
        self.looks: dict[str, Callable[[], Awaitable[executor_parts.Condition]]] = {}
        for entry in importlib.metadata.entry_points(group=executor_parts.GROUP):
            plugged = entry.load()(parts)
            if plugged is None:
                continue
            self.by_name[entry.name] = plugged.executor
            self.by_type.update(dict.fromkeys(plugged.task_types, entry.name))
            if plugged.claims is not None:
                self.claims[entry.name] = plugged.claims
            if plugged.ways is not None:
                self.ways.append(plugged.ways)
            if plugged.look is not None:
                self.looks[entry.name] = plugged.look


@contextlib.asynccontextmanager
async def _engine(
    settings: themes.Settings,
    store: database.Stores,
    blob_store: Blobs,
    executors: _Executors,
    clock: clocks.Clock,
    url: str,
    platform: Platform,
    children: Children,
) -> AsyncIterator[None]:
    parts = building.build(
        store,
        blob_store,
        executors.by_name,
        executors.by_type,
        children,
        clock,
        public_url=url,
        grace_seconds=settings.host.grace_seconds,
        platform_env={},
        makes_pods=settings.engine.backend == executor_parts.KUBERNETES,
        sizing=_sizing(settings.tasks),
        claims=executors.claims,
    )
    # The locks of folder and database admit one platform, so that leases of the one before it are ours at once.
    owner = "all-in-one"
    controller = leasing.Controller(store.runs, parts.performer, settings.lease, owner)
    observer = observing.Observer(
        store.runs, parts.templates, parts.unsaid, blob_store, executors.by_name, settings.engine, clock
    )
    taken_back = await observer.recover([identifiers.AttemptKey(key) for key in executors.groups.list_kept()])
    if taken_back:
        _log.info("took running attempts back", attempts=taken_back)
    followers = [_supervised(observer.follow(name), f"follow {name}") for name in executors.by_name]
    ticking = _supervised(timers.run(store.runs, clock, poll_seconds=settings.lease.poll_seconds), "timers")
    driving = _supervised(controller.run(), "controller")
    holding = _supervised(parts.caching.hold(), "reservations")
    try:
        yield
    finally:
        # No new work first; then the tasks, whose ends are still recorded; whatever remains is found by the next start.
        await controller.close()
        ticking.cancel()
        holding.cancel()
        await _end_tasks(settings, executors, platform)
        await asyncio.gather(driving, ticking, holding, *followers, return_exceptions=True)


async def _end_tasks(settings: themes.Settings, executors: _Executors, platform: Platform) -> None:
    grace = platform.grace_seconds(settings.host.grace_seconds)

    async def end() -> None:
        await asyncio.gather(*(one.close(grace_seconds=grace) for one in executors.by_name.values()))

    ending, hurried = asyncio.create_task(end()), asyncio.create_task(platform.wait_until_hurried())
    await asyncio.wait({ending, hurried}, return_when=asyncio.FIRST_COMPLETED)
    hurried.cancel()
    await executors.groups.close(grace_seconds=grace if ending.done() else 0.0)
    await ending


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _sizing(told: themes.TasksSettings) -> preparing.Sizing:
    """Read the sizes. Raise `InvalidArgument` for what is no quantity."""
    ceiling = resources.Ceiling(
        quantities.cores(told.max_cpu or "0"),
        quantities.size_bytes(told.max_memory or "0"),
        quantities.size_bytes(told.max_ephemeral_storage or "0"),
        told.max_gpus,
    )
    return preparing.Sizing(
        quantities.cores(told.default_cpu or "0"),
        quantities.size_bytes(told.default_memory or "0"),
        ceiling,
        told.memory_growth,
        quantities.size_bytes(told.memory_growth_limit or "0"),
    )


@contextlib.contextmanager
def _scratch(link: Path) -> Iterator[str]:
    """Make a folder for a socket, whose path may have 108 bytes: the data folder's may be longer.

    `link` leads to it, so that one which a killed platform has left is removed by the next.
    """
    with contextlib.suppress(OSError):
        shutil.rmtree(os.readlink(link), ignore_errors=True)
        link.unlink()
    made = tempfile.mkdtemp(prefix="dayfly-")
    link.symlink_to(made)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        link.unlink(missing_ok=True)


def _storage_root(settings: themes.Settings, folder: data_folder.DataFolder) -> str:
    if settings.data.storage:
        return settings.data.storage.rstrip("/")
    return str(folder.path / "storage")


def _supervised(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Run a part for as long as the platform lives; its failure is told and ends the process: a restart heals."""

    def ended(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.critical("a part of the platform failed", part=name, exc_info=error)
            os.kill(os.getpid(), 15)

    task = asyncio.create_task(work, name=name)
    task.add_done_callback(ended)
    return task
