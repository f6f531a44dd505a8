"""DataCatalog by raw stubs: what an engine of Flyte's asks, every refusal, pages, and reservations."""

from __future__ import annotations

import grpc
import pytest
from calling import code
from flyteidl.core import interface_pb2, literals_pb2
from flyteidl.datacatalog import datacatalog_pb2 as messages
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from serving import serving

from dayfly import client
from dayfly.base.clock import SystemClock
from dayfly.model import caching
from dayfly.model.caching import Source
from dayfly.model.identifiers import EntityId, ExecutionId, NodeId

DATASET = {"project": "flytesnacks", "domain": "development", "name": "flyte_task-fit", "version": "1-a-b"}
MISSING, WRONG, THERE = (
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.ALREADY_EXISTS,
)


@pytest.fixture
async def served(tmp_path):
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def catalog(served):
    async with client.open(served.address) as opened:
        yield opened.catalog


def integer(value):
    return literals_pb2.Literal(scalar={"primitive": {"integer": value}})


def data(**values):
    return [messages.ArtifactData(name=name, value=integer(value)) for name, value in values.items()]


async def create_dataset(catalog, *keys, **changes):
    dataset = messages.Dataset(
        id={**DATASET, **changes}, metadata={"key_map": {"task-version": "v1"}}, partitionKeys=keys
    )
    await catalog.CreateDataset(messages.CreateDatasetRequest(dataset=dataset))
    return dataset


async def create_artifact(catalog, name, partitions=(), **changes):
    artifact = messages.Artifact(
        **{
            "id": name,
            "dataset": DATASET,
            "data": data(o0=1),
            "metadata": {"key_map": {"execution-name": "e"}},
            "partitions": [messages.Partition(key=key, value=value) for key, value in partitions],
            **changes,
        }
    )
    await catalog.CreateArtifact(messages.CreateArtifactRequest(artifact=artifact))


def get(catalog, **handle):
    return catalog.GetArtifact(messages.GetArtifactRequest(dataset=DATASET, **handle))


def add_tag(catalog, tag, artifact):
    return catalog.AddTag(messages.AddTagRequest(tag={"name": tag, "artifact_id": artifact, "dataset": DATASET}))


def reserve(catalog, owner, seconds=10, tag="t"):
    request = messages.GetOrExtendReservationRequest(
        reservation_id={"dataset_id": DATASET, "tag_name": tag}, owner_id=owner
    )
    request.heartbeat_interval.FromNanoseconds(int(seconds * 10**9))
    return catalog.GetOrExtendReservation(request)


async def test_what_an_engine_of_flytes_does(served, catalog):
    """Look up, run, put, look up again; and ours finds it by the same key."""
    dataset = await create_dataset(catalog)
    assert (await catalog.GetDataset(messages.GetDatasetRequest(dataset=DATASET))).dataset == dataset
    assert await code(get(catalog, tag_name="flyte_cached-x")) == MISSING
    source = {"exec-project": "p", "exec-domain": "d", "execution-name": "e", "exec-node": "n0", "exec-attempt": "1"}
    await create_artifact(catalog, "a1", metadata={"key_map": source}, data=data(o1=2, o0=1))
    await add_tag(catalog, "flyte_cached-x", "a1")
    found = (await get(catalog, tag_name="flyte_cached-x")).artifact
    assert found == (await get(catalog, artifact_id="a1")).artifact
    assert (found.id, dict(found.metadata.key_map)) == ("a1", source)
    assert [(one.name, one.value) for one in found.data] == [("o0", integer(1)), ("o1", integer(2))]
    assert [(tag.name, tag.artifact_id, tag.dataset.name) for tag in found.tags] == [
        ("flyte_cached-x", "a1", DATASET["name"])
    ]
    assert found.created_at.seconds > 1_700_000_000
    entry = await served.store.catalog.find(caching.CacheKey(**DATASET, tag="flyte_cached-x"))
    assert entry.source == Source("v1", ExecutionId("p", "d", "e"), NodeId("n0"), 1)


