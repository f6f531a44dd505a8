"""Names of things, as frozen values, and the short names Flyte derives from them.

The derivations follow flyteorg/flyte: unique node ids (flytepropeller/pkg/controller/nodes/common/utils.go) and
generated names (flyteplugins/go/tasks/pluginmachinery/encoding/encoder.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NewType

import msgspec
from flyteidl.core import identifier_pb2

NodeId = NewType("NodeId", str)
"""The unique id of a node in its execution: `n0`, or `n1-0-n0` below a parent."""

AttemptKey = NewType("AttemptKey", str)
"""Names one attempt everywhere: `project/domain/execution/node/attempt`. Starting it twice starts it once."""

ROOT = NodeId("")
"""Whom the nodes of the workflow itself are inside of."""

START_NODE = NodeId("start-node")
END_NODE = NodeId("end-node")

MAX_NODE_ID = 20
"""Longer unique node ids are replaced by a hash."""

MAX_NODE_ID_BYTES = 200
"""Of an id as it is registered, in UTF-8: it names a folder, and file systems end at 255 bytes."""

MAX_GENERATED_NAME = 50
"""Longer generated task names are replaced by a hash."""

_NODE_ID = re.compile(r"[^\W_][\w.\-]*")

_HASH_ALPHABET = "abcdefghijklmnopqrstuvwxyz123456"


class EntityId(msgspec.Struct, frozen=True, order=True):
    """A registered task, workflow or launch plan. `kind` is a `flyteidl` ResourceType number."""

    kind: int
    project: str
    domain: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{kind_name(self.kind)} {self.project}:{self.domain}:{self.name}:{self.version}"


class ExecutionId(msgspec.Struct, frozen=True, order=True):
    """One execution."""

    project: str
    domain: str
    name: str

    def __str__(self) -> str:
        return f"{self.project}/{self.domain}/{self.name}"


def kind_name(kind: int) -> str:
    """Return a resource type in words, also one that flyteidl does not know: requests may hold any number."""
    known = kind in identifier_pb2.ResourceType.values()
    return str(identifier_pb2.ResourceType.Name(kind)).lower() if known else f"resource type {kind}"


def from_identifier(message: identifier_pb2.Identifier) -> EntityId:
    """Convert from the message."""
    return EntityId(message.resource_type, message.project, message.domain, message.name, message.version)


def to_identifier(entity: EntityId) -> identifier_pb2.Identifier:
    """Convert to the message."""
    return identifier_pb2.Identifier(
        resource_type=entity.kind,
        project=entity.project,
        domain=entity.domain,
        name=entity.name,
        version=entity.version,
    )


def from_execution_identifier(message: identifier_pb2.WorkflowExecutionIdentifier) -> ExecutionId:
    """Convert from the message."""
    return ExecutionId(message.project, message.domain, message.name)


def to_execution_identifier(execution: ExecutionId) -> identifier_pb2.WorkflowExecutionIdentifier:
    """Convert to the message."""
    return identifier_pb2.WorkflowExecutionIdentifier(
        project=execution.project, domain=execution.domain, name=execution.name
    )


def attempt_key(execution: ExecutionId, node: NodeId, attempt: int) -> AttemptKey:
    """Return the key of one attempt."""
    return AttemptKey(f"{execution}/{node}/{attempt}")


def parse_attempt_key(key: AttemptKey) -> tuple[ExecutionId, NodeId, int]:
    """Take a key apart again."""
    project, domain, name, node, attempt = key.split("/")
    return ExecutionId(project, domain, name), NodeId(node), int(attempt)


def generated_name(execution: ExecutionId, node: NodeId, attempt: int) -> str:
    """Return the name of the attempt's pod, group or job: at most 50 characters, DNS-safe."""
    if (element := parse_element(node)) is not None:
        # As Flyte names the elements of a map task: after the array, then the try where it is not the first.
        of_array = generated_name(execution, element[0], 0)
        return _fixed_length(f"{of_array}-{element[1]}" + (f"-{attempt}" if attempt else ""), MAX_GENERATED_NAME)
    return _fixed_length(f"{execution.name}-{node}-{attempt}", MAX_GENERATED_NAME)


def is_node_id(text: str) -> bool:
    """Say whether a node may have this id: it is part of paths, keys and addresses, and `#` marks elements of arrays.

    Letters of all scripts will do: flytekit leaves them in names that users give to nodes.
    """
    return _NODE_ID.fullmatch(text) is not None and len(text.encode()) <= MAX_NODE_ID_BYTES


def child_id(owner: NodeId, round: int, spec_id: NodeId, taken: Callable[[NodeId], bool]) -> NodeId:
    """Return the unique id of a node inside `owner`, which runs for the `round`th time.

    `taken` says whether another node of the execution has this id: hashes of 32 bits, which Flyte takes, meet sooner
    or later where a workflow makes thousands of nodes; then one of 64 bits stands in.
    """
    if owner == ROOT:
        return spec_id
    name = f"{owner}-{round}-{spec_id}"
    if len(name) <= MAX_NODE_ID:
        return NodeId(name)
    short = NodeId(_fixed_length(name, MAX_NODE_ID))
    return NodeId(long_hash(name)) if taken(short) else short


def element_id(array: NodeId, index: int) -> NodeId:
    """Return the unique id of an array's element, which no client sees."""
    return NodeId(f"{array}#{index}")


def parse_element(node: NodeId) -> tuple[NodeId, int] | None:
    """Return array and index of an element, None for any other node."""
    array, mark, index = node.rpartition("#")
    return (NodeId(array), int(index)) if mark else None


def child_execution_name(execution: ExecutionId, node: NodeId, round: int) -> str:
    """Return the name of the execution that a launch plan's node makes: at most 20 characters."""
    name = f"{execution.name}-{node.replace('#', '-')}-{round}"
    return name if len(name) <= MAX_NODE_ID else long_hash(name)


def long_hash(name: str) -> str:
    """Return `f` and 13 characters: FNV-64a, as Flyte names child executions."""
    value = 0xCBF29CE484222325
    for byte in name.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    digits = "".join(_HASH_ALPHABET[int(five, 2)] for five in re.findall(".{5}", f"{value:064b}".ljust(65, "0")))
    return "f" + digits


def _fixed_length(name: str, limit: int) -> str:
    if len(name) <= limit:
        return name
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    digits = "".join(_HASH_ALPHABET[int(five, 2)] for five in re.findall(".{5}", f"{value:032b}".ljust(35, "0")))
    return "f" + digits
