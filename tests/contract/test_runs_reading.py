"""What every `Runs` shows to clients: executions, nodes and attempts, found, listed, filtered and sorted."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2

from dayfly.base import errors
from dayfly.model.identifiers import END_NODE, START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.ports.definitions import Filter, Page
from dayfly.ports.runs import Runs
from dayfly.stores import database, narrowing
from tests.contract import stored
from tests.contract.stored import N0, N1, at, execution, launched, new_run


@pytest.fixture
def runs(opened: database.Database) -> Runs:
    return opened.runs


LATER = "2023-11-14T22:13:55Z"
"""Between the creation of `c` and that of `d`."""


def where(*filters: tuple[str, ...], **page) -> Page:
    return Page(
        **{"limit": 100, **page}, filters=tuple(Filter(f, function, values) for function, f, *values in filters)
    )


async def names(runs: Runs, *filters: tuple[str, ...], **page) -> list[str]:
    return [row.id.name for row in await runs.list_executions("p", "d", where(*filters, **page))]


async def commit(runs: Runs, name: str, state) -> None:
    run, unread = await runs.load(execution(name))
    await runs.commit(run, state, unread, [])


@pytest.fixture
async def many(runs: Runs) -> Runs:
    """Five executions: `a` ran 2 s and succeeded, `b` 90 s and failed, `c` runs, `d` is fresh, `e` is archived."""
    other = EntityId(stored.LAUNCH_PLAN.kind, "p", "d", "100%_other", "v2")
    await runs.create(new_run("a", seconds=10, tags=(("team", "red"), ("size", "big"), ("nightly", ""))), launched())
    await runs.create(new_run("b", seconds=20, tags=(("team", "blue"),), launch_plan=other), launched())
    await runs.create(new_run("c", seconds=30, user="carol", mode=1), launched())
    await runs.create(new_run("d", seconds=40, launch_plan=None, task=stored.TASK), launched())
    await runs.create(new_run("e", seconds=50), launched())
    await commit(runs, "a", stored.ended(stored.running(), ExecutionPhase.SUCCEEDED, 3))
    failed = stored.ended(stored.running(), ExecutionPhase.FAILED, 91, failure=stored.failure())
    await commit(runs, "b", failed)
    await commit(runs, "c", stored.running())
    await runs.set_archived(execution("e"), archived=True, principal="ann", at=at(60))
    return runs


# -- executions -------------------------------------------------------------------------------------------------------
async def test_a_fresh_execution_is_undefined(runs: Runs):
    await runs.create(new_run(), launched())

    row = await runs.find_execution(execution())
    assert (row.id, row.spec, row.phase, row.state) == (execution(), b"spec of one", "UNDEFINED", 0)
    assert (row.storage, row.created_at) == (stored.STORAGE, at(0))
    closure = execution_pb2.ExecutionClosure.FromString(row.closure)
    assert closure.phase == ExecutionPhase.UNDEFINED
    assert closure.WhichOneof("output_result") is None
    assert closure.created_at == closure.updated_at == closure.state_change_details.occurred_at
    assert closure.created_at.ToMicroseconds() == at(0)
    assert closure.workflow_id.name == "flows.train"
    assert closure.state_change_details.principal == "ann"
    assert not closure.HasField("started_at")
    assert await runs.list_nodes(execution(), None, Page(10)) == []


async def test_executions_are_listed_newest_first_without_archived_ones(many: Runs):
    assert await names(many) == ["d", "c", "b", "a"]
    assert await names(many, sort_key="") == ["d", "c", "b", "a"]
    assert await names(many, ("eq", "state", "1")) == ["e"]
    assert await names(many, ("value_in", "state", "0", "1")) == ["e", "d", "c", "b", "a"]
    assert await many.list_executions("p", "staging", Page(10)) == []


async def test_executions_come_in_pages(many: Runs):
    assert await names(many, limit=3) == ["d", "c", "b"]
    assert await names(many, limit=3, offset=3) == ["a"]
    assert await names(many, limit=3, offset=4) == []
    assert await names(many, limit=2, offset=1, sort_key="created_at", descending=False) == ["b", "c"]


@pytest.fixture(params=["few", "many"])
def amount(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Whether the rows that meet a condition count as few, and are sorted, or as many, and are passed by in order."""
    monkeypatch.setattr(narrowing, "FEW", 5 if request.param == "few" else -1)
    return request.param