async def test_what_our_engine_keeps(served, catalog):
    task = EntityId(1, "flytesnacks", "development", "fit", "v7")
    inputs = literals_pb2.LiteralMap(literals={"x": integer(4)})
    key = caching.build_key(task, "1.0", interface_pb2.TypedInterface(), inputs)
    outputs = literals_pb2.LiteralMap(literals={"o0": integer(5)}).SerializeToString()
    source = Source("v7", ExecutionId("flytesnacks", "development", "e"), NodeId("n0"), 0)
    await served.store.catalog.put(key, outputs, source, SystemClock().now())
    dataset = {"project": key.project, "domain": key.domain, "name": key.name, "version": key.version}
    request = messages.GetArtifactRequest(dataset=dataset, tag_name=key.tag)
    found = (await catalog.GetArtifact(request)).artifact
    assert (found.data[0].value, found.metadata.key_map["execution-name"]) == (integer(5), "e")
    told = (await catalog.GetDataset(messages.GetDatasetRequest(dataset=dataset))).dataset
    assert dict(told.metadata.key_map) == {"task-version": "v7"}


async def test_overwriting(catalog):
    await create_dataset(catalog)
    request = messages.UpdateArtifactRequest(dataset=DATASET, tag_name="t", data=data(o0=7))
    assert await code(catalog.UpdateArtifact(request)) == MISSING
    await create_artifact(catalog, "a1")
    await add_tag(catalog, "t", "a1")
    assert (await catalog.UpdateArtifact(request)).artifact_id == "a1"
    found = (await get(catalog, artifact_id="a1")).artifact
    assert (found.data[0].value, found.metadata.key_map["execution-name"]) == (integer(7), "e")
    request = messages.UpdateArtifactRequest(
        dataset=DATASET, artifact_id="a1", data=data(other=8), metadata={"key_map": {"execution-name": "f"}}
    )
    await catalog.UpdateArtifact(request)
    found = (await get(catalog, tag_name="t")).artifact
    assert ([one.name for one in found.data], found.metadata.key_map["execution-name"]) == (["other"], "f")


async def test_what_is_there_already(catalog):
    await create_dataset(catalog)
    assert await code(create_dataset(catalog)) == THERE
    await create_artifact(catalog, "a1")
    assert await code(create_artifact(catalog, "a1")) == THERE
    await add_tag(catalog, "t", "a1")
    assert await code(add_tag(catalog, "t", "a1")) == THERE


async def test_what_is_not_there(catalog):
    assert await code(catalog.GetDataset(messages.GetDatasetRequest(dataset=DATASET))) == MISSING
    assert await code(create_artifact(catalog, "a1")) == MISSING
    assert await code(add_tag(catalog, "t", "a1")) == MISSING
    assert await code(catalog.ListArtifacts(messages.ListArtifactsRequest(dataset=DATASET))) == MISSING
    await create_dataset(catalog)
    assert await code(add_tag(catalog, "t", "a1")) == MISSING
    assert await code(get(catalog, artifact_id="a1")) == MISSING


RESERVATION = {"dataset_id": DATASET, "tag_name": "t"}


