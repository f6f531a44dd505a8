"""What must hold inside of an execution or of a node that has others inside: called by `invariants`."""

from __future__ import annotations

from dayfly.model.identifiers import ROOT, START_NODE, NodeId
from dayfly.model.phases import TERMINAL_NODE, ExecutionPhase, FailurePolicy, ScopePhase
from dayfly.model.plan import Graph, NodeKind
from dayfly.model.run import Failure, NodeState, ScopeState
from tests.property import places
from tests.property.node_invariants import DONE, FAILED
from tests.property.watch import Watch


def check_start(watch: Watch, name: NodeId) -> None:
    """Check a node that was not there before: it may start, and is named as Flyte names it."""
    node = watch.nodes[name]
    owner = node.parent
    _check_name(watch, owner, node.spec_id, name)
    assert not _is_stopping(watch, owner) or node.phase in TERMINAL_NODE, f"{name} started in what is being stopped"
    if owner != ROOT and watch.rules[owner].kind in (NodeKind.ARRAY, NodeKind.BRANCH):
        return
    family, graph = watch.family(owner), watch.graph(owner)
    if node.spec_id not in graph.nodes:
        scope = watch.state.scope(owner)
        assert scope is not None and scope.phase is ScopePhase.HANDLING and scope.failure, (
            f"{name} has nothing to handle"
        )
        return
    for upstream in graph.nodes[node.spec_id].upstream:
        if upstream != START_NODE:
            found = watch.nodes.get(family.get(upstream, NodeId("nobody")))
            assert found and found.phase in DONE, f"{name} started before {upstream} succeeded"
    scope = watch.state.scope(owner)
    assert scope is not None and scope.phase is ScopePhase.OPEN, f"{name} started in what is not open"
    if watch.rules[name].takes_place:
        order = list(graph.nodes)
        earlier = order[: order.index(node.spec_id)]
        assert not set(_waiting(scope, graph)) & set(earlier), f"{name} started before its turn"


def check(watch: Watch, owner: NodeId) -> None:
    """Check what is inside of `owner` against what `owner` says."""
    inside = [watch.nodes[name] for name in watch.inside(owner)]
    if _must_stop(watch, owner):
        for name in watch.inside(owner):
            assert watch.nodes[name].phase in TERMINAL_NODE or _told(watch.nodes[name]), f"{name} was not told to stop"
    scope = watch.state.scope(owner)
    if scope is None or scope.phase is ScopePhase.CLOSED:
        assert not inside or watch.rules[owner].kind in (NodeKind.ARRAY, NodeKind.BRANCH), f"{owner} is closed"
        return
    family, graph = watch.family(owner), watch.graph(owner)
    present = {spec_id: watch.nodes[name] for spec_id, name in family.items()}
    live = [node for node in inside if node.phase not in TERMINAL_NODE]
    assert scope.live == len(live), f"what is live inside {owner or 'all'} is miscounted"
    assert all(node in present.values() for node in live), f"an earlier round of {owner} is live"
    done = [spec_id for spec_id, node in present.items() if node.phase in DONE and spec_id in graph.nodes]
    assert scope.succeeded == len(done), f"what succeeded inside {owner or 'all'} is miscounted"
    if scope.phase is ScopePhase.OPEN:
        _check_open(watch, owner, scope, graph, present)
    elif scope.phase in (ScopePhase.FAILING, ScopePhase.ABORTING):
        assert live, f"what is ending inside {owner or 'all'} waits for nothing"
    elif scope.phase is ScopePhase.HANDLING:
        _check_handling(watch, owner, scope, graph, present)
    _check_failure(watch, owner, scope, graph, present)
    if scope.phase is ScopePhase.WRITING or (scope.phase is ScopePhase.ENDED and not _stopped(watch, owner)):
        went_well = scope.failure is None
        assert not went_well or set(done) == set(graph.nodes), f"{owner or 'all'} ended well, but not all inside"
        handled = graph.failure_node is None or graph.failure_node.id in present
        assert went_well or handled or scope.phase is ScopePhase.WRITING, (
            f"nothing handled the failure of {owner or 'all'}"
        )


def _check_open(watch: Watch, owner: NodeId, scope: ScopeState, graph: Graph, present: dict[NodeId, NodeState]) -> None:
    succeeded = {START_NODE} | {spec_id for spec_id, node in present.items() if node.phase in DONE}
    ready = [
        name for name, rules in graph.nodes.items() if name not in present and succeeded.issuperset(rules.upstream)
    ]
    assert all(graph.nodes[name].takes_place for name in ready), "what takes no place waits for room"
    assert _waiting(scope, graph) == ready, "waiting is not what is ready"
    if ready:
        assert owner in watch.state.queue, f"what waits inside {owner or 'all'} is forgotten"
        assert watch.state.live >= watch.state.options.max_parallelism, "there is room, but something waits"
        makers = places.makers_around(watch, owner)
        assert not makers or places.is_under_way(watch, makers[0]), "nothing is under way of what others wait for"
    assert scope.live or ready, f"nothing more can happen inside {owner or 'all'}"