@pytest.mark.usefixtures("amount")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("eq", "phase", "SUCCEEDED")], "a"),
        ([("eq", "phase", "succeeded")], "a"),
        ([("value_in", "phase", "SUCCEEDED", "FAILED")], "ba"),
        ([("value_not_in", "phase", "SUCCEEDED", "FAILED")], "dc"),
        ([("ne", "phase", "UNDEFINED")], "cba"),
        ([("eq", "execution_name", "c")], "c"),
        ([("eq", "name", "c")], "c"),
        ([("eq", "execution.name", "c")], "c"),
        ([("contains", "launch_plan.name", "train")], "ca"),
        ([("contains", "launch_plan.name", "%_")], "b"),
        ([("contains", "launch_plan.name", "_")], "b"),
        ([("eq", "launch_plan.version", "v2")], "b"),
        ([("not_like", "launch_plan.name", "flows.%"), ("eq", "launch_entity", "LAUNCH_PLAN")], "b"),
        ([("eq", "workflow.name", "flows.train"), ("eq", "user", "carol")], "c"),
        ([("eq", "task.name", "tasks.fit")], "d"),
        ([("eq", "launch_entity", "task")], "d"),
        ([("eq", "mode", "1")], "c"),
        ([("ne", "duration", "5")], "ba"),
        ([("contains", "name", "A")], ""),
        ([("gte", "duration", "90")], "b"),
        ([("gt", "duration", "1m30s")], ""),
        ([("lt", "duration", "1m")], "a"),
        ([("eq", "error_kind", "USER")], "b"),
        ([("eq", "error_code", "USER:ValueError")], "b"),
        ([("ne", "error_code", "USER:ValueError")], "dca"),
        ([("gt", "created_at", "2023-11-14T22:13:40Z")], "dc"),
        ([("lte", "execution_created_at", "2023-11-14T23:13:30.000000000+01:00")], "a"),
        ([("lt", "started_at", "2030-01-01T00:00:00Z")], "cba"),
        ([("eq", "execution_tag.key", "team")], "ba"),
        ([("eq", "execution_tag.key", "team"), ("eq", "execution_tag.value", "red")], "a"),
        ([("eq", "execution_tag.key", "size"), ("eq", "execution_tag.value", "red")], ""),
        ([("value_in", "admin_tag.name", "nightly", "team")], "ba"),
        ([("eq", "name", "x' OR '1'='1")], ""),
        ([("eq", "phase", "FAILED"), ("eq", "workflow.name", "flows.train"), ("gt", "duration", "1")], "b"),
        ([("eq", "execution_tag.key", "team"), ("eq", "phase", "FAILED"), ("value_in", "state", "0", "1")], "b"),
        ([("value_in", "phase", "FAILED", "UNDEFINED"), ("eq", "user", "ann"), ("gte", "created_at", LATER)], "d"),
    ],
)
async def test_executions_are_filtered(many: Runs, filters, expected: str):
    assert "".join(await names(many, *filters)) == expected


@pytest.mark.parametrize(
    "wrong",
    [
        ("eq", "colour", "red"),
        ("eq", "launch_plan.colour", "red"),
        ("eq", "closure", "red"),
        ("like", "name", "x"),
        ("eq", "mode", "manual"),
        ("eq", "mode", str(2**63)),
        ("value_in", "state", "0", "archived"),
        ("gt", "created_at", "yesterday"),
        ("gt", "duration", "long"),
        ("eq", "phase", "RUNNING", "FAILED"),
        ("value_in", "phase"),
    ],
)
async def test_wrong_filters_are_refused(runs: Runs, wrong):
    with pytest.raises(errors.InvalidArgument):
        await names(runs, wrong)


