"""Dayfly's own HTTP API over fakes, on a real address."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from flyteidl.admin import task_execution_pb2
from flyteidl.core import identifier_pb2
from prometheus_client import CollectorRegistry

from dayfly.base import errors
from dayfly.base.clock import ManualClock, Micros
from dayfly.gateway import app, front
from dayfly.gateway.extras import health, routes
from dayfly.model.events import Event
from dayfly.model.identifiers import AttemptKey, EntityId, ExecutionId, NodeId, attempt_key
from dayfly.model.phases import AttemptPhase
from dayfly.ports.catalog import Catalog
from dayfly.ports.history import ClusterList, WantedClusters
from dayfly.ports.overview import Overview
from dayfly.ports.records import ClusterRecord
from dayfly.ports.runs import AttemptRow, ExecutionRow, UnreadEvent
from tests.fakes.attempt_logs import MemoryLogs
from tests.fakes.blobs import MemoryBlobs

TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "flows.fit", "v1")


class World:
    """What the API tells of: `attempts` by key, `happened` in `p/d/e`, its `phase`, and each cluster's `record`."""

    def __init__(self, catalog: Catalog, overview: Overview) -> None:
        self.happened: list[Event] = []
        self.record: ClusterRecord | None = None
        self.made: dict[str, bytes] = {}
        """Reports of each cluster."""
        self.logs = MemoryLogs()
        self.catalog, self.overview = catalog, overview
        self.blobs = MemoryBlobs()
        self.attempts: dict[AttemptKey, AttemptRow] = {}
        self.closing = asyncio.Event()
        self.phase = "RUNNING"
        self.looks: dict[str, health.Look] = {}

    def put(self, node: str = "n0", phase: AttemptPhase = AttemptPhase.RUNNING, **closure: Any) -> AttemptKey:
        """Let an attempt 0 of `p/d/e` be in a phase."""
        execution = ExecutionId("p", "d", "e")
        told = task_execution_pb2.TaskExecutionClosure(phase=int(phase), **closure)
        told.created_at.seconds = 1_773_480_000
        row = AttemptRow(execution, NodeId(node), 0, TASK, "", told.SerializeToString())
        key = attempt_key(execution, NodeId(node), 0)
        self.attempts[key] = row
        return key

    async def find_attempt(self, execution: ExecutionId, node: NodeId, attempt: int) -> AttemptRow | None:
        """As `ports.runs.Runs` does."""
        return self.attempts.get(attempt_key(execution, node, attempt))

    async def find_execution(self, execution: ExecutionId) -> ExecutionRow | None:
        """As `ports.runs.Runs` does: `p/d/e` alone is there, in `phase`."""
        known = execution == ExecutionId("p", "d", "e")
        return ExecutionRow(execution, b"", b"", 0, "", self.phase, Micros(0)) if known else None

    async def list_events(self, execution: ExecutionId, *, after: int, limit: int) -> list[UnreadEvent]:
        """As `ports.history.History` does; sequences are 10, 20, 30."""
        if execution.name != "e":
            raise errors.NotFound(f"execution {execution} does not exist.")
        every = [UnreadEvent(10 * number, event) for number, event in enumerate(self.happened, 1)]
        return [one for one in every if one.sequence > after][:limit]

    async def list_clusters(self, wanted: WantedClusters, *, then: int, limit: int) -> ClusterList:
        """As `ports.history.History` does, of all attempts."""
        self.wanted = wanted
        rows = list(self.attempts.values())[then : then + limit]
        return ClusterList(rows, then + limit if then + limit < len(self.attempts) else 0)

    async def summary(self, key: AttemptKey) -> ClusterRecord | None:
        """As `ports.records.Records` does."""
        return self.record

    async def reports(self, key: AttemptKey) -> dict[str, int]:
        """As `ports.records.Records` does."""
        return {name: len(raw) for name, raw in self.made.items()}

    async def report(self, key: AttemptKey, name: str) -> bytes | None:
        """As `ports.records.Records` does."""
        return self.made.get(name)

    async def frames(
        self,
        key: AttemptKey,
        *,
        since: float = 0.0,
        limit: int = 1000,
        every_seconds: float = 0.0,
        most_tasks: int | None = None,
    ) -> list[dict[str, Any]]:
        """As `ports.records.Records` does, of frames at 1, 2 and 3; the last stands for all that are merged."""
        frames = [{"t": at} for at in (1.0, 2.0, 3.0) if at > since]
        return frames[-1:] if every_seconds else frames[:limit]


@contextlib.asynccontextmanager
async def serving(world: World, folder: Path, port: int = 0) -> AsyncIterator[str]:
    """Serve the API; give its `host:port`."""
    world.closing.clear()
    settings = {"server.port": "30080"}
    looked_at = health.Platform(world.blobs, folder, ("dask", "local"), world.looks, "local", settings)  # type: ignore[arg-type]
    sources = routes.Sources(
        world.logs,
        world,  # type: ignore[arg-type]
        world,
        world,
        world.catalog,
        world.blobs,
        world.overview,
        looked_at,
        ManualClock(),
    )
    made = app.build(
        blobs=None,  # type: ignore[arg-type]
        links=None,  # type: ignore[arg-type]
        logs_of=lambda *_: None,
        registry=CollectorRegistry(),
        version="1.2.3",
        public_url="http://127.0.0.1:1",
        routers=[routes.router(sources, version="1.2.3", public_url="http://127.0.0.1:1", closing=world.closing)],
    )
    listening = await front.serve("127.0.0.1", port, str(folder / "none.sock"), made)
    try:
        yield f"127.0.0.1:{listening.port}"
    finally:
        world.closing.set()
        await listening.close(1)
