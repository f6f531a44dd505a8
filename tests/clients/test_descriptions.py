"""Description entities: what flytekit registers with tasks and workflows, read back by stubs and REST."""

from __future__ import annotations

import grpc
import httpx
import pytest
from calling import HERE, code, named
from flyteidl.admin import common_pb2, description_entity_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2
from flytekit import Documentation, task, workflow
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.models.documentation import Description, SourceCode
from flytekit.tools.translator import get_serializable
from serving import serving

from dayfly import client

MISSING, WRONG = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT


@task(
    docs=Documentation(
        short_description="Adds one.",
        long_description=Description(value="# Adds one\nNo more, no less."),
        source_code=SourceCode(link="https://example.org/adding.py"),
    )
)
def described(x: int) -> int:
    return x + 1


@task
def plain(x: int) -> int:
    return x


@workflow
def documented(x: int) -> int:
    """Adds one in a workflow.

    With a longer story.
    """
    return plain(x=described(x=x))


@pytest.fixture
async def served(tmp_path):
    async with serving(tmp_path) as running, client.open(running.address) as calls:
        for version in ("v1", "v2"):
            await register(calls.admin, version)
        yield running


@pytest.fixture
async def admin(served):
    async with client.open(served.address) as calls:
        yield calls.admin


async def register(admin, version):
    settings = SerializationSettings(image_config=ImageConfig.auto_default_image(), version=version, **HERE)
    made = {}
    get_serializable(made, settings, documented)
    for spec in made.values():
        message = spec.to_flyte_idl()
        if isinstance(message, task_pb2.TaskSpec):
            await admin.CreateTask(task_pb2.TaskCreateRequest(id=message.template.id, spec=message))
    message = made[documented].to_flyte_idl()
    await admin.CreateWorkflow(workflow_pb2.WorkflowCreateRequest(id=message.template.id, spec=message))


TASK = named(identifier_pb2.TASK, described.name)
WORKFLOW = named(identifier_pb2.WORKFLOW, documented.name)


def get(admin, identifier):
    return admin.GetDescriptionEntity(common_pb2.ObjectGetRequest(id=identifier))


def ask(admin, kind=identifier_pb2.TASK, name="", **changes):
    request = {"resource_type": kind, "id": {**HERE, "name": name}, "limit": 10, **changes}
    return admin.ListDescriptionEntities(description_entity_pb2.DescriptionEntityListRequest(**request))


async def test_what_was_written_is_read(admin):
    found = await get(admin, TASK)
    assert (found.id, found.short_description) == (TASK, "Adds one.")
    assert found.long_description.value == "# Adds one\nNo more, no less."
    assert found.source_code.link == "https://example.org/adding.py"
    found = await get(admin, WORKFLOW)
    assert (found.id, found.short_description) == (WORKFLOW, "Adds one in a workflow.")
    assert "longer story" in found.long_description.value


async def test_lists_of_versions_have_the_short_one(admin):
    request = common_pb2.ResourceListRequest(id={**HERE, "name": TASK.name}, limit=1)
    assert (await admin.ListTasks(request)).tasks[0].short_description == "Adds one."
    request.id.name = WORKFLOW.name
    assert (await admin.ListWorkflows(request)).workflows[0].short_description == "Adds one in a workflow."


async def test_flytekit_sends_one_also_where_nothing_was_written(admin):
    found = await get(admin, named(identifier_pb2.TASK, plain.name))
    assert (found.short_description, found.long_description.value, found.id.name) == ("", "", plain.name)


async def test_what_has_none(admin):
    bare = {"type": "echo", "metadata": {"runtime": {"type": 1, "version": "1"}}, "interface": {}}
    identifier = named(identifier_pb2.TASK, "bare")
    await admin.CreateTask(task_pb2.TaskCreateRequest(id=identifier, spec={"template": bare}))
    for unknown in (
        identifier,
        named(identifier_pb2.TASK, described.name, "v3"),
        named(identifier_pb2.LAUNCH_PLAN, documented.name),
    ):
        assert await code(get(admin, unknown)) == MISSING
    assert await code(get(admin, named(identifier_pb2.DATASET, "x"))) == WRONG
    assert await code(get(admin, named(identifier_pb2.TASK, ""))) == WRONG
    assert not (await ask(admin, identifier_pb2.LAUNCH_PLAN)).descriptionEntities


async def test_lists_are_filtered_sorted_and_paged(admin):
    first = await ask(admin, name=TASK.name, limit=1)
    rest = await ask(admin, name=TASK.name, limit=1, token=first.token)
    assert [one.descriptionEntities[0].id.version for one in (first, rest)] == ["v2", "v1"]
    assert not (await ask(admin, name=TASK.name, limit=1, token=rest.token)).descriptionEntities
    only = await ask(admin, filters="eq(version,v1)+contains(task.short_description,Adds)")
    assert [one.id for one in only.descriptionEntities] == [TASK]
    sort = {"key": "version", "direction": common_pb2.Sort.ASCENDING}
    ascending = await ask(admin, identifier_pb2.WORKFLOW, sort_by=sort)
    assert [one.id.version for one in ascending.descriptionEntities] == ["v1", "v2"]
    for wrong in (
        {"limit": 0},
        {"kind": identifier_pb2.UNSPECIFIED},
        {"id": {"project": "flytesnacks"}},
        {"token": "x"},
        {"filters": "eq(workflow.name,x)"},
        {"sort_by": {"key": "digest"}},
    ):
        assert await code(ask(admin, **wrong)) == WRONG


async def test_rest(served):
    async with httpx.AsyncClient(base_url=f"{served.url}/api/v1/description_entities") as http:
        found = (await http.get(f"/TASK/flytesnacks/development/{TASK.name}/v1")).json()
        assert (found["shortDescription"], found["id"]["version"]) == ("Adds one.", "v1")
        listed = (await http.get("/WORKFLOW/flytesnacks/development", params={"limit": 1})).json()
        assert [one["id"]["name"] for one in listed["descriptionEntities"]] == [WORKFLOW.name]
        assert (await http.get(f"/TASK/flytesnacks/development/{plain.name}/v3")).status_code == 404
