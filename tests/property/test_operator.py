"""Two operators, a platform and a cluster that come and go in any order: one execution comes of each resource, and
what was deleted ends."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import given, note, settings
from hypothesis import strategies as st

from dayfly.base.clock import ManualClock
from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from dayfly.operator import keeping
from dayfly.operator.driving import Operator, OperatorSettings
from tests.fakes.flyte_workflows import FakeFlyteWorkflows
from tests.fakes.platform_client import LAUNCH_PLAN, FakePlatformClient

NAMESPACE = "flytesnacks-development"

NAMES = ("a", "b")

Step = tuple[str, int, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "launch",
                "end",
                "apply",
                "correct",
                "delete",
                "look",
                "look",
                "look",
                "look",
                "crash",
                "platform",
                "cluster",
            ]
        ),
        st.integers(0, 1),
        st.integers(0, 14),
    ),
    min_size=5,
    max_size=30,
)


class Deaf:
    """Detects nothing."""

    async def run(self, told: Any) -> None:
        raise AssertionError("nobody runs it here")


class World:
    """What happens, and what has to hold in the end."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client, self.cluster = FakePlatformClient(self.clock), FakeFlyteWorkflows()
        self.operators = [self.another(), self.another()]
        self.looks: list[asyncio.Task[bool] | None] = [None, None]
        """What each operator is in the middle of."""
        self.uids: dict[str, bool] = {}
        """Of resources that users made, and whether they were right in the end."""
        self.deleted: set[ExecutionId] = set()
        """Executions whose resource was deleted, those too that were not begun then."""

    def another(self) -> Operator:
        told = OperatorSettings("http://here", keep_seconds=1e9)
        return Operator(self.client, self.cluster, Deaf(), told, self.clock)  # type: ignore[arg-type]

    async def do(self, what: str, which: int, steps: int) -> None:
        self.clock.advance(keeping.LIST_SECONDS)
        name = NAMES[which]
        if what == "launch":
            execution = ExecutionId("flytesnacks", "development", name)
            if execution not in self.client.executions:
                self.client.launch(execution)
        elif what == "end":
            running = [one for one, told in self.client.executions.items() if _runs(told)]
            for execution in running[which : which + 1]:
                self.client.end(execution)
        elif what in ("apply", "correct"):
            self.apply(f"user-{name}", right=what == "correct" or steps % 2 == 0)
        elif what == "delete":
            self.delete(which)
        elif what == "look":
            await self.look(which % 2, steps)
        elif what == "crash":
            await self.crash(which % 2)
        elif what == "platform":
            self.client.answers = not self.client.answers
        elif what == "cluster":
            self.cluster.answers = not self.cluster.answers

    def apply(self, name: str, *, right: bool) -> None:
        there = self.cluster.there.get((NAMESPACE, name))
        if there is not None and "deletionTimestamp" in there["metadata"]:
            return
        inputs = {"text": "a" if right else "bad"}
        made = self.cluster.apply(NAMESPACE, name, {"launchPlan": {"name": LAUNCH_PLAN}, "inputs": inputs})
        uid = _uid(made)
        self.uids[uid] = right or (self.uids.get(uid, False) and self._launched(uid) is not None)

    def delete(self, which: int) -> None:
        for key, one in list(self.cluster.there.items())[which : which + 1]:
            execution = flyte_workflows.execution_of(one)
            if execution is None or execution not in self.client.executions:
                execution = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name(_uid(one)))
                self.uids[_uid(one)] = False
            self.deleted.add(execution)
            self.cluster.delete_now(*key)

    async def look(self, which: int, steps: int) -> None:
        """Begin a look, and get so far with it: what happens next happens in its midst."""
        await self.finish(which)
        self.looks[which] = asyncio.create_task(self.operators[which].look())
        for _ in range(steps):
            await asyncio.sleep(0)

    async def finish(self, which: int) -> None:
        look, self.looks[which] = self.looks[which], None
        if look is not None:
            await look

    async def crash(self, which: int) -> None:
        look, self.looks[which] = self.looks[which], None
        if look is not None:
            look.cancel()
            await asyncio.gather(look, return_exceptions=True)
        self.operators[which] = self.another()

    async def settle(self) -> None:
        """All answer again, all that is aborted ends, and operators look until nothing changes."""
        self.client.answers = self.cluster.answers = True
        await asyncio.gather(self.finish(0), self.finish(1))
        for _ in range(8):
            self.clock.advance(2 * keeping.LIST_SECONDS)
            await asyncio.gather(*(one.look() for one in self.operators))
            for execution, told in self.client.executions.items():
                if told.closure.phase == ExecutionPhase.ABORTING:
                    self.client.end(execution)

    def _launched(self, uid: str) -> ExecutionId | None:
        execution = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name(uid))
        return execution if execution in self.client.executions else None

    def check(self) -> None:
        standing = [flyte_workflows.execution_of(one) for one in self.cluster.there.values()]
        for execution, told in self.client.executions.items():
            # One resource at most stands for an execution, and one does for each that runs.
            assert standing.count(execution) <= 1
            assert standing.count(execution) == 1 or not _runs(told)
        for execution in self.deleted:
            assert execution not in self.client.executions or not _runs(self.client.executions[execution])
        for (_, name), one in self.cluster.there.items():
            assert "deletionTimestamp" not in one["metadata"], name
            self._check_status(one)
        for uid, right in self.uids.items():
            assert not right or self._launched(uid) is not None

    def _check_status(self, one: dict[str, Any]) -> None:
        execution = flyte_workflows.execution_of(one)
        phase = one["status"]["phase"]
        if execution is None or execution not in self.client.executions:
            assert phase == "REFUSED"
        else:
            assert phase == ExecutionPhase(self.client.executions[execution].closure.phase).name


def _uid(one: dict[str, Any]) -> str:
    return str(one["metadata"]["uid"])


def _runs(told: Any) -> bool:
    return told.closure.phase not in TERMINAL_EXECUTION


@settings(max_examples=500, deadline=None)
@given(STEPS)
def test_whatever_happens_executions_and_resources_come_to_agree(steps: list[Step]) -> None:
    note(repr(steps))

    async def happen() -> None:
        world = World()
        for step in steps:
            await world.do(*step)
        await world.settle()
        world.check()

    asyncio.run(happen())
