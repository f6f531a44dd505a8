"""Attempts and pods for these tests."""

from __future__ import annotations

from typing import Any

import msgspec
from flyteidl.core import tasks_pb2
from google.protobuf import json_format

from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.ports.executors import AttemptSpec

KEY = AttemptKey("flytesnacks/development/x1/n0/0")


def attempt(template: dict[str, Any] | None = None, **fields: object) -> AttemptSpec:
    made = tasks_pb2.TaskTemplate()
    json_format.ParseDict(template or {"container": {"args": ["pyflyte-execute", "--inputs", "i"]}}, made)
    plain = AttemptSpec(
        key=KEY,
        generated_name="x1-n0-0",
        task=EntityId(1, "flytesnacks", "development", "flows.fit", "v1"),
        task_type="python-task",
        template=made.SerializeToString(),
        argv=("pyflyte-execute", "--inputs", "s3://b/inputs.pb"),
        env={"FLYTE_INTERNAL_EXECUTION_WORKFLOW": "flytesnacks:development:flows.main", "A": "1"},
        image="app:1",
    )
    return msgspec.structs.replace(plain, **fields)


def own_pod(primary: str, spec: dict[str, Any], **metadata: dict[str, str]) -> bytes:
    made = tasks_pb2.K8sPod(primary_container_name=primary, metadata=metadata)
    json_format.ParseDict(spec, made.pod_spec)
    return made.SerializeToString()


def pod(phase: str, *states: dict[str, Any], node: str = "node-1", **status: Any) -> dict[str, Any]:
    """Return a pod as the API tells it, with a container for each of the states; the first is the primary one."""
    names = ["main", "side", "third"][: len(states)]
    told = [
        {"name": name, "state": state, "restartCount": 0} for name, state in zip(names, states, strict=True) if state
    ]
    return {
        "metadata": {
            "name": "x1-n0-0",
            "namespace": "ns",
            "uid": "u",
            "labels": {"dayfly.dev/role": "driver"},
            "annotations": {"primary_container_name": "main", "dayfly.dev/attempt": KEY},
        },
        "spec": {
            "nodeName": node,
            "containers": [
                {"name": name, "resources": {"limits": {"memory": str(512 << 20)}}} for name in names or ["main"]
            ],
        },
        "status": {"phase": phase, "containerStatuses": told, **status},
    }


def ended(code: int, reason: str = "Error", **more: Any) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "reason": reason, **more}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


RUNNING: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
