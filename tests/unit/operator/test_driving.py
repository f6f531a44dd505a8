"""The operator's looks, over a platform and a cluster in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from dayfly.base.clock import ManualClock
from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase
from dayfly.operator import driving, keeping
from dayfly.operator.cluster import Told
from dayfly.operator.driving import Operator, OperatorSettings
from tests.fakes.flyte_workflows import FakeFlyteWorkflows
from tests.fakes.platform_client import LAUNCH_PLAN, FakePlatformClient

EXECUTION = ExecutionId("flytesnacks", "development", "x1")

NAMESPACE = "flytesnacks-development"

PLAN = {"name": LAUNCH_PLAN}


class Deaf:
    """Detects nothing: looking alone has to do."""

    async def run(self, told: Told) -> None:
        raise AssertionError("nobody runs it here")


class World:
    """A platform, a cluster, and an operator between them."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.client, self.cluster = FakePlatformClient(self.clock), FakeFlyteWorkflows()
        self.operator = self.another()

    def another(self) -> Operator:
        """Return an operator that knows nothing yet."""
        told = OperatorSettings("http://here", keep_seconds=60)
        return Operator(self.client, self.cluster, Deaf(), told, self.clock)  # type: ignore[arg-type]

    async def look(self, times: int = 1) -> None:
        """Look, and let so much time pass that everything is listed anew."""
        for _ in range(times):
            assert await self.operator.look()
            self.clock.advance(keeping.LIST_SECONDS)

    def find(self, name: str) -> dict[str, Any] | None:
        return self.cluster.there.get((NAMESPACE, name))

    def status(self, name: str) -> Mapping[str, Any]:
        found = self.find(name)
        assert found is not None
        return found.get("status") or {}


@pytest.fixture
def world() -> World:
    return World()


async def test_an_execution_gets_a_resource_which_follows_it_and_goes(world: World) -> None:
    world.client.launch(EXECUTION)
    await world.look()
    assert world.status("x1")["phase"] == "RUNNING"
    assert world.status("x1")["progress"] == "0/2"
    assert world.status("x1")["console"].endswith("/console/projects/flytesnacks/domains/development/executions/x1")
    found = world.find("x1")
    assert found is not None
    assert found["spec"]["launchPlan"]["name"] == LAUNCH_PLAN
    world.client.end(EXECUTION)
    await world.look()
    assert world.status("x1")["phase"] == "SUCCEEDED"
    assert world.find("x1")["metadata"]["finalizers"] == []  # type: ignore[index]
    await world.look(2)
    assert world.find("x1") is None


async def test_looking_again_writes_nothing(world: World) -> None:
    world.client.launch(EXECUTION)
    await world.look(2)
    patches = world.cluster.patches
    await world.look(3)
    assert world.cluster.patches == patches


async def test_who_is_deleted_takes_the_execution_along_and_goes_when_nothing_is_left(world: World) -> None:
    world.client.launch(EXECUTION)
    world.cluster.pods[EXECUTION] = ["Pod flytesnacks-development/x1-n0-0"]
    await world.look()
    world.cluster.delete_now(NAMESPACE, "x1")
    await world.look()
    told = world.client.executions[EXECUTION].closure
    assert (told.phase, told.abort_metadata.cause) == (9, f"FlyteWorkflow {NAMESPACE}/x1 was deleted.")
    await world.look()
    assert world.status("x1")["phase"] == "ABORTING"
    world.client.end(EXECUTION)
    await world.operator.look()
    assert world.status("x1")["phase"] == "ABORTED"
    world.cluster.pods.clear()
    await world.operator.look()
    assert world.find("x1") is None


async def test_what_does_not_go_holds_a_resource_for_a_while_only(world: World) -> None:
    world.client.launch(EXECUTION)
    world.cluster.pods[EXECUTION] = ["Pod flytesnacks-development/x1-n0-0"]
    world.client.end(EXECUTION)
    await world.cluster.ensure(EXECUTION)
    world.cluster.delete_now(NAMESPACE, "x1")
    await world.operator.look()
    await world.operator.look()
    assert world.find("x1") is not None
    world.clock.advance(driving.PATIENCE_SECONDS)
    await world.operator.look()
    assert world.find("x1") is None