async def test_executions_are_sorted(many: Runs):
    assert await names(many, sort_key="duration", descending=False, limit=4) == ["c", "d", "a", "b"]
    assert await names(many, sort_key="launch_plan.name", descending=False) == ["d", "b", "a", "c"]
    for key in ("colour", "closure", "id; DROP TABLE executions"):
        with pytest.raises(errors.InvalidArgument, match="sort key"):
            await names(many, sort_key=key)


@pytest.mark.usefixtures("amount")
@pytest.mark.parametrize("key", ["", "created_at", "started_at", "duration", "launch_plan.name", "phase", "name"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ((), 4),
        ((("value_in", "phase", "SUCCEEDED", "FAILED", "failed"), ("value_in", "state", "0", "1")), 2),
        ((("gte", "started_at", "2023-01-01T00:00:00Z"), ("eq", "workflow.name", "flows.train")), 3),
        ((("eq", "execution_tag.key", "team"),), 2),
    ],
)
async def test_pages_that_follow_each_other_are_the_list(many: Runs, key: str, descending: bool, filters, count: int):
    whole = where(*filters, sort_key=key, descending=descending)
    expected = [row.id.name for row in await many.list_executions("p", "d", whole)]
    assert len(expected) == len(set(expected)) == count
    by_position, by_offset, page = [], [], msgspec.structs.replace(whole, limit=1)
    for offset in range(len(expected)):
        rows = await many.list_executions("p", "d", page)
        by_position += [row.id.name for row in rows]
        page = msgspec.structs.replace(page, offset=99, position=rows.position)
        plain = msgspec.structs.replace(whole, limit=1, offset=offset)
        by_offset += [row.id.name for row in await many.list_executions("p", "d", plain)]
    assert by_position == by_offset == expected
    assert await many.list_executions("p", "d", page) == []


@pytest.mark.usefixtures("amount")
async def test_executions_are_found_by_when_they_started(runs: Runs):
    for name, created, started in (("a", 10, 11), ("b", 20, 40), ("c", 30, 31), ("d", 50, 60)):
        await runs.create(new_run(name, seconds=created), launched())
        state = msgspec.structs.replace(stored.running(), started_at=at(started))
        await commit(runs, name, state)

    async def found(function: str, seconds: int, **page) -> str:
        moment = f"2023-11-14T22:13:{20 + seconds}Z"
        return "".join(await names(runs, (function, "started_at", moment), **page))

    assert await found("lte", 31) == "ca"
    assert await found("lt", 31) == "a"
    assert await found("eq", 31) == "c"
    assert await found("gte", 31) == "dcb"
    assert await found("lte", 31, limit=1, offset=1) == "a"
    assert await found("lte", 31, descending=False) == "ac"
    assert await found("lte", 31, sort_key="started_at") == "ca"


async def test_what_comes_in_front_moves_no_page(many: Runs):
    first = await many.list_executions("p", "d", Page(2))
    await many.create(new_run("f", seconds=70), launched())
    second = await many.list_executions("p", "d", Page(2, offset=2, position=first.position))
    assert [row.id.name for row in (*first, *second)] == ["d", "c", "b", "a"]


async def test_a_position_holds_for_its_list_alone(many: Runs):
    first = await many.list_executions("p", "d", Page(1))
    other = where(("ne", "phase", "ABORTED"), limit=1, offset=3, position=first.position)
    assert [row.id.name for row in await many.list_executions("p", "d", other)] == ["a"]
    for wrong in ("x", "é", "AAAA", first.position[:-4]):
        with pytest.raises(errors.InvalidArgument, match="token"):
            await many.list_executions("p", "d", Page(1, position=wrong))


