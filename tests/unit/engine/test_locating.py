from __future__ import annotations

from msgspec import structs

from dayfly.model import events
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import ExecutionPhase, FailureKind
from dayfly.model.plan import NodeKind, PlanNode
from tests.property.arbitrary import graph_of, node, plan_of

CHILD = ExecutionId("p", "d", "child")
SUB = EntityId(2, "p", "d", "mod.train", "v1")


def named(name: str, spec_id: str, **rules: object) -> PlanNode:
    return structs.replace(node(spec_id, **rules), name=name)


def where(run) -> str:
    assert run.state.phase is ExecutionPhase.FAILED
    return run.state.failure.where


def test_through_sub_workflows_and_dynamic_tasks(launch):
    inner = graph_of(named("mod.fit", "n0"))
    run = launch(plan_of(named("train", "n1", kind=NodeKind.SUB_WORKFLOW, target=SUB), subs={str(SUB): inner}))
    run.prepares("n1")
    run.succeeds("n1-0-n0", grows=True)
    run.grows("n1-0-n0", plan_of(named("deepest", "dn0"), digest="grown"))
    run.fails("n1-0-n0-0-dn0", recoverable=False)
    assert where(run) == "workflow > n1 (train) > n1-0-n0 (fit) > n1-0-n0-0-dn0 (deepest)"


def test_an_element_of_a_map_task_is_told_by_its_index(launch):
    name = f"map_train_{'0' * 32}-arraynode"
    run = launch(plan_of(named(name, "m", kind=NodeKind.ARRAY, element=node("one"))))
    run.tell(events.ArrayMeasured, "m", 2)
    run.fails("m#1", recoverable=False)
    run.stops("m#0")
    assert where(run) == "workflow > m (train) > [1]"


def test_what_a_launch_plan_launched_is_told_with_the_way_in_it(launch):
    run = launch(plan_of(named("nightly", "l", kind=NodeKind.LAUNCH_PLAN)))
    run.tell(events.ChildLaunched, "l", CHILD)
    told = (FailureKind.USER, "Boom", "why", CHILD, "outer > n0 (fit)")
    run.tell(events.ChildEnded, "l", ExecutionPhase.FAILED, *told)
    assert where(run) == "workflow > l (nightly) > execution p/d/child > outer > n0 (fit)"


def test_outputs_that_cannot_be_put_together_are_the_workflows_own(launch):
    run = launch(plan_of(node("a")))
    run.succeeds("a")
    run.tell(events.OutputsRejected, FailureKind.USER, "OutputsNotFound", "no output")
    assert where(run) == "workflow"
