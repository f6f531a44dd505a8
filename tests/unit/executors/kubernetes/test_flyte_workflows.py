"""The resource that owns the first pod of an attempt, over an API in memory."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.base import errors
from dayfly.executors.kubernetes.api import Forbidden, NotNow
from dayfly.executors.kubernetes.flyte_workflows import FlyteWorkflows
from dayfly.model import flyte_workflows
from dayfly.model.identifiers import AttemptKey, ExecutionId

KEY = AttemptKey("flytesnacks/development/x1/n0/0")
EXECUTION = ExecutionId("flytesnacks", "development", "x1")
POD = {"kind": "Pod", "metadata": {"name": "x1-n0-0"}}


class Api:
    """Knows one namespace, and whatever is made in it."""

    def __init__(self, refuses: errors.DayflyError | None = None) -> None:
        self.refuses = refuses
        self.namespaces: set[str] = set()
        self.objects: list[dict[str, Any]] = []
        self.lists = self.gets = 0

    async def list(self, kind: str, namespace: str, selector: str) -> tuple[list[dict[str, Any]], str]:
        self.lists += 1
        if self.refuses is not None:
            raise self.refuses
        name, _, value = selector.partition("=")
        return [
            one
            for one in self.objects
            if one["metadata"]["namespace"] == namespace and one["metadata"]["labels"].get(name) == value
        ], "1"

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any] | None:
        if manifest["kind"] == "Namespace":
            self.namespaces.add(manifest["metadata"]["name"])
            return manifest
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        if namespace not in self.namespaces:
            raise errors.NotFound(f"namespaces {namespace!r} not found")
        if await self.get(manifest["kind"], namespace, name) is not None:
            return None
        manifest["metadata"]["uid"] = f"uid-{len(self.objects)}"
        self.objects.append(manifest)
        return manifest

    async def get(self, kind: str, namespace: str, name: str) -> dict[str, Any] | None:
        if self.refuses is not None and not isinstance(self.refuses, errors.NotFound):
            raise self.refuses
        self.gets += 1
        wanted = (namespace, name)
        return next(
            (one for one in self.objects if (one["metadata"]["namespace"], one["metadata"]["name"]) == wanted), None
        )


def over(api: Any, namespace: str = "{project}-{domain}") -> FlyteWorkflows:
    return FlyteWorkflows(api, "dayfly", namespace)


async def test_a_pod_is_owned_by_its_executions_resource_which_is_made_once() -> None:
    api = Api()
    workflows = over(api)
    first = await workflows.own(KEY, POD)
    api.lists = 0
    second = await workflows.own(AttemptKey("flytesnacks/development/x1/n1/0"), POD)
    (made,) = api.objects
    assert made["metadata"]["namespace"] == "flytesnacks-development"
    assert api.lists == 0  # once it is there it is found by its name
    for pod in (first, second):
        (owner,) = pod["metadata"]["ownerReferences"]
        assert owner == {"apiVersion": "dayfly.dev/v1", "kind": "FlyteWorkflow", "name": "x1", "uid": "uid-0"}
    assert "ownerReferences" not in POD["metadata"]


async def test_where_projects_share_a_namespace_their_executions_do_not_meet() -> None:
    api = Api()
    workflows = over(api, "tasks")
    await workflows.own(KEY, POD)
    await workflows.own(AttemptKey("other/development/x1/n0/0"), POD)
    names = {one["metadata"]["name"] for one in api.objects}
    assert len(names) == 2
    assert all(name.startswith("x1-") for name in names)


async def test_a_users_resource_owns_what_it_has_started() -> None:
    api = Api()
    name = flyte_workflows.execution_name("u")
    execution = ExecutionId("flytesnacks", "development", name)
    mine = {
        "apiVersion": "dayfly.dev/v1",
        "kind": "FlyteWorkflow",
        "metadata": {
            "name": "mine",
            "namespace": "flytesnacks-development",
            "uid": "u",
            "labels": {flyte_workflows.EXECUTION: flyte_workflows.mark(execution)},
            "annotations": {flyte_workflows.EXECUTION: str(execution)},
        },
        "spec": {"launchPlan": {"name": "flows.fit"}},
    }
    api.objects.append(mine)
    pod = await over(api).own(AttemptKey(f"{execution}/n0/0"), POD)
    assert pod["metadata"]["ownerReferences"][0]["name"] == "mine"
    assert api.objects == [mine]


async def test_what_has_the_name_and_stands_for_another_is_no_owner() -> None:
    api = Api()
    api.namespaces.add("flytesnacks-development")
    stranger = {"metadata": {"name": "x1", "namespace": "flytesnacks-development", "uid": "s", "labels": {}}}
    api.objects.append(stranger)
    with pytest.raises(errors.AlreadyExists, match="does not stand for flytesnacks/development/x1"):
        await over(api).ensure(EXECUTION)
    assert await over(api).own(KEY, POD) == POD


@pytest.mark.parametrize("refusal", [errors.NotFound("no such kind"), Forbidden("not you")])
async def test_without_the_kind_or_the_right_to_it_pods_have_no_owner(refusal: errors.DayflyError) -> None:
    api = Api(refusal)
    workflows = over(api)
    assert await workflows.own(KEY, POD) == POD
    assert await workflows.own(KEY, POD) == POD
    assert api.lists + api.gets <= 2  # who was refused does not ask before each pod


async def test_a_quota_is_no_reason_to_go_without() -> None:
    with pytest.raises(NotNow):
        await over(Api(NotNow("exceeded quota"))).own(KEY, POD)
