"""Matchable attributes at every level: stored, read back, removed, and what they change."""

import grpc
import pytest
from calling import CHAIN, HERE, code, launch, register
from flyteidl.admin import (
    matchable_resource_pb2,
    project_attributes_pb2,
    project_domain_attributes_pb2,
    project_pb2,
    task_pb2,
    workflow_attributes_pb2,
)
from serving import serving

from dayfly import client

KINDS = matchable_resource_pb2.MatchableResource
MISSING, WRONG = grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT

EVERY_KIND = {
    KINDS.TASK_RESOURCE: {"task_resource_attributes": {"limits": {"cpu": "2"}}},
    KINDS.CLUSTER_RESOURCE: {"cluster_resource_attributes": {"attributes": {"quota": "10"}}},
    KINDS.EXECUTION_QUEUE: {"execution_queue_attributes": {"tags": ["fast"]}},
    KINDS.EXECUTION_CLUSTER_LABEL: {"execution_cluster_label": {"value": "blue"}},
    KINDS.QUALITY_OF_SERVICE_SPECIFICATION: {"quality_of_service": {"tier": 1}},
    KINDS.PLUGIN_OVERRIDE: {"plugin_overrides": {"overrides": [{"task_type": "dask", "plugin_id": ["dask"]}]}},
    KINDS.WORKFLOW_EXECUTION_CONFIG: {"workflow_execution_config": {"max_parallelism": 7}},
    KINDS.CLUSTER_ASSIGNMENT: {"cluster_assignment": {"cluster_pool_name": "gpu"}},
}

LEVELS = {
    "Project": (project_attributes_pb2, {"project": "flytesnacks"}),
    "ProjectDomain": (project_domain_attributes_pb2, HERE),
    "Workflow": (workflow_attributes_pb2, {**HERE, "workflow": CHAIN.name}),
}


@pytest.fixture
async def calls(tmp_path):
    async with serving(tmp_path) as served, client.open(served.address) as opened:
        yield opened


@pytest.fixture
def admin(calls):
    return calls.admin


def update(admin, level, told, **changes):
    module, place = LEVELS[level]
    attributes = {**place, "matching_attributes": told, **changes}
    request = getattr(module, f"{level}AttributesUpdateRequest")(attributes=attributes)
    return getattr(admin, f"Update{level}Attributes")(request)


def ask(admin, verb, level, kind, **changes):
    module, place = LEVELS[level]
    request = getattr(module, f"{level}Attributes{verb}Request")(resource_type=kind, **{**place, **changes})
    return getattr(admin, f"{verb}{level}Attributes")(request)


async def set_config(admin, level, **config):
    await update(admin, level, {"workflow_execution_config": config})


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", EVERY_KIND, ids=KINDS.Name)
async def test_every_kind_at_every_level(admin, level, kind):
    told = matchable_resource_pb2.MatchingAttributes(**EVERY_KIND[kind])
    assert await code(ask(admin, "Delete", level, kind)) == MISSING
    if (level, kind) != ("Project", KINDS.WORKFLOW_EXECUTION_CONFIG):
        assert await code(ask(admin, "Get", level, kind)) == MISSING
    await update(admin, level, told)
    assert (await ask(admin, "Get", level, kind)).attributes.matching_attributes == told
    listing = matchable_resource_pb2.ListMatchableAttributesRequest(resource_type=kind)
    listed = (await admin.ListMatchableAttributes(listing)).configurations
    place = LEVELS[level][1]
    wanted = [(told, place["project"], place.get("domain", ""), place.get("workflow", ""))]
    assert [(one.attributes, one.project, one.domain, one.workflow) for one in listed] == wanted
    await ask(admin, "Delete", level, kind)
    assert not (await admin.ListMatchableAttributes(listing)).configurations


async def test_reading_finds_the_most_special(admin):
    kind = KINDS.EXECUTION_QUEUE
    for level, tag in (("Project", "a"), ("ProjectDomain", "b"), ("Workflow", "c")):
        await update(admin, level, {"execution_queue_attributes": {"tags": [tag]}})
        found = (await ask(admin, "Get", "Workflow", kind)).attributes
        assert list(found.matching_attributes.execution_queue_attributes.tags) == [tag]
    assert found.workflow == CHAIN.name
    other = (await ask(admin, "Get", "Workflow", kind, workflow="other")).attributes
    assert (other.domain, other.workflow) == ("development", "")