# -- nodes ------------------------------------------------------------------------------------------------------------
async def test_nodes_have_rows_from_when_they_start(runs: Runs):
    await runs.create(new_run("one"), launched())
    await commit(runs, "one", stored.running(n0=stored.node(NodePhase.UNDEFINED)))
    assert [row.node for row in await runs.list_nodes(execution(), None, Page(10, sort_key=""))] == [START_NODE]

    first = stored.running(n0=stored.node(NodePhase.QUEUED, stored.attempt()))
    await commit(runs, "one", first)
    done = stored.node(NodePhase.SUCCEEDED, stored.attempt(0, AttemptPhase.SUCCEEDED))
    await commit(runs, "one", stored.running(n0=done, n1=stored.node()))
    listed = await runs.list_nodes(execution(), None, Page(10, sort_key=""))
    assert [row.node for row in listed] == [START_NODE, N0, N1]

    over = stored.ended(stored.running(n0=done, n1=done), ExecutionPhase.SUCCEEDED)
    await commit(runs, "one", over)
    listed = await runs.list_nodes(execution(), None, Page(10, sort_key=""))
    assert [row.node for row in listed] == [START_NODE, N0, N1, END_NODE]
    closures = [node_execution_pb2.NodeExecutionClosure.FromString(row.closure) for row in listed]
    assert {closure.phase for closure in closures} == {NodePhase.SUCCEEDED}
    assert [row.input_uri.removeprefix("file:///store/metadata/propeller/p-d-one/") for row in listed] == [
        "file:///store/metadata/p/d/one/inputs",
        "n0/data/inputs.pb",
        "n1/data/inputs.pb",
        "end-node/data/0/outputs.pb",
    ]
    assert closures[0].output_uri == listed[0].input_uri
    assert await runs.find_node(execution(), N0) == listed[1]
    assert await runs.find_node(execution(), NodeId("n9")) is None
    assert await runs.list_nodes(execution(), N0, Page(10)) == []


async def test_nodes_are_filtered_and_sorted(runs: Runs):
    await runs.create(new_run("one"), launched())
    failed = stored.node(NodePhase.FAILED, stored.attempt(0, AttemptPhase.FAILED), failure=stored.failure())
    await commit(runs, "one", stored.running(n0=failed, n1=stored.node(NodePhase.RUNNING, started_at=at(5))))

    async def found(*filters: tuple[str, ...], **page) -> list[str]:
        return [row.node for row in await runs.list_nodes(execution(), None, where(*filters, **page))]

    assert await found(("eq", "phase", "FAILED")) == [N0]
    assert await found(("eq", "error_code", "USER:ValueError")) == [N0]
    assert await found(("eq", "node_execution.phase", "RUNNING"), ("eq", "execution.phase", "RUNNING")) == [N1]
    assert await found(("eq", "execution_name", "another")) == []
    assert await found(sort_key="node_id", descending=True) == [START_NODE, N1, N0]
    assert await found(sort_key="", limit=1, offset=1) == [N0]
    with pytest.raises(errors.InvalidArgument):
        await found(("eq", "retry_attempt", "0"))


async def test_clients_see_of_a_thousand_nodes_what_moved(runs: Runs):
    plan = stored.make_plan(1000)
    await runs.create(new_run("one", plan=plan), launched())
    nodes = {name: stored.node() for name in plan.nodes}
    await commit(runs, "one", stored.running(**nodes))
    moved = {**nodes, NodeId("n500"): stored.node(NodePhase.RUNNING)}
    await commit(runs, "one", stored.running(**moved))

    listed = await runs.list_nodes(execution(), None, where(("eq", "phase", "RUNNING"), limit=5))
    assert [row.node for row in listed] == ["n500"]
    assert len(await runs.list_nodes(execution(), None, Page(5000))) == 1001


