"""What the operator may rely on of a cluster's `FlyteWorkflow` resources: in memory, and, where there is one, in a real
cluster."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest

from dayfly.base import errors
from dayfly.executors.kubernetes import api, flyte_workflows
from dayfly.model.flyte_workflows import EXECUTION, FINALIZER, execution_of
from dayfly.model.identifiers import ExecutionId
from dayfly.operator import detecting, resources
from dayfly.operator.cluster import Cluster, Manifest
from dayfly.operator.resources import Resource
from tests.cluster import conftest as real
from tests.cluster import workflows
from tests.fakes.flyte_workflows import FakeFlyteWorkflows

KUBECONFIG = os.environ.get("KUBECONFIG", "")

SECONDS = 30.0

EXECUTIONS = [ExecutionId("flytesnacks", "development", f"x{number}") for number in range(3)]

needs_cluster = pytest.mark.skipif(not KUBECONFIG, reason="no Kubernetes cluster: set KUBECONFIG")


@pytest.fixture(params=["memory", pytest.param("cluster", marks=needs_cluster)])
async def cluster(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    namespace = f"contract-{uuid.uuid4().hex[:8]}"
    if request.param == "memory":
        yield FakeFlyteWorkflows(namespace=namespace)
        return
    workflows.install_kind()
    connection = api.Api(KUBECONFIG)
    made = flyte_workflows.FlyteWorkflows(connection, "contract", namespace)
    yield made
    for one in await made.list_all():
        await made.patch(one, {"metadata": {"finalizers": []}})
    await connection.close()
    real.Cluster().run("delete", "namespace", namespace, "--ignore-not-found", "--wait=false")


async def test_a_resource_is_made_once_with_its_namespace(cluster: Cluster) -> None:
    made = await asyncio.gather(*(cluster.ensure(EXECUTIONS[0]) for _ in range(4)))
    assert len({one["metadata"]["uid"] for one in made}) == 1
    (listed,) = await cluster.list_all()
    assert execution_of(listed) == EXECUTIONS[0]
    read = Resource(listed)
    assert (read.held, read.platform, read.is_users) == (True, cluster.platform, False)
    assert await cluster.get(*read.key) is not None
    assert await cluster.get(read.key[0], "of-nobody") is None


async def test_spec_and_status_are_changed_apart_and_what_is_not_said_stays(cluster: Cluster) -> None:
    made = await cluster.ensure(EXECUTIONS[0])
    status = {"phase": "RUNNING", "nodes": {"done": 0, "total": 2}, "message": "m"}
    await cluster.patch(made, {"status": status}, part="status")
    told = await cluster.patch(made, {"status": {"message": None, "nodes": {"done": 1}}}, part="status")
    assert told is not None
    assert told["status"] == {"phase": "RUNNING", "nodes": {"done": 1, "total": 2}}
    assert told["metadata"]["generation"] == 1
    told = await cluster.patch(made, {"spec": {"workflow": {"name": "flows.fit"}}, "status": {"phase": "FAILED"}})
    assert told is not None
    assert told["spec"]["workflow"] == {"name": "flows.fit"}
    assert told["spec"]["executionId"]["name"] == EXECUTIONS[0].name
    assert told["status"]["phase"] == "RUNNING"
    assert told["metadata"]["generation"] == 2


async def test_a_change_of_an_older_version_is_refused(cluster: Cluster) -> None:
    made = Resource(await cluster.ensure(EXECUTIONS[0]))
    await cluster.patch(made.manifest, {"status": {"phase": "RUNNING"}}, part="status")
    older = {"resourceVersion": made.version}
    for change, part in (({"spec": {}}, ""), ({"status": {"phase": "FAILED"}}, "status")):
        with pytest.raises(errors.VersionClash):
            await cluster.patch(made.manifest, {**change, "metadata": older}, part=part)


async def test_what_is_deleted_stays_until_it_is_let_go(cluster: Cluster) -> None:
    made = await cluster.ensure(EXECUTIONS[0])
    await cluster.delete(made)
    left = await cluster.get(made["metadata"]["namespace"], made["metadata"]["name"])
    assert left is not None
    assert Resource(left).deleting
    assert (await cluster.ensure(EXECUTIONS[0]))["metadata"]["uid"] == made["metadata"]["uid"]
    await cluster.patch(left, resources.release(Resource(left)))
    assert await cluster.get(made["metadata"]["namespace"], made["metadata"]["name"]) is None
    assert await cluster.patch(left, {"status": {"phase": "RUNNING"}}, part="status") is None
    await cluster.delete(left)


async def test_a_claimed_resource_is_found_by_its_execution(cluster: Cluster) -> None:
    first = Resource(await cluster.ensure(EXECUTIONS[0]))
    namespace = first.key[0]
    spec = {"launchPlan": {"name": "flows.fit"}, "inputs": {"rows": 3, "names": ["a"], "deep": {"n": None}}}
    mine = await apply(cluster, namespace, spec)
    assert Resource(mine).execution is None
    own = ExecutionId("flytesnacks", "development", resources.flyte_workflows.execution_name(mine["metadata"]["uid"]))
    told = await cluster.patch(mine, resources.claim(Resource(mine), own, cluster.platform))
    assert told is not None
    assert told["metadata"]["finalizers"] == [FINALIZER]
    assert told["spec"]["inputs"]["names"] == ["a"]
    assert (await cluster.ensure(own))["metadata"]["name"] == "mine"
    assert EXECUTION in told["metadata"]["labels"]


async def apply(cluster: Cluster, namespace: str, spec: Manifest) -> Manifest:
    """Make a resource as a user does."""
    if isinstance(cluster, FakeFlyteWorkflows):
        return cluster.apply(namespace, "mine", spec)
    kind = {"apiVersion": "dayfly.dev/v1", "kind": "FlyteWorkflow"}
    real.Cluster().apply([{**kind, "metadata": {"name": "mine", "namespace": namespace}, "spec": spec}])
    made = await cluster.get(namespace, "mine")
    assert made is not None
    return made


@needs_cluster
async def test_kopf_detects_what_happens() -> None:
    namespace = f"contract-{uuid.uuid4().hex[:8]}"
    workflows.install_kind()
    connection = api.Api(KUBECONFIG)
    cluster = flyte_workflows.FlyteWorkflows(connection, "contract", namespace)
    seen: asyncio.Queue[tuple[bool, Manifest]] = asyncio.Queue()
    before = await cluster.ensure(EXECUTIONS[0])
    detection = detecting.KopfDetection(connection.login, namespace)
    task = asyncio.create_task(detection.run(lambda gone, manifest: seen.put_nowait((gone, manifest))))

    async def until(gone: bool, uid: str) -> None:
        async def wait() -> None:
            while True:
                was_gone, manifest = await seen.get()
                if (was_gone, manifest["metadata"]["uid"]) == (gone, uid):
                    return

        await asyncio.wait_for(wait(), SECONDS)

    try:
        await until(False, before["metadata"]["uid"])
        later = await cluster.ensure(EXECUTIONS[1])
        await until(False, later["metadata"]["uid"])
        for one in (before, later):
            await cluster.patch(one, {"metadata": {"finalizers": []}})
            await cluster.delete(one)
            await until(True, one["metadata"]["uid"])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await connection.close()
        real.Cluster().run("delete", "namespace", namespace, "--wait=false")
