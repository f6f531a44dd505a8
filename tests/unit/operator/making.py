"""Resources and executions for these tests."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2
from google.protobuf import json_format

from dayfly.model import flyte_workflows
from dayfly.model.identifiers import ExecutionId
from dayfly.operator.resources import Resource

EXECUTION = ExecutionId("flytesnacks", "development", "x1")

CREATED = "2026-11-26T10:00:00Z"


def execution(phase: str, **closure: Any) -> execution_pb2.Execution:
    """Return an execution as the API tells it."""
    told = {
        "id": {"project": "flytesnacks", "domain": "development", "name": "x1"},
        "spec": {
            "launch_plan": {
                "resource_type": "LAUNCH_PLAN",
                "project": "flytesnacks",
                "domain": "development",
                "name": "flows.fit",
                "version": "v1",
            }
        },
        "closure": {
            "phase": phase,
            "created_at": CREATED,
            "updated_at": CREATED,
            "workflow_id": {"project": "flytesnacks", "domain": "development", "name": "flows.fit", "version": "v1"},
            **closure,
        },
    }
    return json_format.ParseDict(told, execution_pb2.Execution())


def platforms(platform: str = "dayfly", *, status: dict[str, Any] | None = None, **metadata: Any) -> Resource:
    """Return a resource that a platform made."""
    made = flyte_workflows.build(EXECUTION, "flytesnacks-development", platform, shared=False)
    made["metadata"] |= {"uid": "u1", "resourceVersion": "7", "generation": 1, **metadata}
    return Resource({**made, "status": status or {}})


def users(
    *, claimed: bool = False, platform: str = "", status: dict[str, Any] | None = None, **metadata: Any
) -> Resource:
    """Return a resource that a user made, and that may have been claimed since."""
    labels = {flyte_workflows.PLATFORM: platform} if platform else {}
    told: dict[str, Any] = {
        "name": "mine",
        "namespace": "flytesnacks-development",
        "uid": "u2",
        "resourceVersion": "7",
        "generation": 1,
        "labels": labels,
    }
    if claimed:
        own = ExecutionId("flytesnacks", "development", flyte_workflows.execution_name("u2"))
        labels[flyte_workflows.EXECUTION] = flyte_workflows.mark(own)
        told["annotations"] = {flyte_workflows.EXECUTION: str(own)}
        told["finalizers"] = [flyte_workflows.FINALIZER]
    spec = {"launchPlan": {"name": "flows.fit"}}
    return Resource({"metadata": {**told, **metadata}, "spec": spec, "status": status or {}})