async def test_an_operator_that_comes_later_sees_what_was_deleted_before(world: World) -> None:
    world.client.launch(EXECUTION)
    await world.look()
    world.cluster.delete_now(NAMESPACE, "x1")
    world.operator = world.another()
    await world.look()
    assert world.client.executions[EXECUTION].closure.phase == ExecutionPhase.ABORTING


async def test_a_users_own_is_launched_once_and_told_its_outputs(world: World) -> None:
    made = world.cluster.apply(NAMESPACE, "mine", {"launchPlan": PLAN, "inputs": {"text": "a"}, "envs": {"A": "1"}})
    await world.look(2)
    (execution,) = world.client.executions
    assert execution.name == flyte_workflows.execution_name(made["metadata"]["uid"])
    (variable,) = world.client.executions[execution].spec.envs.values
    assert (variable.key, variable.value) == ("A", "1")
    assert set(world.cluster.there) == {(NAMESPACE, "mine")}
    world.client.end(execution)
    await world.look(5)
    assert world.status("mine")["outputs"] == {"o0": execution.name}
    assert world.client.created == 1


async def test_another_platforms_is_left_alone(world: World) -> None:
    labels = {flyte_workflows.PLATFORM: "other"}
    world.cluster.apply(NAMESPACE, "theirs", {"launchPlan": PLAN}, **labels)
    await world.look()
    assert world.status("theirs") == {}


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, "spec.launchPlan is missing."),
        ({"launchPlan": {"name": "flows.fat"}}, "There is no launch plan 'flows.fat'"),
        ({"launchPlan": PLAN, "inputs": {"text": 3}}, "spec.inputs.text is the whole number 3"),
        ({"launchPlan": PLAN}, "spec.inputs lacks text (str)."),
        ({"launchPlan": PLAN, "inputs": {"text": "bad"}}, "The text is bad."),
        ({"executionId": {"project": "a", "domain": "b", "name": "c"}}, "spec.executionId is for resources that"),
    ],
)
async def test_what_cannot_be_is_refused_until_it_is_changed(world: World, spec: dict[str, Any], said: str) -> None:
    world.cluster.apply(NAMESPACE, "mine", spec)
    await world.look(3)
    status = world.status("mine")
    assert (status["phase"], status["error"]["kind"]) == ("REFUSED", "USER")
    assert status["error"]["message"].startswith(said)
    patches = world.cluster.patches
    await world.look(2)
    assert world.cluster.patches == patches
    world.cluster.apply(NAMESPACE, "mine", {"launchPlan": PLAN, "inputs": {"text": "a"}})
    await world.look()
    assert world.status("mine")["phase"] == "RUNNING"
    assert "error" not in world.status("mine")


async def test_what_has_to_wait_for_others_is_launched_when_they_have_ended(world: World) -> None:
    world.client.full = True
    world.cluster.apply(NAMESPACE, "mine", {"launchPlan": PLAN, "inputs": {"text": "a"}})
    await world.look(2)
    message = "The launch plan has as many executions under way as it allows."
    assert world.status("mine") == {"phase": "WAITING", "message": message}
    patches = world.cluster.patches
    await world.look(2)
    assert world.cluster.patches == patches
    world.client.full = False
    await world.look()
    assert world.status("mine")["phase"] == "RUNNING"


async def test_a_launch_plan_that_is_registered_later_is_found(world: World) -> None:
    world.cluster.apply(NAMESPACE, "mine", {"launchPlan": {"name": "flows.later"}, "inputs": {"text": "a"}})
    await world.look()
    assert world.status("mine")["phase"] == "REFUSED"
    world.client.launch_plans.add("flows.later")
    await world.look()
    assert world.status("mine")["phase"] == "RUNNING"


