"""What must hold of every execution, whatever the world does: said without the engine's own rules or tables.

`check_step` looks at one step and at all that changed in it, `check_history` at all that was ever commanded. They raise
AssertionError, so that the property tests, the unit tests' fixture and the planted bugs use the same words. What holds
of a node is in `node_invariants`, what holds inside of one in `scope_invariants`, of commands in `command_invariants`.
"""

from __future__ import annotations

from dayfly.engine.step import Step, step
from dayfly.model import run
from dayfly.model.events import Event
from dayfly.model.identifiers import ROOT, NodeId
from dayfly.model.phases import TERMINAL_NODE, AttemptPhase, ExecutionPhase, NodePhase, ScopePhase
from dayfly.model.plan import NodeKind
from dayfly.model.run import NodeState, RunState
from tests.property import command_invariants, node_invariants, places, scope_invariants
from tests.property.watch import Watch

WAITING = {AttemptPhase.QUEUED, AttemptPhase.WAITING_FOR_RESOURCES, AttemptPhase.INITIALIZING}
ENDING = {ExecutionPhase.FAILING, ExecutionPhase.ABORTING}


def check_step(watch: Watch, event: Event, after: Step) -> None:
    """Check one step against the state it started from, and note it."""
    before = watch.state
    if before.ended:
        assert after.state == before, "a terminal state changed"
        assert not after.commands, "a terminal execution gave commands"
    if after.state is before:
        assert not after.commands, "an ignored event gave commands"
        assert not after.folded, "an ignored event folded elements"
        watch.note(event, after)
        return
    known = dict(watch.nodes)
    changed = watch.note(event, after)
    assert run.decode(run.encode(after.state)) == after.state, "the state does not survive being stored"
    _check_kept(before, after.state, known, watch, changed)
    _check_execution(watch, before, after.state)
    for name in changed:
        in_array = "#" in name
        assert (name in after.folded) == (in_array and watch.nodes[name].phase in TERMINAL_NODE), (
            f"{name} was not folded"
        )
        if name not in known:
            scope_invariants.check_start(watch, name)
        node_invariants.check(watch, name)
    for owner in _concerned(watch, before, changed):
        scope_invariants.check(watch, owner)
    command_invariants.check_step(watch, before, known, event, after, changed)
    again = step(watch.plan, after.state, event, watch.grown)
    assert again.state == after.state, "the same event again changed something"
    assert not again.commands, "the same event again gave commands"


def check_history(watch: Watch) -> None:
    """Check all commands ever given for one execution, and everything that ever was in it."""
    for name in watch.nodes:
        node_invariants.check(watch, name)
    for owner in [ROOT, *watch.state.nodes]:
        scope_invariants.check(watch, owner)
    command_invariants.check_history(watch)


def _concerned(watch: Watch, before: RunState, changed: list[NodeId]) -> set[NodeId]:
    """Return whose inside may look different than before."""
    owners = {watch.nodes[name].parent for name in changed} | set(changed)
    if (before.root, before.phase) != (watch.state.root, watch.state.phase):
        owners.add(ROOT)
    if before.live != watch.state.live or before.queue != watch.state.queue:
        owners.update(watch.state.queue)
    return {owner for owner in owners if owner == ROOT or owner in watch.state.nodes}


def _check_kept(
    before: RunState, after: RunState, known: dict[NodeId, NodeState], watch: Watch, changed: list[NodeId]
) -> None:
    """What is over does not change, time does not run back, running does not become waiting."""
    assert after.updated_at >= before.updated_at
    assert before.launched_at in (None, after.launched_at)
    assert before.started_at in (None, after.started_at)
    assert len(after.recent) <= run.RECENT_EVENTS
    for name in before.nodes:
        in_array = before.nodes[name].parent != ROOT and watch.rules[before.nodes[name].parent].kind is NodeKind.ARRAY
        assert name in after.nodes or in_array, f"{name} is gone"
    for name in changed:
        if name in known:
            _check_node_kept(name, known[name], watch.nodes[name])


def _check_node_kept(name: NodeId, old: NodeState, new: NodeState) -> None:
    assert old.phase not in TERMINAL_NODE, f"terminal node {name} changed"
    assert (old.parent, old.spec_id, old.kind, old.queued_at) == (new.parent, new.spec_id, new.kind, new.queued_at)
    assert new.updated_at >= old.updated_at, f"the time of {name} runs back"
    assert new.phase is not NodePhase.QUEUED or old.phase is NodePhase.QUEUED, f"{name} went back to QUEUED"
    assert new.phase is not NodePhase.RUNNING or old.phase is not NodePhase.DYNAMIC_RUNNING
    assert new.stopping is not None or old.stopping is None, f"{name} goes on though it was to stop"
    assert old.chosen in (None, new.chosen), f"branch {name} changed its mind"
    assert old.child in (None, new.child), f"{name} has another child"
    assert len(new.attempts) >= len(old.attempts)
    for was, now in zip(old.attempts, new.attempts, strict=False):
        if not was.live:
            assert now == was, f"terminal attempt {name}/{was.number} changed"
        if was.phase is AttemptPhase.RUNNING:
            assert now.phase not in WAITING, f"{name}/{was.number} went back from RUNNING"
        assert now.stopping is not None or was.stopping is None, f"{name}/{was.number} goes on though it was to stop"
    if old.inner is not None:
        assert new.inner is not None and new.inner.round >= old.inner.round
        assert new.inner.round > old.inner.round or old.inner.phase is not ScopePhase.ENDED or new.inner == old.inner
    if old.array is not None:
        assert new.array is not None and (new.array.size, new.array.required) == (old.array.size, old.array.required)
        assert new.array.cursor >= old.array.cursor and new.array.failing >= old.array.failing


def _check_execution(watch: Watch, before: RunState, state: RunState) -> None:
    limit = state.options.max_parallelism
    placed = [name for name in state.nodes if places.takes_place(watch, name)]
    live = len(placed)
    assert state.live == live, "what takes a place is miscounted"
    # Whom others may wait for always has one node under way, beyond the limit where need be.
    makers = {around[0] for name in placed if (around := places.makers_around(watch, name))}
    assert limit <= 0 or live <= limit + len(makers), "more nodes are live than allowed"
    assert len(set(state.queue)) == len(state.queue), "somebody stands in the queue twice"
    stayed = [owner for owner in before.queue if owner in state.queue]
    assert list(state.queue[: len(stayed)]) == stayed, "somebody jumped the queue"
    assert (state.ended_at is not None) == state.ended
    if state.abort is None:
        assert state.phase not in (ExecutionPhase.ABORTING, ExecutionPhase.ABORTED)
    else:
        assert state.phase in (ExecutionPhase.ABORTING, ExecutionPhase.ABORTED)
    if state.ended:
        assert all(node.phase in TERMINAL_NODE for node in state.nodes.values()), "something is live after the end"
        assert (state.phase is ExecutionPhase.FAILED) == (state.failure is not None)
        _check_where(watch)
        assert state.root.phase is ScopePhase.ENDED
    assert state.failure == state.root.failure


def _check_where(watch: Watch) -> None:
    """An execution that failed says where: the whole way from the workflow to the node, and beyond."""
    failure = watch.state.failure
    if failure is None:
        return
    way = failure.where.split(" > ")
    assert way[0] == "workflow", f"the way begins with {way[0]}"
    node, chain = failure.node or ROOT, []
    while node != ROOT:
        chain.insert(0, str(node))
        node = watch.nodes[node].parent
    assert [step.partition(" ")[0] for step in way[1 : len(chain) + 1]] == chain, f"the way {failure.where} is wrong"
