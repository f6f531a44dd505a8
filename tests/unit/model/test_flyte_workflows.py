"""Names and marks of the resource that stands for an execution."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId

EXECUTION = ExecutionId("flytesnacks", "development", "a4frr6d6n4bzmdvhzq89")


@pytest.mark.parametrize(
    ("name", "shared", "called"),
    [
        ("a4frr6d6n4bzmdvhzq89", False, "a4frr6d6n4bzmdvhzq89"),
        ("a4frr6d6n4bzmdvhzq89", True, "a4frr6d6n4bzmdvhzq89-678ce9"),
        ("a1-n0-0", False, "a1-n0-0"),
        ("ends-", False, "ends-41529f"),
        ("a1-Großes_n0-0", False, "a1-gro-es-n0-0-02e1c1"),
    ],
)
def test_it_is_called_as_the_execution_is_where_that_can_be(name: str, shared: bool, called: str) -> None:
    execution = ExecutionId("flytesnacks", "development", name)
    assert flyte_workflows.own_name(execution, shared=shared) == called


def test_the_platforms_own_says_whose_it_is_and_is_held() -> None:
    made = flyte_workflows.build(EXECUTION, "flytesnacks-development", "dayfly", shared=False)
    assert made["metadata"]["labels"]["dayfly.dev/platform"] == "dayfly"
    assert made["metadata"]["finalizers"] == ["dayfly.dev/execution"]
    assert flyte_workflows.execution_of(made) == EXECUTION


def users(uid: str, execution: ExecutionId | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": "mine", "uid": uid}
    if execution is not None:
        metadata["labels"] = {flyte_workflows.EXECUTION: flyte_workflows.mark(execution)}
        metadata["annotations"] = {flyte_workflows.EXECUTION: str(execution)}
    return {"metadata": metadata, "spec": {"launchPlan": {"name": "flows.fit"}}}


def test_a_users_own_stands_for_the_execution_that_follows_from_it_and_no_other() -> None:
    own = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name("u-1"))
    assert flyte_workflows.execution_of(users("u-1", own)) == own
    assert flyte_workflows.execution_of(users("u-1", None)) is None
    assert flyte_workflows.execution_of(users("u-2", own)) is None
    assert flyte_workflows.execution_of(users("u-1", EXECUTION)) is None


def test_a_resource_that_names_an_execution_without_its_mark_stands_for_none() -> None:
    made = flyte_workflows.build(EXECUTION, "ns", "dayfly", shared=False)
    made["metadata"]["labels"][flyte_workflows.EXECUTION] = "0" * 32
    assert flyte_workflows.execution_of(made) is None


def test_the_name_of_what_a_user_starts_is_one_that_flyte_takes() -> None:
    name = flyte_workflows.execution_name("3f491365-ef72-4f1e-8809-c644805d5143")
    assert name == flyte_workflows.execution_name("3f491365-ef72-4f1e-8809-c644805d5143")
    assert (len(name), name[0], name.isalnum()) == (20, "u", True)