@pytest.mark.parametrize(
    ("method", "request_message", "told"),
    [
        ("CreateDataset", messages.CreateDatasetRequest(), "project of the dataset"),
        ("CreateDataset", messages.CreateDatasetRequest(dataset={"id": {**DATASET, "version": " "}}), "version"),
        ("CreateDataset", messages.CreateDatasetRequest(dataset={"id": {**DATASET, "name": "n" * 1025}}), "1025"),
        ("CreateDataset", messages.CreateDatasetRequest(dataset={"id": DATASET, "partitionKeys": ["a", "a"]}), "twice"),
        ("CreateDataset", messages.CreateDatasetRequest(dataset={"id": DATASET, "partitionKeys": [""]}), "partition"),
        ("GetDataset", messages.GetDatasetRequest(), "project"),
        ("CreateArtifact", messages.CreateArtifactRequest(artifact={"dataset": DATASET, "data": data(a=1)}), "id"),
        ("CreateArtifact", messages.CreateArtifactRequest(artifact={"dataset": DATASET, "id": "a"}), "data"),
        (
            "CreateArtifact",
            messages.CreateArtifactRequest(artifact={"dataset": DATASET, "id": "a", "data": data(a=1) + data(a=2)}),
            "twice",
        ),
        (
            "CreateArtifact",
            messages.CreateArtifactRequest(
                artifact={"dataset": DATASET, "id": "a", "data": data(a=1), "partitions": [{"key": "k"}]}
            ),
            "value of partition k",
        ),
        ("GetArtifact", messages.GetArtifactRequest(dataset=DATASET), "artifact id or tag"),
        ("GetArtifact", messages.GetArtifactRequest(dataset=DATASET, artifact_id=""), "artifact id"),
        ("GetArtifact", messages.GetArtifactRequest(dataset=DATASET, tag_name=""), "tag name"),
        ("GetArtifact", messages.GetArtifactRequest(tag_name="t"), "project"),
        ("UpdateArtifact", messages.UpdateArtifactRequest(dataset=DATASET, tag_name="t"), "data"),
        ("UpdateArtifact", messages.UpdateArtifactRequest(dataset=DATASET, data=data(a=1)), "artifact id or tag"),
        ("AddTag", messages.AddTagRequest(tag={"dataset": DATASET, "artifact_id": "a"}), "tag name"),
        ("AddTag", messages.AddTagRequest(tag={"dataset": DATASET, "name": "t"}), "artifact id"),
        ("AddTag", messages.AddTagRequest(tag={"dataset": DATASET, "name": "t\0", "artifact_id": "a"}), "NUL"),
        (
            "GetOrExtendReservation",
            messages.GetOrExtendReservationRequest(reservation_id=RESERVATION, owner_id="me"),
            "heartbeat",
        ),
        (
            "GetOrExtendReservation",
            messages.GetOrExtendReservationRequest(
                reservation_id=RESERVATION, owner_id="me", heartbeat_interval={"seconds": -1}
            ),
            "heartbeat",
        ),
        (
            "GetOrExtendReservation",
            messages.GetOrExtendReservationRequest(reservation_id=RESERVATION, heartbeat_interval={"seconds": 1}),
            "owner",
        ),
        ("ReleaseReservation", messages.ReleaseReservationRequest(reservation_id=RESERVATION), "owner"),
        ("ReleaseReservation", messages.ReleaseReservationRequest(owner_id="me"), "project"),
    ],
)
async def test_what_is_wrong_is_named(catalog, method, request_message, told):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await getattr(catalog, method)(request_message)
    assert (refused.value.code(), told in refused.value.details()) == (WRONG, True), refused.value.details()


async def test_partitions(catalog):
    await create_dataset(catalog, "day", "region")
    for wrong in ((), [("day", "1")], [("day", "1"), ("area", "eu")], [("day", "1"), ("day", "2")]):
        assert await code(create_artifact(catalog, "a", wrong)) == WRONG
    await create_artifact(catalog, "a", [("day", "1"), ("region", "eu")])
    await create_artifact(catalog, "b", [("day", "2"), ("region", "eu")])
    found = (await get(catalog, artifact_id="a")).artifact
    assert [(one.key, one.value) for one in found.partitions] == [("day", "1"), ("region", "eu")]

    async def listed(*pairs):
        filters = [{"partition_filter": {"key_val": {"key": key, "value": value}}} for key, value in pairs]
        request = messages.ListArtifactsRequest(dataset=DATASET, filter={"filters": filters})
        return [one.id for one in (await catalog.ListArtifacts(request)).artifacts]

    assert await listed(("region", "eu")) == ["b", "a"]
    assert await listed(("region", "eu"), ("day", "1")) == ["a"]


