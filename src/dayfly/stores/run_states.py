"""Stores a run's state in parts: one row for the whole without its nodes, one for each node.

So that a commit writes what moved, not ten thousand nodes. Nodes that did not move are the same objects as before.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import sqlalchemy as sa

from dayfly.model import run as states
from dayfly.model.identifiers import NodeId
from dayfly.model.run import NodeState, RunState
from dayfly.stores import schema, upserting

_nodes = schema.run_nodes.c
_NODES = (
    sa.select(_nodes.node_id, _nodes.state).where(_nodes.execution_id == sa.bindparam("number")).order_by(_nodes.id)
)
_DROP = schema.run_nodes.delete().where(
    _nodes.execution_id == sa.bindparam("number"), _nodes.node_id == sa.bindparam("node")
)
_ENCODER = msgspec.msgpack.Encoder()
_DECODER: msgspec.msgpack.Decoder[NodeState] = msgspec.msgpack.Decoder(NodeState)


def encode_head(state: RunState) -> bytes:
    """Return the state without its nodes."""
    return states.encode(msgspec.structs.replace(state, nodes={}))


def decode_head(raw: bytes) -> RunState:
    """Return the state without its nodes."""
    return states.decode(raw)


def moved(before: RunState, after: RunState) -> dict[NodeId, NodeState]:
    """Return the nodes that are new or other objects than before."""
    old = before.nodes
    return {node: state for node, state in after.nodes.items() if old.get(node) is not state}


def write_nodes(
    connection: sa.Connection, number: int, before: RunState, after: RunState, moving: Mapping[NodeId, NodeState]
) -> None:
    """Write the nodes that moved and forget those that are gone."""
    rows = [
        {"execution_id": number, "node_id": node, "state": _ENCODER.encode(state)} for node, state in moving.items()
    ]
    upserting.replace_rows(connection, schema.run_nodes, ("execution_id", "node_id"), rows)
    new = sum(node not in before.nodes for node in moving)
    if len(before.nodes) + new != len(after.nodes):
        gone = [{"number": number, "node": node} for node in before.nodes if node not in after.nodes]
        connection.execute(_DROP, gone)


def read(connection: sa.Connection, number: int, head: bytes) -> RunState:
    """Return the whole state."""
    nodes = {NodeId(row.node_id): _DECODER.decode(row.state) for row in connection.execute(_NODES, {"number": number})}
    return msgspec.structs.replace(decode_head(head), nodes=nodes)
