"""Which cached results stand for a node's: those of its task's types, whose files are there."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2, types_pb2

from dayfly.base.clock import ManualClock, Micros
from dayfly.controller import caching, resolving
from dayfly.model import caching as keys
from dayfly.model import events, layout
from dayfly.model.identifiers import START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.phases import CacheStatus, NodePhase
from dayfly.model.plan import CacheRules, Plan, PlanNode
from dayfly.model.run import NodeState, RunState
from dayfly.ports.runs import Run
from tests.fakes.blobs import MemoryBlobs
from tests.fakes.stores import open_in_memory

NODE = NodeId("n0")
TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "t", "v")
FILE = types_pb2.LiteralType(blob=types_pb2.BlobType())
TEMPLATE = tasks_pb2.TaskTemplate(interface={"outputs": {"variables": {"o0": {"type": FILE}}}})
KEY = keys.build_key(TASK, "1", TEMPLATE.interface, literals_pb2.LiteralMap())
PLAN = Plan(
    workflow=EntityId(int(identifier_pb2.WORKFLOW), "p", "d", "w", "v"),
    digest="digest",
    nodes={NODE: PlanNode(NODE, target=TASK, upstream=(START_NODE,), cache=CacheRules("1"))},
)
SOURCE = keys.Source("v", ExecutionId("p", "d", "before"), NODE, 0)


def a_file(uri: str) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"blob": {"uri": uri, "metadata": {"type": {}}}})


async def look_up(
    kept: dict[str, literals_pb2.Literal], *, stored: tuple[str, ...]
) -> tuple[events.Event, MemoryBlobs]:
    """Keep outputs under the node's key, with some files in the store, and look for them."""
    clock, blobs = ManualClock(), MemoryBlobs()
    for uri in stored:
        await blobs.put(uri, b"what lies there")
    store = await open_in_memory(clock)
    outputs = literals_pb2.LiteralMap(literals=kept).SerializeToString(deterministic=True)
    await store.catalog.put(KEY, outputs, SOURCE, clock.now())

    async def of(run: Run, node: NodeId) -> tasks_pb2.TaskTemplate:
        return TEMPLATE

    templates: Any = SimpleNamespace(of=of)
    cached = caching.Caching(store.catalog, store.runs, blobs, resolving.Resolver(blobs), templates, clock)
    state = RunState(nodes={NODE: NodeState(NodePhase.QUEUED, queued_at=Micros(0), spec_id=NODE)})
    run = Run(ExecutionId("p", "d", "x"), PLAN, state, 0, b"", blobs.root, PLAN.workflow)
    answer = await cached.look_up(run, NODE, 0)
    await store.close()
    return answer, blobs


async def test_a_result_that_is_whole_becomes_the_nodes_own() -> None:
    uri = "memory://store/data/a"
    answer, blobs = await look_up({"o0": a_file(uri)}, stored=(uri,))
    assert isinstance(answer, events.CacheHit)
    own = blobs.stored[layout.outputs_uri(blobs.root, ExecutionId("p", "d", "x"), NODE)]
    assert literals_pb2.LiteralMap.FromString(own).literals["o0"].scalar.blob.uri == uri


@pytest.mark.parametrize(
    "kept",
    [
        {"o0": a_file("memory://store/data/gone")},
        {"o0": literals_pb2.Literal(scalar={"primitive": {"integer": 1}})},
        {"o1": a_file("memory://store/data/a")},
        {},
    ],
    ids=["its file is gone", "another type", "another name", "nothing"],
)
async def test_any_other_is_none(kept: dict[str, literals_pb2.Literal]) -> None:
    answer, _ = await look_up(kept, stored=("memory://store/data/a",))
    assert isinstance(answer, events.CacheMissed)
    assert answer.status is CacheStatus.MISS