async def test_plugin_overrides_are_joined_by_task_type(admin):
    for task_type, plugin in (("dask", "a"), ("spark", "b"), ("dask", "c")):
        one = {"task_type": task_type, "plugin_id": [plugin]}
        await update(admin, "Project", {"plugin_overrides": {"overrides": [one]}})
    found = (await ask(admin, "Get", "Project", KINDS.PLUGIN_OVERRIDE)).attributes.matching_attributes
    told = {one.task_type: list(one.plugin_id) for one in found.plugin_overrides.overrides}
    assert told == {"dask": ["c"], "spark": ["b"]}


async def test_a_projects_config_is_laid_over_the_servers(admin):
    kind = KINDS.WORKFLOW_EXECUTION_CONFIG
    await set_config(admin, "Project", labels={"values": {"team": "a"}})
    found = (await ask(admin, "Get", "Project", kind)).attributes.matching_attributes.workflow_execution_config
    assert (found.max_parallelism, dict(found.labels.values)) == (25, {"team": "a"})


@pytest.mark.parametrize(
    ("level", "told", "changes", "field"),
    [
        ("Project", {}, {}, "matching_attributes"),
        ("ProjectDomain", EVERY_KIND[0], {"domain": "nowhere"}, "domain"),
        ("Workflow", EVERY_KIND[0], {"workflow": ""}, "workflow"),
        ("Workflow", EVERY_KIND[0], {"project": "nobody"}, "project"),
        ("Project", {"task_resource_attributes": {"limits": {"memory": "much"}}}, {}, "limits.memory"),
        ("Project", {"workflow_execution_config": {"max_parallelism": -1}}, {}, "max_parallelism"),
        ("Project", {"workflow_execution_config": {"labels": {"values": {"a b": "c"}}}}, {}, "label"),
    ],
)
async def test_what_is_wrong_is_named(admin, level, told, changes, field):
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await update(admin, level, told, **changes)
    assert refused.value.code() == WRONG and field in refused.value.details()


async def test_kinds_that_do_not_exist(admin):
    for verb in ("Get", "Delete"):
        assert await code(ask(admin, verb, "Project", 99)) == WRONG
    request = matchable_resource_pb2.ListMatchableAttributesRequest(resource_type=99)
    assert await code(admin.ListMatchableAttributes(request)) == WRONG


async def test_configs_fill_in_what_nobody_said(calls, admin):
    await register(admin)
    project = project_pb2.Project(id="flytesnacks", labels={"values": {"cost": "7", "team": "p"}})
    await admin.UpdateProject(project)
    await set_config(admin, "Project", max_parallelism=3, annotations={"values": {"a": "project"}})
    await set_config(admin, "ProjectDomain", max_parallelism=4, labels={"values": {"team": "d"}})
    await set_config(admin, "Workflow", interruptible={"value": False}, envs={"values": [{"key": "K", "value": "v"}]})
    spec = (await calls.get_execution(await launch(admin))).spec
    assert spec.max_parallelism == 4 and dict(spec.labels.values) == {"team": "d", "cost": "7"}
    assert dict(spec.annotations.values) == {"a": "project"} and spec.envs.values[0].value == "v"
    assert spec.HasField("interruptible") and not spec.interruptible.value
    spec = (await calls.get_execution(await launch(admin, max_parallelism=9))).spec
    assert spec.max_parallelism == 9


async def test_another_cluster_pool_is_refused(calls, admin):
    await register(admin)
    asked = {"cluster_assignment": {"cluster_pool_name": "gpu"}}
    spec = (await calls.get_execution(await launch(admin, **asked))).spec
    assert spec.cluster_assignment.cluster_pool_name == "gpu"
    await update(admin, "ProjectDomain", {"cluster_assignment": {"cluster_pool_name": "cpu"}})
    assert await code(launch(admin, **asked)) == WRONG
    await launch(admin)


async def test_a_tasks_limits_are_the_projects(admin):
    await update(admin, "ProjectDomain", {"task_resource_attributes": {"limits": {"cpu": "2", "memory": "1Gi"}}})
    template = {
        "type": "python-task",
        "metadata": {"runtime": {"type": 1, "version": "1"}},
        "interface": {},
        "container": {"image": "python", "args": ["true"], "resources": {"requests": [{"name": 1, "value": "3"}]}},
    }
    identifier = {"resource_type": 1, "name": "greedy", "version": "v1", **HERE}
    request = task_pb2.TaskCreateRequest(id=identifier, spec={"template": template})
    with pytest.raises(grpc.aio.AioRpcError, match="request of cpu is 3") as refused:
        await admin.CreateTask(request)
    assert refused.value.code() == WRONG
    request.spec.template.container.resources.requests[0].value = "2"
    await admin.CreateTask(request)
