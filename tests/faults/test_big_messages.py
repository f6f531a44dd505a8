"""Large messages: a workflow of 20 MiB is taken and given back, more than the limit is refused, memory is bounded."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import grpc
import pytest
import requests
from flyteidl.admin import common_pb2, task_pb2, version_pb2, workflow_pb2
from flyteidl.service import admin_pb2_grpc
from google.protobuf import json_format

from dayfly.gateway import rest
from dayfly.services import workflows
from tests.clients.serving import ServedInThread
from tests.platforms.server import Server

MIB = 1024 * 1024
LIMIT_BYTES = 64 * MIB
"""What `max_message_bytes` is unless somebody says otherwise."""

HELD_BYTES = 600 * MIB
"""What the server may hold more, at its peak, for a workflow of 20 MiB: that is, some thirty copies in all forms."""

HERE = {"project": "flytesnacks", "domain": "development", "version": "v1"}
TASK = {"resource_type": "TASK", "name": "big.echo", **HERE}
NODES = 400


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("big") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[admin_pb2_grpc.AdminServiceStub]:
    with grpc.insecure_channel(server.address, options=[("grpc.max_receive_message_length", -1)]) as channel:
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        register_task(admin)
        yield admin


def register_task(admin: admin_pb2_grpc.AdminServiceStub) -> None:
    task = task_pb2.TaskSpec(
        template={
            "id": TASK,
            "type": "python-task",
            "metadata": {"runtime": {"type": "FLYTE_SDK", "version": "1", "flavor": "python"}},
            "interface": {"inputs": {"variables": {"text": {"type": {"simple": "STRING"}}}}},
            "container": {"image": "any", "args": ["echo"]},
        }
    )
    admin.CreateTask(task_pb2.TaskCreateRequest(id=TASK, spec=task))


def workflow(name: str, size: int = 20 * MIB) -> workflow_pb2.WorkflowCreateRequest:
    """Return a workflow of many nodes, each of which is given a long text: `size` bytes in all."""
    text = {"scalar": {"primitive": {"string_value": "x" * (size // NODES)}}}
    nodes = [
        {"id": f"n{at}", "task_node": {"reference_id": TASK}, "inputs": [{"var": "text", "binding": text}]}
        for at in range(NODES)
    ]
    id_ = {"resource_type": "WORKFLOW", "name": name, **HERE}
    return workflow_pb2.WorkflowCreateRequest(id=id_, spec={"template": {"id": id_, "interface": {}, "nodes": nodes}})


def held_bytes(server: Server, peak: bool = False) -> int:
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    name = "VmHWM:" if peak else "VmRSS:"
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) * 1024


def read_back(admin: admin_pb2_grpc.AdminServiceStub, sent: workflow_pb2.WorkflowCreateRequest) -> None:
    found = admin.GetWorkflow(common_pb2.ObjectGetRequest(id=sent.id), timeout=60).closure.compiled_workflow.primary
    nodes = [node for node in found.template.nodes if node.WhichOneof("target") == "task_node"]
    assert [(node.id, node.inputs) for node in nodes] == [(node.id, node.inputs) for node in sent.spec.template.nodes]


def test_a_workflow_of_20_mib(server: Server, admin: admin_pb2_grpc.AdminServiceStub) -> None:
    began = held_bytes(server)
    sent = workflow("big.by_grpc")
    assert sent.ByteSize() >= 20 * MIB
    admin.CreateWorkflow(sent, timeout=60)
    read_back(admin, sent)
    with pytest.raises(grpc.RpcError) as again:
        admin.CreateWorkflow(sent, timeout=60)
    assert again.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert held_bytes(server, peak=True) - began < HELD_BYTES


def test_the_same_by_rest(server: Server, admin: admin_pb2_grpc.AdminServiceStub) -> None:
    began = held_bytes(server)
    sent = workflow("big.by_rest")
    url = f"http://{server.address}/api/v1/workflows"
    answer = requests.post(url, data=json_format.MessageToJson(sent).encode(), timeout=60)
    assert (answer.status_code, answer.json()) == (200, {})
    read_back(admin, sent)
    told = requests.get(f"{url}/flytesnacks/development/big.by_rest/v1", timeout=60).json()
    assert len(told["closure"]["compiledWorkflow"]["primary"]["template"]["nodes"]) >= NODES
    assert held_bytes(server, peak=True) - began < HELD_BYTES


def test_more_than_the_limit_is_refused_by_grpc(server: Server, admin: admin_pb2_grpc.AdminServiceStub) -> None:
    before = held_bytes(server, peak=True)
    sent = workflow("big.too_large")
    sent.spec.description.short_description = "x" * LIMIT_BYTES
    with pytest.raises(grpc.RpcError) as refused:
        admin.CreateWorkflow(sent, timeout=60)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    # gRPC refuses by the message's header, before it is read, and in its own words: both sizes are in them.
    assert str(sent.ByteSize()) in refused.value.details()
    assert str(LIMIT_BYTES) in refused.value.details()
    assert held_bytes(server, peak=True) - before < LIMIT_BYTES
    with pytest.raises(grpc.RpcError) as absent:
        admin.GetWorkflow(common_pb2.ObjectGetRequest(id=sent.id), timeout=60)
    assert absent.value.code() is grpc.StatusCode.NOT_FOUND
    assert admin.GetVersion(version_pb2.GetVersionRequest(), timeout=60).control_plane_version.Version


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_more_than_the_limit_is_refused_by_rest(server: Server, announced: bool) -> None:
    before = held_bytes(server, peak=True)
    chunks = (bytes(MIB) for _ in range(4 * LIMIT_BYTES // MIB))
    headers = {"Content-Type": "application/octet-stream"}
    body = bytes(4 * LIMIT_BYTES) if announced else chunks
    answer = requests.post(f"http://{server.address}/api/v1/workflows", data=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["code"]) == (413, grpc.StatusCode.RESOURCE_EXHAUSTED.value[0])
    assert f"more than {LIMIT_BYTES} bytes" in answer.json()["message"]
    assert "DAYFLY_SERVER__MAX_MESSAGE_BYTES" in answer.json()["message"]
    assert held_bytes(server, peak=True) - before < 3 * LIMIT_BYTES


@pytest.mark.parametrize(("place", "name"), [(workflows.compiling, "compile"), (rest.transcoding, "build_request")])
def test_others_are_answered_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: ModuleType, name: str
) -> None:
    begun, answered, whole = threading.Event(), threading.Event(), getattr(place, name)

    def slow(*args: Any, **kwargs: Any) -> Any:
        begun.set()
        assert answered.wait(60), "nobody else was answered"
        return whole(*args, **kwargs)

    with ServedInThread(tmp_path) as running, grpc.insecure_channel(running.served.address) as channel:
        admin = admin_pb2_grpc.AdminServiceStub(channel)
        register_task(admin)
        body = json_format.MessageToJson(workflow("big.slow", MIB // 2))
        monkeypatch.setattr(place, name, slow)
        with ThreadPoolExecutor(1) as beside:
            sent = beside.submit(requests.post, f"{running.served.url}/api/v1/workflows", data=body, timeout=60)
            assert begun.wait(60)
            assert admin.GetVersion(version_pb2.GetVersionRequest(), timeout=20).control_plane_version.Version
            answered.set()
            assert sent.result().json() == {}