async def test_artifacts_are_listed_page_by_page(catalog):
    await create_dataset(catalog)
    for name in "abc":
        await create_artifact(catalog, name)
    await add_tag(catalog, "good", "b")

    async def listed(*filters, token="", limit=2, order="DESCENDING"):
        request = messages.ListArtifactsRequest(
            dataset=DATASET,
            filter={"filters": filters},
            pagination={"limit": limit, "token": token, "sortOrder": order},
        )
        answer = await catalog.ListArtifacts(request)
        return [one.id for one in answer.artifacts], answer.next_token

    first, token = await listed()
    rest, end = await listed(token=token)
    assert (first, rest, end) == (["c", "b"], ["a"], "")
    assert (await listed(token="1"))[0] == ["b", "a"]
    assert (await listed(limit=0, order="ASCENDING"))[0] == ["a", "b", "c"]
    assert (await listed({"tag_filter": {"tag_name": "good"}}))[0] == ["b"]
    assert (await listed({"artifact_filter": {"artifact_id": "c"}}))[0] == ["c"]
    for wrong in (
        {"dataset_filter": {"name": "x"}},
        {"tag_filter": {"tag_name": ""}},
        {"tag_filter": {}},
        {},
        {"tag_filter": {"tag_name": "good"}, "operator": 9},
        {"partition_filter": {"key_val": {"key": "day"}}},
    ):
        assert await code(listed(wrong)) == WRONG
    assert await code(listed(token="x")) == WRONG
    assert await code(listed(order=7)) == WRONG


async def test_datasets_are_listed(catalog):
    for name in ("one", "two", "three"):
        await create_dataset(catalog, name=name)

    async def listed(*filters, **pagination):
        request = messages.ListDatasetsRequest(filter={"filters": filters}, pagination=pagination)
        answer = await catalog.ListDatasets(request)
        return [one.id.name for one in answer.datasets], answer.next_token

    assert await listed() == (["three", "two", "one"], "")
    first, token = await listed(limit=2, sortOrder="ASCENDING")
    assert (first, await listed(limit=2, sortOrder="ASCENDING", token=token)) == (["one", "two"], (["three"], ""))
    assert await listed({"dataset_filter": {"name": "two"}}, {"dataset_filter": {"project": "flytesnacks"}}) == (
        ["two"],
        "",
    )
    for wrong in ({"tag_filter": {"tag_name": "t"}}, {"dataset_filter": {"org": "acme"}}, {"dataset_filter": {}}):
        assert await code(listed(wrong)) == WRONG
    assert await code(listed(sortKey=5)) == WRONG


async def test_reservations(catalog):
    mine = (await reserve(catalog, "me", 60)).reservation
    assert (mine.owner_id, mine.heartbeat_interval.seconds, mine.reservation_id.tag_name) == ("me", 10, "t")
    theirs = (await reserve(catalog, "they", 0.5)).reservation
    assert (theirs.owner_id, theirs.expires_at) == ("me", mine.expires_at)
    again = (await reserve(catalog, "me")).reservation
    assert again.expires_at.ToNanoseconds() >= mine.expires_at.ToNanoseconds()
    for owner in ("they", "they", "me"):  # as in Flyte it is no error to release what one does not hold
        assert (await reserve(catalog, "they")).reservation.owner_id == "me"
        await catalog.ReleaseReservation(messages.ReleaseReservationRequest(reservation_id=RESERVATION, owner_id=owner))
    assert (await reserve(catalog, "they")).reservation.owner_id == "they"


async def test_it_is_reflected(served):
    async with grpc.aio.insecure_channel(served.address) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        ask = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in stub.ServerReflectionInfo(iter([ask])):
            names = {one.name for one in answer.list_services_response.service}
            break
    assert "datacatalog.DataCatalog" in names
