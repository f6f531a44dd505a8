"""Which rows change between two states of a run, and what stands in them."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.admin import execution_pb2, node_execution_pb2, task_execution_pb2
from google.protobuf import struct_pb2

from dayfly.base.clock import Micros
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.model.run import Abort, LogLink, Reason, RunState
from dayfly.stores import projections
from dayfly.stores.projections import Context, Marks
from tests.contract import stored
from tests.contract.stored import N0, at

PREFIX = "file:///store/metadata/propeller/p-d-one"
CONTEXT = Context(
    stored.execution(), stored.STORAGE, stored.WORKFLOW, stored.make_plan(), at(0), Marks(0, "ann", at(0))
)
FRESH = RunState()
QUEUED = stored.node(NodePhase.QUEUED, stored.attempt())


def rows(before: RunState, after: RunState, context: Context = CONTEXT) -> projections.Changes:
    return projections.rows_for(before, after, context)


def execution_closure(state: RunState, context: Context = CONTEXT):
    return execution_pb2.ExecutionClosure.FromString(projections.execution_row(state, context)["closure"])


def node_closure(state, name: str = "n0"):
    [row] = [row for row in rows(FRESH, stored.running(n0=state)).nodes if row["node_id"] == name]
    return node_execution_pb2.NodeExecutionClosure.FromString(row["closure"])


def attempt_closure(attempt):
    [row] = rows(FRESH, stored.running(n0=stored.node(NodePhase.RUNNING, attempt))).attempts
    return task_execution_pb2.TaskExecutionClosure.FromString(row["closure"])


# -- which rows -------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after", "shown", "nodes", "attempts"),
    [
        (FRESH, FRESH, False, [], []),
        (FRESH, stored.running(), True, ["start-node"], []),
        (FRESH, stored.running(n0=QUEUED), True, ["start-node", "n0"], [("n0", 0)]),
        (stored.running(n0=QUEUED), stored.running(n0=QUEUED), False, [], []),
        (stored.running(), stored.running(n0=stored.node(NodePhase.UNDEFINED)), False, [], []),
        (stored.running(n0=QUEUED), stored.running(n0=QUEUED, n1=QUEUED), False, ["n1"], [("n1", 0)]),
        (
            stored.running(n0=QUEUED),
            stored.running(n0=stored.node(NodePhase.RUNNING, QUEUED.attempts[0], stored.attempt(1))),
            False,
            ["n0"],
            [("n0", 1)],
        ),
        (stored.running(), stored.ended(stored.running(), ExecutionPhase.SUCCEEDED), True, ["end-node"], []),
        (FRESH, stored.ended(stored.running(), ExecutionPhase.SUCCEEDED), True, ["start-node", "end-node"], []),
        (stored.running(), stored.ended(stored.running(), ExecutionPhase.FAILED), True, [], []),
        (FRESH, stored.ended(FRESH, ExecutionPhase.ABORTED), True, [], []),
    ],
)
def test_what_moved_makes_rows(before, after, shown, nodes, attempts):
    changes = rows(before, after)

    assert (changes.execution is not None) == shown
    assert [row["node_id"] for row in changes.nodes] == nodes
    assert [(row["node_id"], row["retry_attempt"]) for row in changes.attempts] == attempts


def test_equal_objects_that_are_others_make_rows_again():
    copy = msgspec.structs.replace(QUEUED)
    assert [row["node_id"] for row in rows(stored.running(n0=QUEUED), stored.running(n0=copy)).nodes] == ["n0"]


# -- executions -------------------------------------------------------------------------------------------------------
def test_a_succeeded_execution_has_outputs_and_duration():
    state = stored.ended(stored.running(), ExecutionPhase.SUCCEEDED, 10)
    closure, row = execution_closure(state), projections.execution_row(state, CONTEXT)

    assert closure.outputs.uri == f"{PREFIX}/end-node/data/0/outputs.pb"
    assert closure.started_at.ToMicroseconds() == at(1)
    assert closure.duration.ToMicroseconds() == row["duration"] == 9_000_000
    assert closure.updated_at.ToMicroseconds() == row["updated_at"] == at(10)
    assert (row["phase"], row["error_kind"], row["error_code"]) == ("SUCCEEDED", "", "")


@pytest.mark.parametrize("phase", [ExecutionPhase.FAILING, ExecutionPhase.FAILED])
def test_a_failure_is_shown_with_kind_code_and_time(phase):
    state = stored.ended(stored.running(), phase, failure=stored.failure())
    closure, row = execution_closure(state), projections.execution_row(state, CONTEXT)

    assert (closure.error.code, closure.error.message) == ("USER:ValueError", "it broke")
    assert (closure.error.kind, closure.error.timestamp.ToMicroseconds()) == (1, at(9))
    assert (row["error_kind"], row["error_code"]) == ("USER", "USER:ValueError")


ABORT = Abort("why", "bob", at(5))


@pytest.mark.parametrize(
    ("state", "marked", "phase", "result"),
    [
        (FRESH, None, ExecutionPhase.UNDEFINED, None),
        (FRESH, ABORT, ExecutionPhase.ABORTING, "abort_metadata"),
        (stored.running(), ABORT, ExecutionPhase.ABORTING, "abort_metadata"),
        (msgspec.structs.replace(stored.running(), abort=ABORT), None, ExecutionPhase.RUNNING, None),
        (
            stored.ended(stored.running(), ExecutionPhase.ABORTED, abort=ABORT),
            None,
            ExecutionPhase.ABORTED,
            "abort_metadata",
        ),
        (stored.ended(stored.running(), ExecutionPhase.SUCCEEDED), ABORT, ExecutionPhase.SUCCEEDED, "outputs"),
        (
            stored.ended(stored.running(), ExecutionPhase.FAILED, failure=stored.failure()),
            ABORT,
            ExecutionPhase.FAILED,
            "error",
        ),
    ],
)
def test_an_abort_is_shown_until_something_else_ended_it(state, marked, phase, result):
    context = msgspec.structs.replace(CONTEXT, marks=Marks(1, "carol", at(7), marked))
    closure, row = execution_closure(state, context), projections.execution_row(state, context)

    assert (closure.phase, closure.WhichOneof("output_result")) == (phase, result)
    assert row["phase"] == phase.name
    assert (closure.state_change_details.state, closure.state_change_details.principal) == (1, "carol")
    assert row["abort_at"] == (at(5) if marked else None)


# -- nodes ------------------------------------------------------------------------------------------------------------
def test_a_succeeded_node_has_its_last_attempts_outputs_and_deck():
    attempts = (stored.attempt(0, AttemptPhase.FAILED), stored.attempt(1, AttemptPhase.SUCCEEDED))
    state = stored.node(NodePhase.SUCCEEDED, *attempts, started_at=at(2), ended_at=at(4), has_deck=True)
    closure = node_closure(state)

    assert closure.output_uri == f"{PREFIX}/n0/data/1/outputs.pb"
    assert closure.deck_uri == f"{PREFIX}/n0/data/1/deck.html"
    assert closure.duration.ToMicroseconds() == 2_000_000
    assert closure.HasField("task_node_metadata")


@pytest.mark.parametrize("phase", [NodePhase.FAILING, NodePhase.FAILED, NodePhase.ABORTED, NodePhase.TIMED_OUT])
def test_a_node_that_ends_badly_has_an_error(phase):
    closure = node_closure(stored.node(phase, failure=stored.failure()))

    assert (closure.phase, closure.error.message, closure.deck_uri) == (phase, "it broke", "")
    assert not closure.HasField("started_at")


def test_the_start_nodes_outputs_are_its_inputs():
    [row] = rows(FRESH, stored.running()).nodes
    closure = node_execution_pb2.NodeExecutionClosure.FromString(row["closure"])
    metadata = node_execution_pb2.NodeExecutionMetaData.FromString(row["metadata"])

    assert closure.phase == NodePhase.SUCCEEDED
    assert closure.output_uri == row["input_uri"] == f"{stored.STORAGE}/metadata/p/d/one/inputs"
    assert closure.created_at.ToMicroseconds() == at(1)
    assert metadata.spec_node_id == "start-node"
    assert not closure.HasField("task_node_metadata")


# -- attempts ---------------------------------------------------------------------------------------------------------
def test_an_attempt_tells_its_story():
    info = struct_pb2.Struct(fields={"workers": struct_pb2.Value(number_value=4)})
    closure = attempt_closure(
        stored.attempt(
            1,
            AttemptPhase.WAITING_FOR_RESOURCES,
            reasons=(Reason(at(1), "queued"), Reason(at(2), "waits for memory")),
            logs=(LogLink("driver", "http://logs/1"),),
            custom_info=info.SerializeToString(),
            interruptible=True,
            started_at=at(3),
            updated_at=at(4),
        )
    )

    assert (closure.phase, closure.task_type) == (7, "python-task")
    assert [(reason.message, reason.occurred_at.ToMicroseconds()) for reason in closure.reasons] == [
        ("queued", at(1)),
        ("waits for memory", at(2)),
    ]
    assert closure.reason == "waits for memory"
    assert [(log.name, log.uri) for log in closure.logs] == [("driver", "http://logs/1")]
    assert closure.custom_info == info
    assert (closure.metadata.generated_name, closure.metadata.instance_class) == ("one-n0-1", 1)
    assert (closure.created_at.ToMicroseconds(), closure.updated_at.ToMicroseconds()) == (at(2), at(4))
    assert closure.WhichOneof("output_result") is None
    assert not closure.HasField("duration")


def test_a_succeeded_attempt_has_outputs_and_a_failed_one_its_error():
    done = attempt_closure(stored.attempt(0, AttemptPhase.SUCCEEDED, started_at=at(2), ended_at=at(3.5)))
    assert done.output_uri == f"{PREFIX}/n0/data/0/outputs.pb"
    assert done.duration.ToMicroseconds() == 1_500_000

    lost = attempt_closure(stored.attempt(0, AttemptPhase.FAILED, failure=stored.failure()))
    assert (lost.error.code, lost.error.kind) == ("USER:ValueError", 1)


def test_columns_of_an_attempt():
    [row] = rows(FRESH, stored.running(n0=stored.node(NodePhase.RUNNING, stored.attempt(0, updates=3)))).attempts
    assert (row["task_name"], row["task_version"], row["phase"], row["phase_version"]) == (
        "tasks.fit",
        "v1",
        "QUEUED",
        3,
    )
    assert row["updated_at"] == row["created_at"] == at(1)
    assert row["input_uri"] == f"{PREFIX}/{N0}/data/inputs.pb"
    assert row["duration"] is None


def test_a_clock_that_goes_back_makes_no_negative_duration():
    closure = attempt_closure(stored.attempt(0, AttemptPhase.FAILED, started_at=at(5), ended_at=Micros(at(4))))
    assert closure.duration.ToMicroseconds() == 0