# -- attempts ---------------------------------------------------------------------------------------------------------
async def test_each_attempt_has_a_row(runs: Runs):
    await runs.create(new_run("one"), launched())
    lost = stored.attempt(0, AttemptPhase.FAILED, failure=stored.failure(), updates=2)
    state = stored.running(n0=stored.node(NodePhase.RUNNING, lost, stored.attempt(1, AttemptPhase.RUNNING)))
    await commit(runs, "one", state)

    first, second = await runs.list_attempts(execution(), N0, Page(10, sort_key=""))
    assert [(row.node, row.attempt, row.task) for row in (first, second)] == [
        (N0, 0, stored.TASK),
        (N0, 1, stored.TASK),
    ]
    closure = task_execution_pb2.TaskExecutionClosure.FromString(first.closure)
    assert (closure.phase, closure.error.message) == (AttemptPhase.FAILED, "it broke")
    assert await runs.find_attempt(execution(), N0, 1) == second
    assert await runs.find_attempt(execution(), N0, 2) is None
    assert await runs.find_attempt(ExecutionId("p", "d", "none"), N0, 0) is None


async def test_attempts_are_filtered_and_sorted(runs: Runs):
    await runs.create(new_run("one"), launched())
    lost = stored.attempt(0, AttemptPhase.FAILED)
    await commit(runs, "one", stored.running(n0=stored.node(NodePhase.RUNNING, lost, stored.attempt(1))))

    async def found(*filters: tuple[str, ...], **page) -> list[int]:
        return [row.attempt for row in await runs.list_attempts(execution(), N0, where(*filters, **page))]

    assert await found(("eq", "phase", "FAILED")) == [0]
    assert await found(("eq", "retry_attempt", "1")) == [1]
    assert await found(("eq", "task.name", "tasks.fit"), ("eq", "node_execution.phase", "RUNNING"), sort_key="") == [
        0,
        1,
    ]
    assert await found(sort_key="retry_attempt", descending=True) == [1, 0]
    assert await found(sort_key="", limit=1, offset=1) == [1]


# -- beside Flyte's own fields ----------------------------------------------------------------------------------------
@pytest.mark.usefixtures("amount")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([("eq", "label", "team=red")], "a"),
        ([("eq", "label", "team")], "ba"),
        ([("eq", "label", "nightly")], "a"),
        ([("eq", "label", "team=red"), ("eq", "label", "size=big")], "a"),
        ([("eq", "label", "team=blue"), ("eq", "label", "size=big")], ""),
        ([("value_in", "label", "team=red", "team=blue")], "ba"),
        ([("eq", "label", "tea")], ""),
        ([("eq", "label", "team="), ("eq", "phase", "FAILED")], ""),
        ([("eq", "input", "region=north")], "f"),
        ([("eq", "input", "region=north"), ("eq", "input", "days=30")], "f"),
        ([("eq", "input", "region=north"), ("eq", "input", "days=60")], ""),
        ([("value_in", "input", "days=30", "days=60"), ("eq", "phase", "UNDEFINED")], "f"),
        ([("eq", "input", "formula=a=b")], "f"),
        ([("contains", "text", "TRAIN")], "fdcba"),
        ([("contains", "text", "fit")], "d"),
        ([("contains", "text", "100%_o")], "b"),
        ([("contains", "text", "nothing of that kind")], ""),
    ],
)
async def test_executions_are_found_by_labels_inputs_and_words(many: Runs, filters, expected: str):
    inputs = (("days", "30"), ("formula", "a=b"), ("region", "north"))
    await many.create(new_run("f", seconds=55, inputs=inputs), launched())
    assert "".join(await names(many, *filters)) == expected
    assert "".join(await names(many, *filters, sort_key="duration")) == "".join(
        await names(many, *filters, sort_key="duration", limit=1000)
    )


@pytest.mark.parametrize("wrong", [("gt", "input", "days=3"), ("contains", "label", "x"), ("eq", "text", "x")])
async def test_what_cannot_be_asked_of_labels_and_inputs_is_refused(runs: Runs, wrong):
    with pytest.raises(errors.InvalidArgument):
        await names(runs, wrong)


async def test_found_executions_come_in_pages(many: Runs):
    first = await many.list_executions("p", "d", where(("eq", "label", "team"), limit=1))
    assert [row.id.name for row in first] == ["b"]
    then = await many.list_executions("p", "d", where(("eq", "label", "team"), limit=1, position=first.position))
    assert [row.id.name for row in then] == ["a"]
