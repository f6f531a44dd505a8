"""Changes of a resource and of its status."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId
from dayfly.operator import resources
from dayfly.operator.resources import Resource
from tests.unit.operator.making import platforms, users


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({}, {}, {}),
        ({"phase": "RUNNING"}, {"phase": "RUNNING"}, {}),
        ({"phase": "RUNNING"}, {"phase": "FAILED", "message": "m"}, {"phase": "FAILED", "message": "m"}),
        ({"phase": "REFUSED", "error": {"code": "c"}}, {"phase": "QUEUED"}, {"phase": "QUEUED", "error": None}),
        ({"nodes": {"done": 1, "total": 3}}, {"nodes": {"done": 2, "total": 3}}, {"nodes": {"done": 2, "total": 3}}),
        ({"outputs": {"a": 1, "b": 2}}, {"outputs": {"b": 3}}, {"outputs": {"a": None, "b": 3}}),
    ],
)
def test_a_status_is_changed_where_it_differs_and_what_is_no_longer_said_goes(
    before: dict[str, Any], after: dict[str, Any], change: dict[str, Any]
) -> None:
    assert resources.restate(before, after) == change


def test_claiming_keeps_what_others_wrote() -> None:
    resource = users(finalizers=["of.others/their"])
    execution = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name("u2"))
    change = resources.claim(resource, execution, "dayfly")["metadata"]
    assert change["finalizers"] == ["of.others/their", "dayfly.dev/execution"]
    claimed = {**resource.manifest["metadata"], **change}
    assert Resource({**resource.manifest, "metadata": claimed}).execution == execution


def test_letting_go_keeps_what_others_wrote() -> None:
    resource = platforms(finalizers=["of.others/their", "dayfly.dev/execution"])
    assert resources.release(resource)["metadata"]["finalizers"] == ["of.others/their"]
    assert resources.hold(users())["metadata"]["finalizers"] == ["dayfly.dev/execution"]


def test_a_refusal_holds_for_the_spec_that_was_refused() -> None:
    refused = {"phase": "REFUSED", "observedGeneration": 1}
    assert users(status=refused).refused
    assert not users(status=refused, generation=2).refused