async def test_a_namespace_of_no_project_is_refused(world: World) -> None:
    world.cluster.apply("elsewhere", "mine", {"launchPlan": PLAN, "inputs": {"text": "a"}})
    await world.look()
    status = world.cluster.there["elsewhere", "mine"]["status"]
    assert status["error"]["message"].startswith("The namespace elsewhere is not that of any project and domain.")


async def test_an_execution_has_no_resource_in_the_namespace_of_another_project(world: World) -> None:
    world.client.launch(EXECUTION)
    world.cluster.create(flyte_workflows.build(EXECUTION, "other-development", "dayfly", shared=False))
    await world.look()
    theirs = world.cluster.there["other-development", "x1"]
    assert theirs["status"]["phase"] == "REFUSED"
    assert "progress" not in theirs["status"]
    assert world.status("x1")["phase"] == "RUNNING"  # the real one was made all the same
    world.cluster.delete_now("other-development", "x1")
    await world.look(2)
    assert ("other-development", "x1") not in world.cluster.there
    assert world.client.executions[EXECUTION].closure.phase == ExecutionPhase.RUNNING


async def test_a_users_own_stands_for_no_execution_of_another_project(world: World) -> None:
    made = world.cluster.apply("other-development", "mine", {"launchPlan": PLAN})
    execution = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name(made["metadata"]["uid"]))
    world.client.launch(execution)
    claim = {
        "labels": {
            flyte_workflows.PLATFORM: world.cluster.platform,
            flyte_workflows.EXECUTION: flyte_workflows.mark(execution),
        },
        "annotations": {flyte_workflows.EXECUTION: str(execution)},
    }
    await world.cluster.patch(made, {"metadata": claim})
    await world.look()
    assert world.cluster.there["other-development", "mine"]["status"]["phase"] == "REFUSED"
    assert world.status(execution.name)["phase"] == "RUNNING"


async def test_a_refused_one_can_be_deleted(world: World) -> None:
    world.cluster.apply(NAMESPACE, "mine", {"launchPlan": PLAN})
    await world.look()
    world.cluster.delete_now(NAMESPACE, "mine")
    assert world.find("mine") is None


async def test_one_of_an_execution_that_nobody_knows_is_left_alone_until_it_is_deleted(world: World) -> None:
    await world.cluster.ensure(EXECUTION)
    before = world.find("x1")
    await world.look(2)
    assert world.find("x1") == before
    world.cluster.delete_now(NAMESPACE, "x1")
    await world.look()
    assert world.find("x1") is not None  # another platform of the same name may know it, and end it first
    await world.look()
    assert world.find("x1") is None


async def test_a_cluster_without_the_kind_is_told_once_how_to_get_it(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.cluster.known = False
    world.client.launch(EXECUTION)
    assert not await world.operator.look()
    assert not await world.operator.look()
    said = capsys.readouterr()
    assert (said.out + said.err).count("dayfly deploy kubernetes --crd | kubectl apply -f -") == 1
    world.cluster.known = True
    await world.look()
    assert world.status("x1")["phase"] == "RUNNING"


async def test_a_platform_that_does_not_answer_costs_no_resource_anything(world: World) -> None:
    world.client.launch(EXECUTION)
    await world.look()
    before = world.find("x1")
    world.client.answers = False
    await world.look(2)
    assert world.find("x1") == before
    world.client.answers = True
    world.client.end(EXECUTION)
    await world.look()
    assert world.status("x1")["phase"] == "SUCCEEDED"


async def test_nodes_of_an_old_execution_are_counted_less_often(world: World) -> None:
    asked = 0
    real = world.client.list_nodes

    async def counted(*words: Any, **more: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        return await real(*words, **more)

    world.client.list_nodes = counted  # type: ignore[method-assign]
    world.client.launch(EXECUTION)
    world.clock.advance(400)  # a twentieth of which is 20 s
    for _ in range(10):
        await world.operator.look()
        world.clock.advance(4)
    assert asked == 2