def _check_handling(
    watch: Watch, owner: NodeId, scope: ScopeState, graph: Graph, present: dict[NodeId, NodeState]
) -> None:
    assert graph.failure_node is not None
    handler = present.get(graph.failure_node.id)
    assert handler is not None or owner in watch.state.queue, f"the failure node of {owner or 'all'} is forgotten"
    assert handler is None or handler.phase not in TERMINAL_NODE
    assert scope.live == (handler is not None), "something else is live while the failure is handled"


def _check_failure(
    watch: Watch, owner: NodeId, scope: ScopeState, graph: Graph, present: dict[NodeId, NodeState]
) -> None:
    """A workflow knows of its nodes' failures, and names the one that it ends with."""
    if scope.phase is ScopePhase.ABORTING or _stopped(watch, owner):
        return
    failed = {spec_id for spec_id, node in present.items() if node.phase in FAILED}
    if failed:
        assert scope.failure is not None, f"a node failed and {owner or 'the execution'} does not know"
    if failed and graph.on_failure is FailurePolicy.FAIL_IMMEDIATELY:
        goes_on = scope.phase in (ScopePhase.OPEN, ScopePhase.WRITING)
        assert not goes_on, f"a node failed and {owner or 'the execution'} goes on"
    if scope.failure is not None and scope.failure.node is not None:
        origin = watch.nodes[scope.failure.node]
        assert origin.failure is not None and origin.failure.code == scope.failure.code
        assert _is_inside(watch, scope.failure.node, owner), "the failure is somebody else's"
    if scope.phase in (ScopePhase.FAILING, ScopePhase.HANDLING):
        assert scope.failure is not None
    handler = present.get(graph.failure_node.id) if graph.failure_node is not None else None
    if handler is not None:
        assert scope.phase in (ScopePhase.HANDLING, ScopePhase.ENDED)
        if handler.phase in FAILED:
            _same(scope.failure, handler.failure)


def _waiting(scope: ScopeState, graph: Graph) -> list[NodeId]:
    """Return what waits for room inside, in the order in which it gets it: that of registration."""
    order = {name: place for place, name in enumerate(graph.nodes)}
    assert list(scope.ready) == sorted(scope.ready, key=order.__getitem__), "what is ready is not in order"
    roots = [name for name, rules in graph.nodes.items() if set(rules.upstream) <= {START_NODE} and rules.takes_place]
    return sorted([*roots[scope.cursor :], *scope.ready], key=order.__getitem__)


def _must_stop(watch: Watch, owner: NodeId) -> bool:
    if _is_stopping(watch, owner):
        return True
    scope = watch.state.scope(owner)
    return scope is not None and scope.phase in (ScopePhase.FAILING, ScopePhase.ABORTING)


def _is_stopping(watch: Watch, owner: NodeId) -> bool:
    if owner == ROOT:
        return watch.state.phase is ExecutionPhase.ABORTING
    node = watch.nodes[owner]
    return node.stopping is not None or (node.array is not None and node.array.failing)


def _told(node: NodeState) -> bool:
    if node.attempts and node.attempts[-1].live:
        return node.attempts[-1].stopping is not None
    return node.stopping is not None


def _stopped(watch: Watch, owner: NodeId) -> bool:
    """Say whether `owner` ends for a reason from outside, and not by what is inside."""
    return watch.state.abort is not None if owner == ROOT else watch.nodes[owner].stopping is not None


def _is_inside(watch: Watch, name: NodeId, owner: NodeId) -> bool:
    while name != ROOT:
        name = watch.nodes[name].parent
        if name == owner:
            return True
    return False


def _same(one: Failure | None, other: Failure | None) -> None:
    assert one is not None and other is not None
    assert (one.code, one.message, one.kind) == (other.code, other.message, other.kind), (
        "the failure node's own is lost"
    )


def _check_name(watch: Watch, owner: NodeId, spec_id: NodeId, name: NodeId) -> None:
    if owner == ROOT:
        wanted = str(spec_id)
    elif watch.rules[owner].kind is NodeKind.ARRAY:
        wanted = f"{owner}#{spec_id}"
    else:
        scope = watch.state.scope(owner)
        wanted = f"{owner}-{scope.round if scope is not None else 0}-{spec_id}"
    is_hashed = len(wanted) > 20 and "#" not in wanted
    # Flyte's own hash, or the longer one that stands in where two of those met.
    assert name[0] == "f" and len(name) in (8, 14) if is_hashed and owner != ROOT else name == wanted, "a wrong name"
