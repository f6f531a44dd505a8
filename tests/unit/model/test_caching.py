"""Names of cached outputs, beside those that Flyte's own tests expect.

Source: flytepropeller/pkg/controller/nodes/catalog/datacatalog/transformer_test.go and
flyteplugins/go/tasks/pluginmachinery/catalog/hashing_test.go in flyteorg/flyte.
"""

from __future__ import annotations

import pytest
from flyteidl.core import identifier_pb2, interface_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.model import caching
from dayfly.model.caching import CacheKey, Source
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId

TASK = EntityId(int(identifier_pb2.TASK), "project", "domain", "name", "1.0.0")
NOTHING = "GKw-c0PwFokMUQ6T-TUmEWnZ4_VlQ2Qpgw-vCTT0-OQ"
ONE_AND_TWO = "GQid5LjHbakcW68DS3P2jp80QLbiF0olFHF2hTh5bg8"
SOURCE = Source("v7", ExecutionId("p1", "d1", "wf"), NodeId("n0"), 2)


def integers(**values: int) -> literals_pb2.LiteralMap:
    """Return integers under names such as `_1`, without the underscore."""
    made = literals_pb2.LiteralMap()
    for name, value in values.items():
        made.literals[name[1:]].scalar.primitive.integer = value
    return made


def interface(*inputs: str, outputs: tuple[str, ...] = ()) -> interface_pb2.TypedInterface:
    made = interface_pb2.TypedInterface()
    for names, variables in ((inputs, made.inputs.variables), (outputs, made.outputs.variables)):
        for name in names:
            variables[name].type.simple = types_pb2.INTEGER
    return made


def blob(uri: str, *, hashed: str = "") -> literals_pb2.Literal:
    made = literals_pb2.Literal(hash=hashed)
    made.scalar.blob.uri = uri
    return made


def collection(*literals: literals_pb2.Literal, hashed: str = "") -> literals_pb2.Literal:
    made = literals_pb2.Literal(hash=hashed)
    made.collection.literals.extend(literals)
    return made


def mapping(hashed: str = "", **literals: literals_pb2.Literal) -> literals_pb2.Literal:
    made = literals_pb2.Literal(hash=hashed)
    for name, literal in literals.items():
        made.map.literals[name].CopyFrom(literal)
    return made


def hash_of(literal: literals_pb2.Literal) -> str:
    return caching.hash_inputs(literals_pb2.LiteralMap(literals={"o0": literal}))


@pytest.mark.parametrize(
    ("declared", "version"),
    [
        (interface_pb2.TypedInterface(), "1.0.0-GKw-c0Pw-GKw-c0Pw"),
        (interface(), "1.0.0-GKw-c0Pw-GKw-c0Pw"),
        (interface("1", "2"), "1.0.0-UxVtPm0k-GKw-c0Pw"),
        (interface("2", "1"), "1.0.0-UxVtPm0k-GKw-c0Pw"),
        (interface(outputs=("1", "2")), "1.0.0-GKw-c0Pw-UxVtPm0k"),
    ],
)
def test_datasets_are_named_as_in_flyte(declared: interface_pb2.TypedInterface, version: str) -> None:
    key = caching.build_key(TASK, " 1.0.0 ", declared, literals_pb2.LiteralMap())
    assert key == CacheKey("project", "domain", "flyte_task-name", version, f"flyte_cached-{NOTHING}")
    assert caching.task_name(key) == "name"


@pytest.mark.parametrize(
    ("inputs", "ignored", "expected"),
    [
        (literals_pb2.LiteralMap(), (), NOTHING),
        (integers(_1=1, _2=2), (), ONE_AND_TWO),
        (integers(_2=2, _1=1), (), ONE_AND_TWO),
        (integers(_1=1, _2=2, _3=3), ("3",), ONE_AND_TWO),
        (integers(_1=1, _2=2), ("unknown",), ONE_AND_TWO),
        (integers(_1=1, _2=2), ("1", "2"), NOTHING),
    ],
)
def test_inputs_are_hashed_as_in_flyte(
    inputs: literals_pb2.LiteralMap, ignored: tuple[str, ...], expected: str
) -> None:
    assert caching.build_key(TASK, "1", interface(), inputs, ignored).tag == f"flyte_cached-{expected}"


