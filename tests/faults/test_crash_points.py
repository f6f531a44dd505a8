"""The platform crashes before and after each of its calls to store, blobs and executor, one point a run; then recovers.

One controller, a real store in memory, a fake world. Whatever the point: the execution succeeds, and each attempt was
started once.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flyteidl.admin import task_execution_pb2, task_pb2
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2, workflow_pb2

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.base.settings import EngineSettings
from dayfly.controller import attempts, building, observing, turn
from dayfly.model import layout
from dayfly.model.events import Launched
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, ExecutionId, NodeId, parse_attempt_key
from dayfly.model.phases import ExecutionPhase
from dayfly.model.plan import Plan, PlanNode
from dayfly.model.run import RunOptions
from dayfly.ports import executor_parts
from dayfly.ports.definitions import Definition
from dayfly.ports.executors import TERMINAL
from dayfly.ports.runs import NewRun
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.executor import FakeExecutor, World
from tests.fakes.stores import open_in_memory

TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "t", "v")
WORKFLOW = EntityId(int(identifier_pb2.WORKFLOW), "p", "d", "w", "v")
EXECUTION = ExecutionId("p", "d", "x")
MOST_POINTS = 400
"""More calls than the story has; a run that meets no crash is the last."""

SHAPE: dict[str, tuple[str, ...]] = {"n0": (START_NODE,), "n1": ("n0",), "n2": ("n0",), "n3": ("n1", "n2")}


class Crash(BaseException):
    """The process ends here."""


class Fuse:
    """Counts calls and crashes at one of them."""

    def __init__(self, blow_at: int) -> None:
        self.blow_at, self.count = blow_at, 0

    @property
    def blown(self) -> bool:
        return self.count > self.blow_at

    def burn(self) -> None:
        self.count += 1
        if self.count - 1 == self.blow_at:
            raise Crash


class Fused:
    """Any port, with a crash point before and after each call that awaits."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner, self._fuse = inner, fuse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found) or name == "watch":
            return found

        async def call(*args: Any, **named: Any) -> Any:
            self._fuse.burn()
            answer = await found(*args, **named)
            self._fuse.burn()
            return answer

        return call


class Story:
    """What outlives a crash: store, blobs, world. `platform` makes what does not."""

    def __init__(self, store: Any, clock: ManualClock, fuse: Fuse, *, quick: bool) -> None:
        self.store, self.clock, self.fuse, self.quick = store, clock, fuse, quick
        self.blobs, self.world = MemoryBlobs(), World()
        self.restart()

    def restart(self) -> None:
        self.executor = FakeExecutor(self.clock, self.world)
        runs, blobs = Fused(self.store.runs, self.fuse), Fused(self.blobs, self.fuse)
        by_name: Any = {"fake": Fused(Quick(self) if self.quick else self.executor, self.fuse)}
        stores: Any = SimpleNamespace(
            runs=runs,
            definitions=self.store.definitions,
            signals=self.store.signals,
            catalog=self.store.catalog,
            attributes=self.store.attributes,
        )
        children: Any = None  # no node here launches another execution
        parts = building.build(
            stores,
            blobs,
            by_name,
            {executor_parts.ANY_TYPE: "fake"},
            children,
            self.clock,
            public_url="http://x",
            grace_seconds=1,
            platform_env={},
        )
        self.performer = parts.performer
        self.runs, self.by_name = runs, by_name
        self.observer = observing.Observer(
            runs, parts.templates, parts.unsaid, blobs, by_name, EngineSettings(), self.clock
        )

    async def live(self) -> None:
        """Drive until the execution has ended."""
        await self.observer.recover(list(self.world.last))
        while not (await self.drive()).state.ended:
            while self.executor._waiting:
                await self.observer.take(self.by_name["fake"], self.executor._waiting.pop(0))
            for key, last in list(self.world.last.items()):
                if last.kind not in TERMINAL:
                    await self.finish(key)

    async def drive(self) -> Any:
        for execution in await self.runs.lease_unread("me", lease_seconds=30, limit=10):
            run = await turn.take(self.runs, execution)
            await self.performer.perform(run)
            await self.runs.release(execution, "me")
        return (await self.store.runs.load(EXECUTION))[0]

    async def finish(self, key: Any) -> None:
        """Let an attempt write its outputs and exit."""
        execution, node, attempt = parse_attempt_key(key)
        uri = layout.outputs_uri(self.blobs.root, execution, node, attempt)
        await self.blobs.put(uri, literals_pb2.LiteralMap().SerializeToString())
        self.executor._mine.add(key)
        self.executor.end(key)


