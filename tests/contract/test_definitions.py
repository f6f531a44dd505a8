"""What every `Definitions` does."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.base.clock import ManualClock
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Definitions, Filter, NamedEntity, Page, Project
from dayfly.stores import database
from tests.contract import stored
from tests.contract.stored import at

TASK, WORKFLOW, LAUNCH_PLAN = (
    int(kind) for kind in (identifier_pb2.TASK, identifier_pb2.WORKFLOW, identifier_pb2.LAUNCH_PLAN)
)
ALL = Page(limit=100)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(at(0))


@pytest.fixture
def definitions(opened: database.Database) -> Definitions:
    return opened.definitions


def entity(kind: int, name: str = "f", version: str = "v1", *, project: str = "p", domain: str = "d") -> EntityId:
    return EntityId(kind, project, domain, name, version)


def task(name: str = "f", version: str = "v1", *, seconds: float = 0, **fields) -> Definition:
    fields.setdefault("task_type", "python-task")
    return Definition(entity(TASK, name, version), "digest", b"document", at(seconds), at(seconds), **fields)


def workflow(name: str = "w", version: str = "v1") -> Definition:
    identifier = entity(WORKFLOW, name, version)
    return Definition(identifier, "digest", b"document", at(0), at(0), "short", plan=stored.make_plan())


def launch_plan(name: str = "l", version: str = "v1", *, seconds: float = 0) -> Definition:
    identifier = entity(LAUNCH_PLAN, name, version)
    return Definition(identifier, "digest", b"document", at(seconds), at(seconds), workflow=entity(WORKFLOW, "w"))


def where(*filters: tuple[str, ...], **page) -> Page:
    return Page(
        **{"limit": 100, **page}, filters=tuple(Filter(f, function, values) for function, f, *values in filters)
    )


# -- projects ---------------------------------------------------------------------------------------------------------
async def test_projects_are_kept(definitions: Definitions):
    project = Project("p", "A name", "what for", {"team": "red"}, 0)
    assert await definitions.find_project("p") is None
    await definitions.create_project(project)
    assert await definitions.find_project("p") == project

    with pytest.raises(errors.AlreadyExists, match="project p"):
        await definitions.create_project(Project("p", "another"))
    archived = Project("p", "New name", state=1)
    await definitions.update_project(archived)
    assert await definitions.find_project("p") == archived
    with pytest.raises(errors.NotFound, match="project q"):
        await definitions.update_project(Project("q", "unknown"))


async def test_projects_are_listed(definitions: Definitions):
    for name, state, labels in (("b", 0, {"team": "red"}), ("a", 1, {}), ("c", 0, {})):
        await definitions.create_project(Project(name, f"{name}-name", labels=labels, state=state))

    async def listed(*filters: tuple[str, ...], **page) -> str:
        return "".join(one.id for one in await definitions.list_projects(where(*filters, **page)))

    assert await listed(sort_key="", limit=0) == "abc"
    assert await listed(sort_key="identifier", descending=True) == "cba"
    assert await listed(sort_key="identifier", descending=True, limit=1, offset=1) == "b"
    assert await listed(("eq", "state", "0"), sort_key="") == "bc"
    assert await listed(("contains", "labels", "team"), sort_key="") == "b"
    assert await listed(("eq", "identifier", "a")) == "a"
    assert await listed(("eq", "name", "c-name")) == "c"
    with pytest.raises(errors.InvalidArgument):
        await listed(("eq", "colour", "red"))
    with pytest.raises(errors.InvalidArgument):
        await listed(sort_key="colour")


# -- versions ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("definition", [task(), workflow(), launch_plan()], ids=["task", "workflow", "launch plan"])
async def test_a_version_is_kept_as_it_was_first_registered(definitions: Definitions, definition: Definition):
    assert await definitions.find(definition.id) is None
    assert await definitions.create(definition) is None
    assert await definitions.find(definition.id) == definition

    other = msgspec.structs.replace(definition, digest="other", document=b"other")
    assert await definitions.create(other) == definition
    assert await definitions.find(definition.id) == definition


async def test_many_are_found_in_one_go(definitions: Definitions):
    known = [task(f"f{number}") for number in range(500)] + [workflow(), launch_plan()]
    for definition in known[-5:]:
        await definitions.create(definition)

    found = await definitions.find_many([one.id for one in known])
    assert found == {one.id: one for one in known[-5:]}
    assert await definitions.find_many([]) == {}


async def test_other_kinds_are_refused(definitions: Definitions):
    with pytest.raises(errors.InvalidArgument, match="resource type"):
        await definitions.find(entity(0))


async def test_versions_are_listed_newest_first(definitions: Definitions):
    for name, version, seconds in (("f", "v1", 1), ("f", "v2", 2), ("g", "v1", 3)):
        await definitions.create(task(name, version, seconds=seconds, task_type="dask" if name == "g" else "x"))

    async def listed(name: str, *filters: tuple[str, ...], **page) -> list[str]:
        found = await definitions.list_versions(TASK, "p", "d", name, where(*filters, **page))
        return [one.id.name + one.id.version for one in found]

    assert await listed("") == ["gv1", "fv2", "fv1"]
    assert await listed("f") == ["fv2", "fv1"]
    assert await listed("f", limit=1, offset=1, sort_key="") == ["fv1"]
    assert await listed("", sort_key="version", descending=False) == ["fv1", "gv1", "fv2"]
    assert await listed("", ("eq", "type", "dask")) == ["gv1"]
    assert await listed("", ("eq", "task.version", "v2")) == ["fv2"]
    assert await listed("", ("gt", "created_at", "2023-11-14T22:13:22Z")) == ["gv1"]
    assert await definitions.list_versions(TASK, "p", "staging", "", ALL) == []
    assert await definitions.list_versions(WORKFLOW, "p", "d", "", ALL) == []
    with pytest.raises(errors.InvalidArgument):
        await listed("", ("eq", "state", "1"))


async def test_listed_workflows_are_whole(definitions: Definitions):
    await definitions.create(workflow())
    assert await definitions.list_versions(WORKFLOW, "p", "d", "w", ALL) == [workflow()]
    assert await definitions.list_versions(WORKFLOW, "p", "d", "w", where(("eq", "short_description", "x"))) == []


# -- names ------------------------------------------------------------------------------------------------------------
async def test_names_stand_for_all_their_versions(definitions: Definitions):
    assert await definitions.find_name(TASK, "p", "d", "f") is None
    for version in ("v1", "v2"):
        await definitions.create(task("f", version))
    await definitions.create(task(".flytegen.f"))
    await definitions.create(workflow("f"))

    named = NamedEntity(TASK, "p", "d", "f")
    assert await definitions.find_name(TASK, "p", "d", "f") == named
    listed = await definitions.list_names(TASK, "p", "d", Page(100, sort_key=""))
    assert [one.name for one in listed] == [".flytegen.f", "f"]
    assert await definitions.list_names(TASK, "p", "d", where(("not_like", "name", ".flytegen%"), sort_key="name")) == [
        named
    ]


async def test_names_have_a_description_and_a_state(definitions: Definitions):
    await definitions.create(task())
    changed = NamedEntity(TASK, "p", "d", "f", "what it does", 1)
    await definitions.update_name(changed)
    await definitions.create(task("f", "v2"))

    assert await definitions.find_name(TASK, "p", "d", "f") == changed
    assert await definitions.list_names(TASK, "p", "d", where(("eq", "state", "1"), sort_key="name")) == [changed]
    by_entity = where(("ne", "named_entity_metadata.state", "1"), sort_key="name")
    assert await definitions.list_names(TASK, "p", "d", by_entity) == []
    with pytest.raises(errors.NotFound, match="workflow f"):
        await definitions.update_name(NamedEntity(WORKFLOW, "p", "d", "f"))


# -- launch plans -----------------------------------------------------------------------------------------------------
async def test_one_version_of_a_launch_plan_is_active(definitions: Definitions):
    one, two, other = launch_plan(), launch_plan(version="v2"), launch_plan("m")
    for definition in (one, two, other):
        await definitions.create(definition)
    assert await definitions.find_active_launch_plan("p", "d", "l") is None

    await definitions.set_launch_plan_state(one.id, 1, at(5))
    await definitions.set_launch_plan_state(one.id, 1, at(6))
    await definitions.set_launch_plan_state(other.id, 1, at(7))
    active = msgspec.structs.replace(one, state=1, updated_at=at(5))
    assert await definitions.find_active_launch_plan("p", "d", "l") == active

    await definitions.set_launch_plan_state(two.id, 1, at(8))
    assert (await definitions.find_active_launch_plan("p", "d", "l")).id == two.id
    assert await definitions.find(one.id) == msgspec.structs.replace(one, updated_at=at(8))
    actives = await definitions.list_active_launch_plans("p", "d", Page(100, sort_key="name", descending=False))
    assert [plan.id for plan in actives] == [two.id, other.id]

    await definitions.set_launch_plan_state(two.id, 0, at(9))
    assert await definitions.find_active_launch_plan("p", "d", "l") is None
    with pytest.raises(errors.NotFound, match="launch_plan p:d:l:v9"):
        await definitions.set_launch_plan_state(entity(LAUNCH_PLAN, "l", "v9"), 1, at(9))


async def test_launch_plans_are_filtered_by_state_and_workflow(definitions: Definitions):
    await definitions.create(launch_plan())
    await definitions.set_launch_plan_state(launch_plan().id, 1, at(5))

    for condition, count in (
        (("eq", "state", "1"), 1),
        (("eq", "state", "0"), 0),
        (("eq", "workflow.name", "w"), 1),
        (("eq", "workflow.version", "v2"), 0),
    ):
        assert len(await definitions.list_versions(LAUNCH_PLAN, "p", "d", "", where(condition))) == count