ONLY_HASH = literals_pb2.Literal(hash="h")


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        (blob("s3://some", hashed="h"), ONLY_HASH),
        (collection(blob("s3://some"), hashed="h"), ONLY_HASH),
        (mapping(hashed="h", a=blob("s3://some")), ONLY_HASH),
        (collection(blob("s3://some", hashed="h"), blob("s3://other")), collection(ONLY_HASH, blob("s3://other"))),
        (collection(mapping(a=blob("s3://some", hashed="h"))), collection(mapping(a=ONLY_HASH))),
        (mapping(a=blob("s3://some", hashed="h"), b=blob("x")), mapping(a=ONLY_HASH, b=blob("x"))),
    ],
)
def test_a_literal_with_a_hash_counts_by_it_alone(given: literals_pb2.Literal, counted: literals_pb2.Literal) -> None:
    assert hash_of(given) == hash_of(counted)


def test_an_offloaded_literal_counts_by_its_hash() -> None:
    first, second = literals_pb2.Literal(hash="h"), literals_pb2.Literal(hash="h")
    first.offloaded_metadata.uri, second.offloaded_metadata.uri = "s3://a", "s3://b"
    assert hash_of(first) == hash_of(second) == hash_of(ONLY_HASH)
    first.hash = second.hash = ""
    assert hash_of(first) != hash_of(second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (blob("s3://some"), blob("s3://other")),
        (blob("s3://some", hashed="h"), blob("s3://some", hashed="i")),
        (collection(), mapping()),
        (collection(), collection(collection())),
        (literals_pb2.Literal(), collection()),
    ],
)
def test_what_differs_has_another_hash(one: literals_pb2.Literal, other: literals_pb2.Literal) -> None:
    assert hash_of(one) != hash_of(other)


def test_metadata_of_lists_and_maps_do_not_count() -> None:
    for given in (collection(blob("x")), mapping(a=blob("x"))):
        bare = literals_pb2.Literal.FromString(given.SerializeToString())
        given.metadata["format"] = "json"
        assert hash_of(given) == hash_of(bare)
    scalar = blob("x")
    scalar.metadata["format"] = "json"
    assert hash_of(scalar) != hash_of(blob("x"))


@pytest.mark.parametrize("version", ["", "  "])
def test_an_empty_cache_version_is_told(version: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="cache version is empty"):
        caching.build_key(TASK, version, interface(), literals_pb2.LiteralMap())


def test_sources_go_through_metadata() -> None:
    metadata = caching.source_metadata(SOURCE)
    assert metadata == {
        "task-version": "v7",
        "exec-project": "p1",
        "exec-domain": "d1",
        "execution-name": "wf",
        "exec-node": "n0",
        "exec-attempt": "2",
    }
    assert caching.read_source(metadata, {}, project="p", domain="d") == SOURCE


@pytest.mark.parametrize(
    ("metadata", "of_dataset", "expected"),
    [
        ({}, {}, Source("unknown", ExecutionId("p", "d", "unknown"), NodeId("unknown"), 0)),
        ({}, {"task-version": "v1"}, Source("v1", ExecutionId("p", "d", "unknown"), NodeId("unknown"), 0)),
        (
            {"execution-name": "wf", "exec-node": "n0", "exec-attempt": "many"},
            {"task-version": "v1"},
            Source("v1", ExecutionId("p", "d", "wf"), NodeId("n0"), 0),
        ),
    ],
)
def test_what_metadata_do_not_tell(metadata: dict[str, str], of_dataset: dict[str, str], expected: Source) -> None:
    assert caching.read_source(metadata, of_dataset, project="p", domain="d") == expected


def test_what_a_node_tells_of_its_entry() -> None:
    key = CacheKey("p", "d", "flyte_task-a.b", "v", "t")
    told = caching.to_catalog_metadata(key, "id", SOURCE)
    dataset = told.dataset_id
    assert (dataset.resource_type, dataset.project, dataset.domain) == (identifier_pb2.DATASET, "p", "d")
    assert (dataset.name, dataset.version) == ("flyte_task-a.b", "v")
    assert (told.artifact_tag.artifact_id, told.artifact_tag.name) == ("id", "t")
    made = told.source_task_execution
    assert (made.task_id.resource_type, made.task_id.name, made.task_id.version) == (identifier_pb2.TASK, "a.b", "v7")
    assert (made.node_execution_id.node_id, made.retry_attempt) == ("n0", 2)
    assert made.node_execution_id.execution_id.name == "wf"
    assert not caching.to_catalog_metadata(key, "id").HasField("source_task_execution")


@pytest.mark.parametrize(
    ("dataset_version", "version"),
    [
        ("1.0.0-GKw-c0Pw-UxVtPm0k", "1.0.0"),
        ("a-b-c-GKw-c0Pw-GKw-c0Pw", "a-b-c"),
        ("of-somebody-else", "of-somebody-else"),
        ("", ""),
    ],
)
def test_the_cache_version_in_a_datasets_version(dataset_version: str, version: str) -> None:
    assert caching.cache_version(dataset_version) == version
