"""What every `Runs` does for doors and controller; `test_runs_reading` has what clients read."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from flyteidl.admin import execution_pb2

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.model.commands import CancelTimer, SetTimer, StartAttempt, StopAttempt, WriteOutputs
from dayfly.model.events import TimerFired
from dayfly.model.identifiers import ExecutionId, attempt_key
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase
from dayfly.model.run import Abort, RunState
from dayfly.ports.runs import Run, Runs
from dayfly.stores import database
from tests.contract import stored
from tests.contract.databases import Place
from tests.contract.stored import N0, N1, at, execution, launched, new_run, progressed

START_N0 = StartAttempt(N0, 0)


@pytest.fixture
def runs(opened: database.Database) -> Runs:
    return opened.runs


async def start(runs: Runs, name: str = "one", **nodes) -> Run:
    """Create a run and commit its first turn, which starts the first attempt of n0."""
    await runs.create(new_run(name), launched())
    run, unread = await runs.load(execution(name))
    nodes = nodes or {"n0": stored.node(NodePhase.QUEUED, stored.attempt())}
    return await runs.commit(run, stored.running(**nodes), unread, [START_N0])


async def closure_of(runs: Runs, name: str = "one"):
    row = await runs.find_execution(execution(name))
    return execution_pb2.ExecutionClosure.FromString(row.closure)


# -- creating and appending -------------------------------------------------------------------------------------------
async def test_a_created_run_can_be_loaded(runs: Runs):
    new = new_run()
    await runs.create(new, launched())

    run, unread = await runs.load(new.id)
    assert run == Run(new.id, new.plan, RunState(), 0, new.spec, new.storage, new.workflow)
    assert [item.event for item in unread] == [launched()]


async def test_a_name_is_taken_once(runs: Runs):
    await runs.create(new_run(), launched())
    with pytest.raises(errors.AlreadyExists, match="p/d/one"):
        await runs.create(new_run(spec=b"another"), launched(5))

    run, unread = await runs.load(execution())
    assert run.spec == b"spec of one"
    assert len(unread) == 1
    assert len(await runs.list_events(execution())) == 1


async def test_what_is_unknown_is_said_to_be(runs: Runs):
    nobody = execution("nobody")
    for call in (
        runs.load(nobody),
        runs.append(nobody, [progressed()]),
        runs.request_abort(nobody, stored.abort(), principal="bob", cause="no"),
        runs.set_archived(nobody, archived=True, principal="bob", at=at(1)),
        runs.mark_done(nobody, START_N0),
    ):
        with pytest.raises(errors.NotFound, match="p/d/nobody"):
            await call
    assert await runs.find_execution(nobody) is None
    assert await runs.find_handle(attempt_key(nobody, N0, 0)) is None
    assert await runs.undone(nobody) == []
    assert await runs.list_events(nobody) == []
    await runs.release(nobody, "me")


async def test_events_are_read_in_order_and_once(runs: Runs):
    await runs.create(new_run(), launched())
    await runs.append(execution(), [progressed(seconds=2), progressed(seconds=3)])
    run, unread = await runs.load(execution())
    assert [item.event.at for item in unread] == [at(0), at(2), at(3)]

    await runs.append(execution(), [progressed(seconds=4)])
    await runs.commit(run, stored.running(), unread, [])

    _, later = await runs.load(execution())
    assert [item.event.at for item in later] == [at(4)]
    assert [item.event.at for item in await runs.list_events(execution())] == [at(0), at(2), at(3), at(4)]


# -- commits ----------------------------------------------------------------------------------------------------------
async def test_a_commit_is_what_the_next_turn_loads(runs: Runs):
    run = await start(runs)
    assert run.version == 1

    loaded, unread = await runs.load(execution())
    assert loaded == run
    assert unread == []


async def test_a_commit_survives_reopening(place: Place, clock: ManualClock):
    if place.url == "sqlite://":
        pytest.skip("what is in memory is gone once it is closed")
    first = await place.open(clock)
    state = stored.running(n0=stored.node(), n1=stored.node())
    run = await start(first.runs, n0=state.nodes[N0], n1=state.nodes[N1])
    await first.close()

    second = await place.open(clock)
    assert (await second.runs.load(execution()))[0] == run
    assert list((await second.runs.load(execution()))[0].state.nodes) == [N0, N1]
    # A node that is gone from the state does not come back, and one that moved is the new one.
    fewer = stored.running(n1=stored.node(NodePhase.RUNNING))
    after = await second.runs.commit(run, fewer, [], [])
    await second.close()

    third = await place.open(clock)
    assert (await third.runs.load(execution()))[0] == after
    await third.close()


async def test_an_outdated_commit_changes_nothing(runs: Runs):
    run = await start(runs)
    await runs.append(execution(), [progressed()])
    _, unread = await runs.load(execution())
    newer = await runs.commit(run, run.state, [], [])

    outdated = stored.ended(run.state, ExecutionPhase.FAILED, failure=stored.failure())
    with pytest.raises(errors.VersionClash, match="p/d/one"):
        await runs.commit(run, outdated, unread, [StartAttempt(N1, 0), SetTimer("t", at(0))])

    assert await runs.load(execution()) == (newer, unread)
    assert [item.command for item in await runs.undone(execution())] == [START_N0]
    assert await runs.fire_timers(at(50), limit=5) == (0, None)
    assert (await closure_of(runs)).phase == ExecutionPhase.RUNNING


async def test_of_turns_side_by_side_one_wins(runs: Runs):
    run = await start(runs)
    taken = await asyncio.gather(*(runs.commit(run, run.state, [], []) for _ in range(5)), return_exceptions=True)

    assert sorted(type(one).__name__ for one in taken) == ["Run"] + ["VersionClash"] * 4


# -- commands and handles ---------------------------------------------------------------------------------------------
async def test_commands_are_undone_in_order_until_done(runs: Runs):
    run = await start(runs)
    stop = StopAttempt(N0, 0, "aborted")
    await runs.commit(run, run.state, [], [stop, WriteOutputs()])
    assert [item.command for item in await runs.undone(execution())] == [START_N0, stop, WriteOutputs()]

    await runs.mark_done(execution(), stop)
    assert [item.command for item in await runs.undone(execution())] == [START_N0, WriteOutputs()]


async def test_an_undone_command_tells_how_new_the_run_is(runs: Runs):
    run = await start(runs)
    await runs.commit(run, run.state, [], [WriteOutputs()])
    assert {item.version for item in await runs.undone(execution())} == {run.version + 1}


async def test_a_command_is_given_once(runs: Runs):
    run = await start(runs)
    await runs.mark_done(execution(), START_N0, executor="local", handle=b"pid 1")
    again = StartAttempt(N0, 0, interruptible=True)
    await runs.commit(run, run.state, [], [again, START_N0])

    assert await runs.undone(execution()) == []


async def test_what_was_done_stays_done(runs: Runs):
    await start(runs)
    _, before = await runs.load(execution())
    assert await runs.mark_done(execution(), START_N0, executor="local", handle=b"pid 1", events=[progressed()])
    assert not await runs.mark_done(execution(), START_N0, executor="other", handle=b"pid 2", events=[progressed()])

    handle = await runs.find_handle(attempt_key(execution(), N0, 0))
    assert (handle.executor, handle.handle) == ("local", b"pid 1")
    _, after = await runs.load(execution())
    assert len(after) == len(before) + 1


async def test_a_command_that_was_never_given_cannot_be_done(runs: Runs):
    await start(runs)
    with pytest.raises(errors.NotFound, match="start/n1/0"):
        await runs.mark_done(execution(), StartAttempt(N1, 0))


async def test_handles_live_as_long_as_their_attempts(runs: Runs):
    key = attempt_key(execution(), N0, 0)
    run = await start(runs)
    assert await runs.live_handles() == []
    assert await runs.find_handle(key) is None

    await runs.mark_done(execution(), START_N0, executor="local", handle=b"pid 1")
    [live] = await runs.live_handles()
    assert (live.key, live.executor, live.handle) == (key, "local", b"pid 1")

    over = stored.running(n0=stored.node(NodePhase.FAILED, stored.attempt(0, AttemptPhase.FAILED)))
    await runs.commit(run, over, [], [])
    assert await runs.live_handles() == []
    assert await runs.find_handle(key) == live


async def test_a_start_that_failed_left_no_handle(runs: Runs):
    await start(runs)
    await runs.mark_done(execution(), START_N0, events=[progressed()])

    assert await runs.find_handle(attempt_key(execution(), N0, 0)) is None
    assert await runs.live_handles() == []


# -- leases -----------------------------------------------------------------------------------------------------------
async def test_what_has_work_is_leased_to_one(runs: Runs, place: Place, clock: ManualClock):
    for name in ("one", "two", "three"):
        await runs.create(new_run(name), launched())

    assert await runs.lease_unread("a", lease_seconds=30, limit=2) == [execution("one"), execution("two")]
    assert await runs.lease_unread("b", lease_seconds=30, limit=5) == [execution("three")]
    assert await runs.lease_unread("b", lease_seconds=30, limit=5) == [execution("three")]

    place.pass_seconds(clock, 31)
    assert len(await runs.lease_unread("b", lease_seconds=30, limit=5)) == 3


async def test_a_lease_is_given_back_by_its_holder_alone(runs: Runs):
    await runs.create(new_run(), launched())
    await runs.lease_unread("a", lease_seconds=30, limit=1)
    await runs.release(execution(), "b")
    assert await runs.lease_unread("b", lease_seconds=30, limit=1) == []

    await runs.release(execution(), "a")
    assert await runs.lease_unread("b", lease_seconds=30, limit=1) == [execution()]


async def test_undone_commands_are_work_and_nothing_else_is(runs: Runs):
    await start(runs)
    assert await runs.lease_unread("a", lease_seconds=30, limit=5) == [execution()]

    await runs.mark_done(execution(), START_N0)
    assert await runs.lease_unread("a", lease_seconds=30, limit=5) == []

    await runs.append(execution(), [progressed()])
    assert await runs.lease_unread("a", lease_seconds=30, limit=5) == [execution()]


# -- timers -----------------------------------------------------------------------------------------------------------
async def test_timers_fire_once_when_due(runs: Runs):
    run = await start(runs)
    assert await runs.fire_timers(at(1000), limit=10) == (0, None)
    await runs.commit(
        run, run.state, [], [SetTimer("late", at(60)), SetTimer("soon", at(20)), SetTimer("sooner", at(10))]
    )

    assert await runs.fire_timers(at(9), limit=10) == (0, at(10))
    assert await runs.fire_timers(at(30), limit=1) == (1, at(20))
    assert await runs.fire_timers(at(30), limit=10) == (1, at(60))
    _, unread = await runs.load(execution())
    assert [item.event for item in unread] == [TimerFired(at(30), "sooner"), TimerFired(at(30), "soon")]
    assert [item.command for item in await runs.undone(execution())] == [START_N0]


async def test_timers_can_be_moved_and_cancelled(runs: Runs):
    run = await start(runs)
    run = await runs.commit(run, run.state, [], [SetTimer("a", at(10)), SetTimer("b", at(20)), CancelTimer("none")])
    await runs.commit(run, run.state, [], [SetTimer("a", at(40)), CancelTimer("b")])

    assert await runs.fire_timers(at(30), limit=10) == (0, at(40))
    assert (await runs.fire_timers(at(40), limit=10))[0] == 1


# -- waking -----------------------------------------------------------------------------------------------------------
async def woken(runs: Runs, call) -> None:
    """Wait for what `call` wakes; the timeout is far longer than any test may take."""
    waiting = asyncio.create_task(runs.wait_until_woken(600))
    await call
    await asyncio.wait_for(waiting, 10)


async def test_whatever_is_appended_wakes(runs: Runs):
    await woken(runs, runs.create(new_run(), launched()))
    run, unread = await runs.load(execution())
    await runs.commit(run, stored.running(), unread, [START_N0, SetTimer("t", at(10))])
    await woken(runs, runs.append(execution(), [progressed()]))
    await woken(runs, runs.mark_done(execution(), START_N0, events=[progressed()]))
    await woken(runs, runs.fire_timers(at(20), limit=1))
    await woken(runs, runs.request_abort(execution(), stored.abort(), principal="bob", cause="no"))


async def test_waking_before_the_wait_counts_once(runs: Runs):
    await runs.create(new_run(), launched())
    await asyncio.wait_for(runs.wait_until_woken(600), 10)

    again = asyncio.create_task(runs.wait_until_woken(0.01))
    await again  # only its timeout ends it


# -- aborting and archiving -------------------------------------------------------------------------------------------
async def test_an_abort_shows_at_once_and_stays(runs: Runs):
    run = await start(runs)
    await runs.request_abort(execution(), stored.abort(), principal="bob", cause="changed my mind")
    closure = await closure_of(runs)
    assert closure.phase == ExecutionPhase.ABORTING
    assert (closure.abort_metadata.cause, closure.abort_metadata.principal) == ("changed my mind", "bob")
    assert (await runs.find_execution(execution())).phase == "ABORTING"

    # A turn that had not read the abort does not bring RUNNING back ...
    failing = msgspec.structs.replace(run.state, phase=ExecutionPhase.FAILING, failure=stored.failure())
    run = await runs.commit(run, failing, [], [])
    assert (await closure_of(runs)).phase == ExecutionPhase.ABORTING

    # ... and the one that has ends it, with what was said last.
    _, unread = await runs.load(execution())
    assert [item.event for item in unread] == [stored.abort()]
    await runs.request_abort(execution(), stored.abort(2), principal="carol", cause="really")
    over = stored.ended(stored.running(), ExecutionPhase.ABORTED, abort=Abort("changed my mind", "bob", at(1)))
    await runs.commit(run, over, unread, [])
    closure = await closure_of(runs)
    assert closure.phase == ExecutionPhase.ABORTED
    assert (closure.abort_metadata.cause, closure.abort_metadata.principal) == ("really", "carol")
    assert closure.duration.seconds == 9


async def test_an_abort_can_follow_creation_at_once(runs: Runs):
    await runs.create(new_run(), launched())
    await runs.request_abort(execution(), stored.abort(), principal="", cause="oops")

    closure = await closure_of(runs)
    assert closure.phase == ExecutionPhase.ABORTING
    assert not closure.HasField("started_at")
    assert len((await runs.load(execution()))[1]) == 2


@pytest.mark.parametrize("phase", [ExecutionPhase.SUCCEEDED, ExecutionPhase.FAILED, ExecutionPhase.ABORTED])
async def test_what_has_ended_is_not_aborted(runs: Runs, phase: ExecutionPhase):
    run = await start(runs)
    await runs.commit(run, stored.ended(run.state, phase), [], [])
    before = await closure_of(runs)

    with pytest.raises(errors.FailedPrecondition, match=phase.name):
        await runs.request_abort(execution(), stored.abort(), principal="bob", cause="late")
    assert await closure_of(runs) == before
    assert (await runs.load(execution()))[1] == []


async def test_an_abort_that_comes_too_late_does_not_hide_the_end(runs: Runs):
    run = await start(runs)
    await runs.request_abort(execution(), stored.abort(), principal="bob", cause="late")
    await runs.commit(run, stored.ended(run.state, ExecutionPhase.SUCCEEDED), [], [])

    closure = await closure_of(runs)
    assert closure.phase == ExecutionPhase.SUCCEEDED
    assert closure.outputs.uri.endswith("/end-node/data/0/outputs.pb")


async def test_archiving_is_kept_by_later_turns(runs: Runs):
    run = await start(runs)
    await runs.set_archived(execution(), archived=True, principal="bob", at=at(5))
    await runs.commit(run, stored.ended(run.state, ExecutionPhase.SUCCEEDED), [], [])

    assert (await runs.find_execution(execution())).state == 1
    details = (await closure_of(runs)).state_change_details
    assert (details.state, details.principal, details.occurred_at.ToMicroseconds()) == (1, "bob", at(5))
    await runs.set_archived(execution(), archived=False, principal="ann", at=at(6))
    assert (await runs.find_execution(execution())).state == 0


async def test_executions_do_not_mix(runs: Runs):
    await start(runs, "one")
    await runs.create(new_run("two", id=ExecutionId("p", "staging", "one")), launched())

    assert await runs.undone(ExecutionId("p", "staging", "one")) == []
    assert len(await runs.list_events(execution())) == 1
