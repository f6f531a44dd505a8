"""Names of cached outputs, exactly Flyte's, and what is told of where they came from.

Equal keys mean: the same task, by its name, with the same cache version and interface, and the same inputs. A client
or engine of Flyte's that shares a data catalog with us finds our entries, and we find theirs. Called by the engine's
side before and after an attempt, and by `services.datacatalog`.

Source: flytepropeller/pkg/controller/nodes/catalog/datacatalog/transformer.go and
flyteplugins/go/tasks/pluginmachinery/catalog/hashing.go in flyteorg/flyte.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping

import msgspec
from flyteidl.core import catalog_pb2, identifier_pb2, interface_pb2, literals_pb2
from google.protobuf.message import Message

from dayfly.base import errors
from dayfly.model import identifiers, object_hash
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId

DATASET_PREFIX = "flyte_task-"
"""Before the task's name, in the name of the dataset that holds its outputs."""

TAG_PREFIX = "flyte_cached-"
"""Before the hash of the inputs, in the tag that an entry is found by."""

SIGNATURE_LENGTH = 8
"""Characters of the hash of the inputs' types, and as many of the outputs', behind the cache version."""

UNKNOWN = "unknown"
"""Stands for what an entry's metadata do not tell."""

_TASK_VERSION = "task-version"
_EXECUTION = ("exec-project", "exec-domain", "execution-name")
_NODE = "exec-node"
_ATTEMPT = "exec-attempt"
_ATTEMPTS = re.compile("[0-9]{1,9}")
_SIGNED = re.compile(rf"(-[A-Za-z0-9_-]{{{SIGNATURE_LENGTH}}}){{2}}\Z")


class CacheKey(msgspec.Struct, frozen=True):
    """What an entry is found by: a dataset, and a tag in it."""

    project: str
    domain: str
    name: str
    version: str
    tag: str

    def __str__(self) -> str:
        return f"{self.project}:{self.domain}:{self.name}:{self.version}:{self.tag}"


class Source(msgspec.Struct, frozen=True):
    """The attempt that made an entry."""

    task_version: str
    """The version that its task was registered under."""
    execution: ExecutionId
    node: NodeId
    attempt: int


def build_key(
    task: EntityId,
    cache_version: str,
    interface: interface_pb2.TypedInterface,
    inputs: literals_pb2.LiteralMap,
    ignored: Collection[str] = (),
) -> CacheKey:
    """Return the key of a task's outputs for `inputs`, of which those named in `ignored` do not count.

    A literal that carries a hash counts by that alone, an offloaded one too: nothing is fetched. Raise
    `InvalidArgument` where the cache version is empty, or a time among the inputs is out of range.
    """
    version = cache_version.strip(" ")
    if not version:
        raise errors.InvalidArgument(
            f"{task} is cached, and its cache version is empty.", remedy="Give the task a cache_version."
        )
    types = f"{_signature(interface.inputs)}-{_signature(interface.outputs)}"
    return CacheKey(
        project=task.project,
        domain=task.domain,
        name=f"{DATASET_PREFIX}{task.name}",
        version=f"{version}-{types}",
        tag=f"{TAG_PREFIX}{hash_inputs(inputs, ignored)}",
    )


def hash_inputs(inputs: literals_pb2.LiteralMap, ignored: Collection[str] = ()) -> str:
    """Return the hash of inputs, 43 characters of URL-safe base64. Raises as `build_key`."""
    counted = literals_pb2.LiteralMap()
    for name, literal in inputs.literals.items():
        if name not in ignored:
            _reduce(literal, counted.literals[name])
    return _encoded(counted)


def task_name(key: CacheKey) -> str:
    """Return the name of the task whose outputs the key's dataset holds."""
    return key.name.removeprefix(DATASET_PREFIX)


def cache_version(dataset_version: str) -> str:
    """Return the cache version in a dataset's version; all of it, where others have named the dataset."""
    return _SIGNED.sub("", dataset_version)


def source_metadata(source: Source) -> dict[str, str]:
    """Return what an entry's metadata tell of its source. Flyte tells the task's version with the dataset instead, so
    that only that of its first entry is known; its engine leaves it alone here."""
    return {
        _TASK_VERSION: source.task_version,
        **dict(zip(_EXECUTION, msgspec.structs.astuple(source.execution), strict=True)),
        _NODE: source.node,
        _ATTEMPT: str(source.attempt),
    }


def dataset_metadata(source: Source) -> dict[str, str]:
    """Return the metadata of a dataset whose first entry is from `source`."""
    return {_TASK_VERSION: source.task_version}


def read_source(
    metadata: Mapping[str, str], of_dataset: Mapping[str, str], *, project: str = "", domain: str = ""
) -> Source:
    """Return the source that metadata tell of: `UNKNOWN`, attempt 0, and the dataset's project and domain where they do
    not tell it."""
    attempt = metadata.get(_ATTEMPT, "")
    given = [
        metadata.get(part) or instead for part, instead in zip(_EXECUTION, (project, domain, UNKNOWN), strict=True)
    ]
    return Source(
        task_version=metadata.get(_TASK_VERSION) or of_dataset.get(_TASK_VERSION) or UNKNOWN,
        execution=ExecutionId(*given),
        node=NodeId(metadata.get(_NODE) or UNKNOWN),
        attempt=int(attempt) if _ATTEMPTS.fullmatch(attempt) else 0,
    )


def to_catalog_metadata(key: CacheKey, artifact_id: str, source: Source | None = None) -> catalog_pb2.CatalogMetadata:
    """Return what a node's closure tells of an entry; of one that the node has just made, without its source."""
    told = catalog_pb2.CatalogMetadata(
        dataset_id=identifier_pb2.Identifier(
            resource_type=identifier_pb2.DATASET,
            project=key.project,
            domain=key.domain,
            name=key.name,
            version=key.version,
        ),
        artifact_tag=catalog_pb2.CatalogArtifactTag(artifact_id=artifact_id, name=key.tag),
    )
    if source is not None:
        made = told.source_task_execution
        task = EntityId(int(identifier_pb2.TASK), key.project, key.domain, task_name(key), source.task_version)
        made.task_id.CopyFrom(identifiers.to_identifier(task))
        made.node_execution_id.node_id = source.node
        made.node_execution_id.execution_id.CopyFrom(identifiers.to_execution_identifier(source.execution))
        made.retry_attempt = source.attempt
    return told


def _signature(variables: interface_pb2.VariableMap) -> str:
    return _encoded(variables)[:SIGNATURE_LENGTH]


def _encoded(message: Message) -> str:
    return base64.urlsafe_b64encode(object_hash.digest(message)).decode().rstrip("=")


def _reduce(literal: literals_pb2.Literal, to: literals_pb2.Literal) -> None:
    """Write into `to` what of a literal counts. Flyte forgets the metadata of lists and maps, so we do too."""
    if literal.hash:
        to.hash = literal.hash
    elif literal.HasField("collection"):
        to.collection.SetInParent()
        for part in literal.collection.literals:
            _reduce(part, to.collection.literals.add())
    elif literal.HasField("map"):
        to.map.SetInParent()
        for name, part in literal.map.literals.items():
            _reduce(part, to.map.literals[name])
    else:
        to.CopyFrom(literal)
