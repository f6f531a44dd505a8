"""What every `Catalog` does."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from dayfly.base import errors
from dayfly.base.clock import SECOND, ManualClock
from dayfly.model.caching import CacheKey, Source
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.ports.catalog import (
    Artifact,
    Dataset,
    DatasetId,
    Evicted,
    Selection,
)
from dayfly.ports.definitions import Filter, Page
from dayfly.stores import catalog_artifacts, catalog_upkeep, database
from tests.contract.databases import Place
from tests.contract.stored import at, execution

SIGNED = "1-aaaaaaaa-bbbbbbbb"
KEY = CacheKey("p", "d", "flyte_task-fit", SIGNED, "flyte_cached-x")
DATASET = DatasetId("p", "d", "flyte_task-fit", SIGNED)
NEWEST = Page(limit=10, sort_key="")


def key(**changes: str) -> CacheKey:
    return msgspec.structs.replace(KEY, **changes)


def source(run: str = "one", *, version: str = "v1", attempt: int = 0) -> Source:
    return Source(version, execution(run), NodeId("n0"), attempt)


async def keep(opened: database.Database, *keys: CacheKey, run: str = "one", seconds: float = 0) -> None:
    for one in keys:
        await opened.catalog.put(one, b"outputs", source(run), at(seconds))


def artifact(name: str = "a", seconds: float = 0, **partitions: str) -> Artifact:
    return Artifact(DATASET, name, b"data", at(seconds), {"some": "metadata"}, partitions)


async def create(opened: database.Database, *names: str, partition_keys: tuple[str, ...] = ()) -> None:
    await opened.catalog.create_dataset(Dataset(DATASET, at(0), {"of": "dataset"}, partition_keys))
    for seconds, name in enumerate(names):
        await opened.catalog.create_artifact(artifact(name, seconds))


# -- the engine's side ------------------------------------------------------------------------------------------------
async def test_what_is_put_is_found(opened: database.Database) -> None:
    assert await opened.catalog.find(KEY) is None
    put = await opened.catalog.put(KEY, b"outputs", source(attempt=2), at(5))
    assert (put.key, put.outputs, put.source, put.made_at) == (KEY, b"outputs", source(attempt=2), at(5))
    assert await opened.catalog.find(KEY) == put
    for other in (key(project="q"), key(domain="e"), key(name="f"), key(version="2"), key(tag="y")):
        assert await opened.catalog.find(other) is None


async def test_the_first_to_put_stays(opened: database.Database) -> None:
    first = await opened.catalog.put(KEY, b"first", source("one"), at(1))
    assert await opened.catalog.put(KEY, b"first", source("one"), at(2)) == first
    assert await opened.catalog.put(KEY, b"second", source("two"), at(3)) == first
    assert len(await opened.catalog.list_entries(Selection(), NEWEST)) == 1


async def test_of_many_who_put_at_once_one_stays(opened: database.Database) -> None:
    runs = [f"run{number}" for number in range(8)]
    puts = [opened.catalog.put(KEY, run.encode(), source(run), at(1)) for run in runs]
    entries = await asyncio.gather(*puts)
    assert {entry.outputs for entry in entries} == {entries[0].outputs}
    kept = await opened.catalog.list_entries(Selection(), NEWEST)
    assert [one.artifact_id for one in kept] == [entries[0].artifact_id]


async def test_an_entry_may_be_too_old(opened: database.Database) -> None:
    await keep(opened, KEY, seconds=5)
    assert await opened.catalog.find(KEY, since=at(5)) is not None
    assert await opened.catalog.find(KEY, since=at(5.1)) is None
    await opened.catalog.overwrite(KEY, b"new", source("two"), at(6))
    assert await opened.catalog.find(KEY, since=at(5.1)) is not None


async def test_overwriting(opened: database.Database) -> None:
    first = await opened.catalog.overwrite(KEY, b"first", source("one"), at(1))
    assert await opened.catalog.find(KEY) == first
    second = await opened.catalog.overwrite(KEY, b"second", source("two", version="v2"), at(2))
    assert (second.artifact_id, second.outputs, second.made_at) == (first.artifact_id, b"second", at(2))
    assert await opened.catalog.find(KEY) == second
    assert second.source == source("two", version="v2")
    assert await opened.catalog.overwrite(KEY, b"second", source("two", version="v2"), at(2)) == second


async def test_entries_are_artifacts_with_a_tag(opened: database.Database) -> None:
    put = await opened.catalog.put(KEY, b"outputs", source(), at(5))
    found = await opened.catalog.find_tagged(DATASET, KEY.tag)
    assert found is not None
    assert (found.id, found.data, found.tags, found.created_at) == (put.artifact_id, b"outputs", (KEY.tag,), at(5))
    assert found.metadata["execution-name"] == "one"
    dataset = await opened.catalog.find_dataset(DATASET)
    assert dataset == Dataset(DATASET, at(5), {"task-version": "v1"})


async def test_artifacts_with_a_tag_are_entries(opened: database.Database) -> None:
    await opened.catalog.create_dataset(Dataset(DATASET, at(0), {"task-version": "v3"}))
    metadata = {"execution-name": "wf", "exec-node": "n1", "exec-attempt": "1"}
    await opened.catalog.create_artifact(msgspec.structs.replace(artifact(), metadata=metadata))
    assert await opened.catalog.find(KEY) is None
    await opened.catalog.add_tag(DATASET, KEY.tag, "a")
    found = await opened.catalog.find(KEY)
    assert found is not None
    assert found.source == Source("v3", ExecutionId("p", "d", "wf"), NodeId("n1"), 1)


# -- reservations -----------------------------------------------------------------------------------------------------
async def test_the_first_to_reserve_holds(opened: database.Database) -> None:
    mine = await opened.catalog.reserve(KEY, "me", 10)
    assert (mine.owner, mine.heartbeat_seconds) == ("me", 10)
    theirs = await opened.catalog.reserve(KEY, "they", 5)
    assert (theirs.owner, theirs.expires_at) == ("me", mine.expires_at)
    assert (await opened.catalog.reserve(key(tag="y"), "they", 5)).owner == "they"


async def test_of_many_who_reserve_at_once_one_holds(opened: database.Database) -> None:
    owners = [f"owner{number}" for number in range(8)]
    held = await asyncio.gather(*(opened.catalog.reserve(KEY, owner, 10) for owner in owners))
    assert {one.owner for one in held} == {held[0].owner}


async def test_reservations_expire_and_are_extended(
    opened: database.Database, clock: ManualClock, place: Place
) -> None:
    await opened.catalog.reserve(KEY, "me", 10)
    place.pass_seconds(clock, 20)
    assert (await opened.catalog.reserve(KEY, "me", 10)).owner == "me"
    place.pass_seconds(clock, 25)  # 45 s after the first, which would have expired
    assert (await opened.catalog.reserve(KEY, "they", 10)).owner == "me"
    place.pass_seconds(clock, 6)
    assert (await opened.catalog.reserve(KEY, "they", 10)).owner == "they"
    assert (await opened.catalog.reserve(KEY, "me", 10)).owner == "they"


async def test_no_heartbeat_is_longer_than_the_longest(opened: database.Database) -> None:
    short = await opened.catalog.reserve(KEY, "me", 1)
    long = await opened.catalog.reserve(key(tag="y"), "me", 3600)
    assert (short.heartbeat_seconds, long.heartbeat_seconds) == (1, 10)
    assert long.expires_at - short.expires_at <= 40 * SECOND


async def test_only_the_owner_releases(opened: database.Database) -> None:
    assert not await opened.catalog.release(KEY, "me")
    await opened.catalog.reserve(KEY, "me", 10)
    assert not await opened.catalog.release(KEY, "they")
    assert (await opened.catalog.reserve(KEY, "they", 10)).owner == "me"
    assert await opened.catalog.release(KEY, "me")
    assert (await opened.catalog.reserve(KEY, "they", 10)).owner == "they"


# -- DataCatalog's side -----------------------------------------------------------------------------------------------
async def test_datasets_are_made_once(opened: database.Database) -> None:
    assert await opened.catalog.find_dataset(DATASET) is None
    await create(opened, partition_keys=("day",))
    assert await opened.catalog.find_dataset(DATASET) == Dataset(DATASET, at(0), {"of": "dataset"}, ("day",))
    with pytest.raises(errors.AlreadyExists, match="p:d:flyte_task-fit"):
        await create(opened)


async def test_datasets_are_listed(opened: database.Database) -> None:
    for number, name in enumerate(("b", "c", "a")):
        await opened.catalog.create_dataset(Dataset(DatasetId("p", "d", name, "1"), at(number)))
    names = [one.id.name for one in await opened.catalog.list_datasets(NEWEST)]
    assert names == ["a", "c", "b"]
    oldest = Page(limit=2, sort_key="created_at", descending=False)
    first = await opened.catalog.list_datasets(oldest)
    rest = await opened.catalog.list_datasets(msgspec.structs.replace(oldest, position=first.position))
    assert [[one.id.name for one in page] for page in (first, rest)] == [["b", "c"], ["a"]]
    chosen = Page(limit=9, filters=(Filter("name", "eq", ("c",)), Filter("project", "eq", ("p",))))
    assert [one.id.name for one in await opened.catalog.list_datasets(chosen)] == ["c"]
    with pytest.raises(errors.InvalidArgument, match="no_such"):
        await opened.catalog.list_datasets(Page(limit=1, filters=(Filter("no_such", "eq", ("a",)),)))


async def test_artifacts_belong_to_their_dataset(opened: database.Database) -> None:
    with pytest.raises(errors.NotFound, match="dataset p:d"):
        await opened.catalog.create_artifact(artifact())
    await create(opened, "a")
    assert await opened.catalog.find_artifact(DATASET, "a") == artifact()
    assert await opened.catalog.find_artifact(DATASET, "b") is None
    assert await opened.catalog.find_artifact(DatasetId("p", "d", "other", "1"), "a") is None
    with pytest.raises(errors.AlreadyExists, match="artifact a"):
        await opened.catalog.create_artifact(artifact())


async def test_artifacts_have_the_partitions_of_their_dataset(opened: database.Database) -> None:
    await create(opened, partition_keys=("day", "region"))
    for wrong in ({}, {"day": "1"}, {"day": "1", "region": "eu", "more": "x"}, {"day": "1", "area": "eu"}):
        with pytest.raises(errors.InvalidArgument, match="day, region"):
            await opened.catalog.create_artifact(artifact(**wrong))
    await opened.catalog.create_artifact(artifact("a", 0, day="1", region="eu"))
    await opened.catalog.create_artifact(artifact("b", 1, day="2", region="eu"))
    found = await opened.catalog.find_artifact(DATASET, "a")
    assert found is not None
    assert found.partitions == {"day": "1", "region": "eu"}
    for wanted, names in (
        ([("region", "eu")], ["b", "a"]),
        ([("region", "eu"), ("day", "2")], ["b"]),
        ([("day", "eu")], []),
    ):
        found_all = await opened.catalog.list_artifacts(DATASET, NEWEST, partitions=wanted)
        assert [one.id for one in found_all] == names


async def test_artifacts_are_listed(opened: database.Database) -> None:
    with pytest.raises(errors.NotFound):
        await opened.catalog.list_artifacts(DATASET, NEWEST)
    await create(opened, "a", "b", "c")
    await opened.catalog.add_tag(DATASET, "good", "b")
    await opened.catalog.add_tag(DATASET, "best", "b")
    listed = await opened.catalog.list_artifacts(DATASET, NEWEST)
    assert [(one.id, one.tags) for one in listed] == [("c", ()), ("b", ("good", "best")), ("a", ())]
    assert [one.id for one in await opened.catalog.list_artifacts(DATASET, NEWEST, tags=["good", "best"])] == ["b"]
    assert await opened.catalog.list_artifacts(DATASET, NEWEST, tags=["good", "bad"]) == []
    named = Page(limit=9, filters=(Filter("artifact_id", "eq", ("a",)),), sort_key="created_at")
    assert [one.id for one in await opened.catalog.list_artifacts(DATASET, named)] == ["a"]


async def test_more_artifacts_than_a_statement_can_name(opened: database.Database) -> None:
    await create(opened, *(f"a{number}" for number in range(510)))
    await opened.catalog.add_tag(DATASET, "first", "a0")
    listed = await opened.catalog.list_artifacts(DATASET, Page(limit=1000, sort_key=""))
    assert (len(listed), listed[-1].tags) == (510, ("first",))
    assert await opened.catalog.evict(Selection()) == Evicted(510, 510 * len(b"data"))


async def test_tags_stay_with_their_artifact(opened: database.Database) -> None:
    with pytest.raises(errors.NotFound, match="dataset"):
        await opened.catalog.add_tag(DATASET, "good", "a")
    await create(opened, "a", "b")
    with pytest.raises(errors.NotFound, match="artifact c"):
        await opened.catalog.add_tag(DATASET, "good", "c")
    await opened.catalog.add_tag(DATASET, "good", "a")
    for name in ("a", "b"):
        with pytest.raises(errors.AlreadyExists, match="good"):
            await opened.catalog.add_tag(DATASET, "good", name)
    found = await opened.catalog.find_tagged(DATASET, "good")
    assert found is not None
    assert found.id == "a"
    assert await opened.catalog.find_tagged(DATASET, "bad") is None


@pytest.mark.parametrize("named", [{"artifact_id": "a", "tag": ""}, {"artifact_id": "", "tag": "good"}])
async def test_artifacts_are_updated(opened: database.Database, named: dict[str, str]) -> None:
    await create(opened, "a", "b")
    await opened.catalog.add_tag(DATASET, "good", "a")
    assert await opened.catalog.update_artifact(DATASET, b"new", {}, at(9), **named) == "a"
    found = await opened.catalog.find_artifact(DATASET, "a")
    assert found is not None
    assert (found.data, found.metadata, found.created_at) == (b"new", {"some": "metadata"}, at(0))
    await opened.catalog.update_artifact(DATASET, b"", {"other": "metadata"}, at(9), **named)
    found = await opened.catalog.find_artifact(DATASET, "a")
    assert found is not None
    assert (found.data, found.metadata, found.tags) == (b"", {"other": "metadata"}, ("good",))
    other = await opened.catalog.find_artifact(DATASET, "b")
    assert other is not None
    assert other.data == b"data"


@pytest.mark.parametrize("named", [{"artifact_id": "x", "tag": ""}, {"artifact_id": "", "tag": "x"}])
async def test_only_what_is_there_is_updated(opened: database.Database, named: dict[str, str]) -> None:
    await create(opened, "a")
    with pytest.raises(errors.NotFound, match="x does not exist"):
        await opened.catalog.update_artifact(DATASET, b"new", {}, at(9), **named)


# -- looking after it -------------------------------------------------------------------------------------------------
PREDICT = key(name="flyte_task-predict", tag="y")
SECOND_VERSION = key(version="2-cccccccc-dddddddd")
LIKE = key(version="1_-aaaaaaaa-bbbbbbbb")
ELSEWHERE = key(project="q", domain="e")


async def fill(opened: database.Database) -> None:
    await keep(opened, KEY, PREDICT, seconds=1)
    await keep(opened, SECOND_VERSION, run="two", seconds=2)
    await keep(opened, ELSEWHERE, LIKE, run="three", seconds=3)


SELECTIONS = [
    (Selection(), [KEY, PREDICT, SECOND_VERSION, ELSEWHERE, LIKE]),
    (Selection(task="fit"), [KEY, SECOND_VERSION, ELSEWHERE, LIKE]),
    (Selection(task="it"), []),
    (Selection(task="fit", project="p", domain="d"), [KEY, SECOND_VERSION, LIKE]),
    (Selection(cache_version="1"), [KEY, PREDICT, ELSEWHERE]),
    (Selection(cache_version="1_"), [LIKE]),
    (Selection(cache_version="%"), []),
    (Selection(cache_version=KEY.version), [KEY, PREDICT, ELSEWHERE]),
    (Selection(execution=execution("two")), [SECOND_VERSION]),
    (Selection(before=at(2)), [KEY, PREDICT]),
    (Selection(before=at(2), task="predict"), [PREDICT]),
    (Selection(artifact="nothing has this id"), []),
]


@pytest.mark.parametrize(("selection", "chosen"), SELECTIONS)
async def test_entries_are_chosen_and_evicted(
    opened: database.Database, selection: Selection, chosen: list[CacheKey]
) -> None:
    await fill(opened)
    listed = await opened.catalog.list_entries(selection, NEWEST)
    found = {CacheKey(*msgspec.structs.astuple(one.dataset), one.tags[0]) for one in listed}
    assert found == set(chosen)
    usage = await opened.catalog.list_usage(selection)
    assert sum(one.entries for one in usage) == len(chosen)
    assert await opened.catalog.evict(selection) == Evicted(len(chosen), len(chosen) * len(b"outputs"))
    for one in SELECTIONS[0][1]:
        assert (await opened.catalog.find(one) is None) == (one in chosen)
    assert await opened.catalog.evict(selection) == Evicted(0, 0)


async def test_entries_are_listed_newest_first(opened: database.Database) -> None:
    await fill(opened)
    await opened.catalog.overwrite(KEY, b"longer outputs", source("four"), at(9))
    listed = await opened.catalog.list_entries(Selection(project="p"), NEWEST)
    assert [one.made_at for one in listed] == [at(9), at(3), at(2), at(1)]
    first = listed[0]
    assert (first.dataset, first.source, first.tags) == (DATASET, source("four"), (KEY.tag,))
    assert first.size_bytes == len(b"longer outputs")
    page = Page(limit=3, sort_key="size_bytes", descending=True)
    largest = await opened.catalog.list_entries(Selection(), page)
    assert largest[0].artifact_id == first.artifact_id
    rest = await opened.catalog.list_entries(Selection(), msgspec.structs.replace(page, position=largest.position))
    assert len({one.artifact_id for one in (*largest, *rest)}) == 5


async def test_what_tasks_take(opened: database.Database) -> None:
    await fill(opened)
    fit, predict, elsewhere = await opened.catalog.list_usage(Selection())
    assert (fit.project, fit.domain, fit.task) == ("p", "d", "fit")
    assert (fit.entries, fit.size_bytes, fit.oldest, fit.newest) == (3, 3 * len(b"outputs"), at(1), at(3))
    assert [(one.project, one.task, one.entries) for one in (predict, elsewhere)] == [
        ("p", "predict", 1),
        ("q", "fit", 1),
    ]


async def test_one_is_evicted_by_its_id(opened: database.Database) -> None:
    await fill(opened)
    one, *others = await opened.catalog.list_entries(Selection(), NEWEST)
    assert (await opened.catalog.evict(Selection(artifact=one.artifact_id))).entries == 1
    assert list(await opened.catalog.list_entries(Selection(), NEWEST)) == others


async def test_many_are_evicted_in_several_commits(opened: database.Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_artifacts, "PER_STATEMENT", 2)
    await fill(opened)
    assert await opened.catalog.evict(Selection(task="fit")) == Evicted(4, 4 * len(b"outputs"))
    assert [one.dataset.name for one in await opened.catalog.list_entries(Selection(), NEWEST)] == [PREDICT.name]


async def test_what_is_overwritten_while_others_are_evicted_stays(
    opened: database.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(opened)
    choose = catalog_upkeep.choose
    # As it was chosen a moment ago, before the newer ones were made.
    monkeypatch.setattr(catalog_upkeep, "choose", lambda connection, _: choose(connection, Selection()))
    assert (await opened.catalog.evict(Selection(before=at(2)))).entries == 2
    assert len(await opened.catalog.list_entries(Selection(), NEWEST)) == 3


async def test_what_is_evicted_can_be_put_again(opened: database.Database) -> None:
    await keep(opened, KEY, seconds=1)
    await opened.catalog.evict(Selection())
    await keep(opened, KEY, seconds=2)
    found = await opened.catalog.find(KEY)
    assert found is not None
    assert found.made_at == at(2)
