"""One world from one seed: two platforms over one database, a client, attempts; and what must be true in the end.

While it is wild, platforms crash, calls fail or stall, clients abort; then it calms down, and everything must end.
"""

from __future__ import annotations

import asyncio
from random import Random
from typing import Any

import sqlalchemy as sa
from flyteidl.admin import execution_pb2

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.model import events, identifiers, layout
from dayfly.model.identifiers import START_NODE, ExecutionId
from dayfly.model.phases import ExecutionPhase
from dayfly.model.plan import Plan
from dayfly.model.run import RunOptions
from dayfly.ports.runs import NewRun, ParentNode
from dayfly.stores import database, schema
from dayfly.stores.waking import Waking
from tests.fakes.blobs import MemoryBlobs
from tests.faults.simulation import workflows
from tests.faults.simulation.attempts import Host
from tests.faults.simulation.oracle import Oracle
from tests.faults.simulation.platforms import Platform
from tests.property import arbitrary
from tests.property.chances import Chances

WILD_SECONDS = 120.0
PATIENCE_SECONDS = 1000.0
"""Calm seconds after which everything must have ended."""

PROJECT, DOMAIN = "flytesnacks", "development"


class Simulation:
    """What outlives every platform."""

    def __init__(self, seed: int, store: database.Database, clock: ManualClock, *, rough: bool = False) -> None:
        self.seed, self.clock, self.chance = seed, clock, Random(seed)
        self.blobs = MemoryBlobs()
        # The same database for all seeds, empty each time.
        self.store = database.Database(store._connections, clock, Waking(), None)
        self.host = Host(clock, self.chance, self.blobs)
        self.oracle = Oracle()
        self.calm = False
        self.crashes = 0
        self.crashes_in = 0.02 if rough else self.chance.choice((0.0, 0.005, 0.02))
        self.waits_in = 0.4 if rough else self.chance.choice((0.1, 0.4))
        self.fails_in = self.chance.choice((0.0, 0.0, 0.01))
        self.stalls_in = self.chance.choice((0.0, 0.0, 0.02))
        # Without leases, two platforms are always at the same executions at once.
        self.lease_seconds = self.chance.choice((20.0, 0.0) if rough else (20.0, 20.0, 0.0))
        self.unexpected: list[Exception] = []
        self.platforms: list[Platform] = []
        self._children: dict[str, Plan] = {}

    # -- what the platforms ask ------------------------------------------------------------------------------------
    def may_crash(self) -> bool:
        """Say whether a platform may crash now."""
        return not self.calm and self.crashes < 12

    def crashed(self, platform: Platform) -> None:
        """Let another process take its place, sooner or later."""
        self.crashes += 1
        self.platforms.remove(platform)
        delay = self.chance.choice((0.0, 1.0, 30.0)) * self.chance.random()
        asyncio.get_running_loop().call_later(delay, self._start_platform)

    def committed(self, *commit: Any) -> None:
        """Let the oracle look at a commit."""
        try:
            self.oracle.committed(*commit)
        except Exception as error:
            self.unexpected.append(error)
            raise

    def child_plan(self, name: str) -> Plan:
        """Return what a child runs, the same each time."""
        if name not in self._children:
            self._children[name] = workflows.draw(Chances(Random(name).randbytes(60)), f"child {name}", child=True)
        return self._children[name]

    async def create(
        self,
        runs: Any,
        name: str,
        plan: Plan,
        options: RunOptions,
        *,
        parent: ParentNode | None = None,
        spec: bytes = b"",
    ) -> ExecutionId:
        """Store a new execution and what it is given."""
        execution = ExecutionId(PROJECT, DOMAIN, name)
        self.blobs.stored[layout.node_inputs_uri(self.blobs.root, execution, START_NODE)] = workflows.inputs()
        now = self.clock.now()
        new = NewRun(
            execution, _spec(parent, spec), arbitrary.WORKFLOW, plan, None, None, now, self.blobs.root, parent=parent
        )
        await runs.create(new, events.Launched(now, options))
        return execution

    # -- its course ------------------------------------------------------------------------------------------------
    async def live(self) -> None:
        """Live through it, and check everything."""
        now = self.clock.now()
        for definition in workflows.definitions(now):
            await self.store.definitions.create(definition)
        plan = workflows.draw(Chances(self.chance.randbytes(260)), "plan")
        options = arbitrary.draw_options(Chances(self.chance.randbytes(6)))
        execution = await self.create(self.store.runs, "x", plan, options)
        for _ in range(self.chance.choice((1, 2, 2))):
            self._start_platform()
        client = asyncio.create_task(self._be_a_client(execution))
        await asyncio.sleep(WILD_SECONDS * self.chance.random())
        self.calm = True
        await self._wait_until_quiet()
        client.cancel()
        await self._check()
        for platform in tuple(self.platforms):
            platform.dead = True

    def _start_platform(self) -> None:
        self.platforms.append(Platform(self, f"platform {self.crashes}.{len(self.platforms)}"))

    async def _be_a_client(self, execution: ExecutionId) -> None:
        aborts = self.chance.random() < 0.3
        while True:
            await asyncio.sleep(self.chance.expovariate(1 / 5))
            for signal in arbitrary.SIGNALS:
                if self.calm or self.chance.random() < 0.3:
                    await self._set_signal(signal)
            if aborts and self.chance.random() < 0.2:
                aborts = False
                event = events.AbortRequested(self.clock.now(), "enough", "ann")
                try:
                    await self.store.runs.request_abort(execution, event, principal="ann", cause="enough")
                except errors.FailedPrecondition:
                    pass

    async def _set_signal(self, signal: str) -> None:
        for execution in tuple(self.oracle.watches):
            event = events.SignalSet(self.clock.now(), signal)
            try:
                await self.store.signals.set(execution, signal, workflows.signal_value(), event)
            except errors.NotFound:
                pass

    async def _wait_until_quiet(self) -> None:
        end = self.clock.monotonic() + PATIENCE_SECONDS
        while self.clock.monotonic() < end and not self.unexpected:
            await asyncio.sleep(5)
            if await self._is_quiet():
                return
        assert not self.unexpected, f"a platform met what it should not: {self.unexpected!r}"
        raise AssertionError(f"not everything ended: {await self._tell()}")

    async def _is_quiet(self) -> bool:
        left = await self._count(
            sa.select(sa.func.count())
            .select_from(schema.executions)
            .where(schema.executions.c.phase.not_in([ExecutionPhase(n).name for n in (4, 6, 7)]))
        )
        undone = await self._count(sa.select(sa.func.count()).where(schema.outbox.c.done_at.is_(None)))
        unread = await self._count(sa.select(sa.func.count()).where(schema.inbox.c.applied_version.is_(None)))
        return not (left or undone or unread or self.host.lives or self.host.last)

    # -- what must be true in the end ------------------------------------------------------------------------------
    async def _check(self) -> None:
        self.oracle.check()
        assert not self.unexpected, f"a platform met what it should not: {self.unexpected!r}"
        # Who is so slow that another does his work meanwhile may find nothing left of it, and begin it again.
        slow = self.stalls_in or not self.lease_seconds
        twice = {key for key, starts in self.host.starts.items() if starts > 1 and not slow}
        assert not twice, f"started twice: {twice}"
        assert not await self._count(sa.select(sa.func.count()).select_from(schema.timers)), "timers are left over"
        for execution, watch in self.oracle.watches.items():
            run, unread = await self.store.runs.load(execution)
            assert (run.state, unread) == (watch.state, []), f"{execution}: what is stored is not what was committed"
            await self._check_rows(execution)
            await self._check_parent(execution)

    async def _check_rows(self, execution: ExecutionId) -> None:
        watch = self.oracle.watches[execution]
        row = await self.store.runs.find_execution(execution)
        assert row is not None and row.phase == watch.state.phase.name, f"{execution} shows another phase"
        query = sa.select(schema.node_executions.c.node_id, schema.node_executions.c.phase).join(
            schema.executions, schema.executions.c.id == schema.node_executions.c.execution_id
        )
        rows = await self._rows(query.where(schema.executions.c.name == execution.name))
        shown = {row.node_id: row.phase for row in rows if row.node_id not in ("start-node", "end-node")}
        shown = {node: phase for node, phase in shown.items() if not node.endswith(("-start-node", "-end-node"))}
        wanted = {name: node.phase.name for name, node in watch.nodes.items() if "#" not in name}
        assert {name: shown.get(name) for name in wanted} == wanted, f"{execution} shows other nodes"

    async def _check_parent(self, execution: ExecutionId) -> None:
        for name, node in self.oracle.watches[execution].nodes.items():
            if node.child is not None:
                child = self.oracle.watches.get(node.child)
                assert child is not None and child.state.ended, f"the child of {name} goes on"

    async def _tell(self) -> str:
        told = [
            f"{e.name}: {w.state.phase.name} {sorted(n for n, s in w.state.nodes.items() if not s.ended)}"
            for e, w in self.oracle.watches.items()
            if not w.state.ended
        ]
        undone = [
            row.key for row in await self._rows(sa.select(schema.outbox.c.key).where(schema.outbox.c.done_at.is_(None)))
        ]
        return f"{told}, undone {undone}, alive {list(self.host.lives)}, kept {list(self.host.last)}"

    async def _count(self, query: Any) -> int:
        return int((await self._rows(query))[0][0])

    async def _rows(self, query: Any) -> list[Any]:
        return await self.store._connections.read(lambda connection: list(connection.execute(query).all()))


def _spec(parent: ParentNode | None, spec: bytes) -> bytes:
    asked = execution_pb2.ExecutionSpec.FromString(spec)
    if parent is not None:
        asked.metadata.parent_node_execution.node_id = parent.node
        asked.metadata.parent_node_execution.execution_id.CopyFrom(
            identifiers.to_execution_identifier(parent.execution)
        )
    return bytes(asked.SerializeToString())