async def begin(fuse: Fuse, *, quick: bool) -> Story:
    clock = ManualClock()
    store = await open_in_memory(clock)
    story = Story(store, clock, fuse, quick=quick)
    template = tasks_pb2.TaskTemplate(type="python-task", container=tasks_pb2.Container(image="i", args=["true"]))
    closure = task_pb2.TaskClosure(compiled_task={"template": template})
    now = clock.now()
    await store.definitions.create(Definition(TASK, "digest", closure.SerializeToString(), now, now))
    empty = workflow_pb2.Node().SerializeToString()
    nodes = {
        NodeId(name): PlanNode(
            NodeId(name), target=TASK, document=empty, upstream=tuple(NodeId(one) for one in upstream)
        )
        for name, upstream in SHAPE.items()
    }
    plan = Plan(workflow=WORKFLOW, digest="plan", nodes=nodes, end_document=empty)
    new = NewRun(EXECUTION, b"", WORKFLOW, plan, None, None, now, story.blobs.root)
    await store.runs.create(new, Launched(now, RunOptions()))
    return story


class Quick:
    """An executor whose attempts are over, and seen to be, before `start` returns."""

    def __init__(self, story: Story) -> None:
        self._story = story

    def __getattr__(self, name: str) -> Any:
        return getattr(self._story.executor, name)

    async def start(self, spec: Any) -> bytes:
        story = self._story
        handle = await story.executor.start(spec)
        await story.finish(spec.key)
        while story.executor._waiting:
            await story.observer.take(story.by_name["fake"], story.executor._waiting.pop(0))
        return handle


async def live_through(blow_at: int, *, quick: bool) -> bool:
    """Return whether the crash came."""
    fuse = Fuse(blow_at)
    story = await begin(fuse, quick=quick)
    for _ in range(2):
        try:
            await story.live()
            break
        except Crash:
            story.restart()
    state = (await story.store.runs.load(EXECUTION))[0].state
    assert state.phase is ExecutionPhase.SUCCEEDED, f"crash at call {blow_at}: {state}"
    assert sorted(story.world.starts.values()) == [1] * len(SHAPE), f"crash at call {blow_at}: {story.world.starts}"
    assert story.world.last == {}, f"crash at call {blow_at}: not forgotten"
    assert await story.blobs.find(layout.outputs_uri(story.blobs.root, EXECUTION, END_NODE)) is not None
    await story.store.close()
    return fuse.blown


@pytest.mark.parametrize("quick", [False, True])
async def test_every_crash_point_is_recovered_from(quick: bool) -> None:
    points = 0
    while await live_through(points, quick=quick):
        points += 1
        assert points < MOST_POINTS
    assert points > 60, "the story has fewer crash points than it should"


async def said(self: Any, key: Any) -> bool:
    return False


async def test_starting_a_finished_attempt_again_would_be_found(monkeypatch: pytest.MonkeyPatch) -> None:
    # Either alone would do here: an attempt that is over is not started again, and who starts one finds it over.
    monkeypatch.setattr(attempts.Attempts, "_is_over", lambda self, run, command: False)
    monkeypatch.setattr(observing.Observer, "_is_unsaid", said)
    with pytest.raises(AssertionError, match="crash at call"):
        for point in range(MOST_POINTS):
            await live_through(point, quick=True)


class Away:
    """An executor that is away for the first calls of each kind."""

    def __init__(self, story: Story, times: int) -> None:
        self._story, self._times = story, dict.fromkeys(("start", "recover", "forget"), times)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._story.executor, name)
        if name not in self._times:
            return found

        async def call(*args: Any) -> Any:
            if self._times[name]:
                self._times[name] -= 1
                raise errors.ExecutorAway("nobody answers.")
            return await found(*args)

        return call


async def test_an_executor_that_is_away_for_long_costs_no_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observing, "AWAY_PAUSE_SECONDS", 0.0)
    story = await begin(Fuse(MOST_POINTS), quick=False)
    times = 2 * attempts.MAX_TRIES
    executor = Away(story, times)
    story.by_name["fake"] = executor
    for _ in range(times):
        with pytest.raises(errors.ExecutorAway):
            await story.drive()
    run = await story.drive()
    (one,) = run.state.nodes[NodeId("n0")].attempts
    assert one.live
    row = await story.store.runs.find_attempt(EXECUTION, NodeId("n0"), 0)
    assert task_execution_pb2.TaskExecutionClosure.FromString(row.closure).reason == "It waits: nobody answers."
    await story.observer.recover([])
    executor._times["forget"] = 0
    await story.live()
    state = (await story.store.runs.load(EXECUTION))[0].state
    assert state.phase is ExecutionPhase.SUCCEEDED
    assert sorted(story.world.starts.values()) == [1] * len(SHAPE)
    await story.store.close()
