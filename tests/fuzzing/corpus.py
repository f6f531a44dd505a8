"""What the fuzzed server knows, and for each method requests that are right: campaigns begin from both.

The user guide's programs are registered, and two executions are moved on by hand, one to its end, one to its middle.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from flyteidl.admin import execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.datacatalog import datacatalog_pb2
from flytekit.configuration import ImageConfig, SerializationSettings
from flytekit.tools import repo
from google.protobuf import message_factory
from google.protobuf.descriptor import Descriptor, MethodDescriptor
from google.protobuf.message import Message

from dayfly import client
from dayfly.base.clock import SECOND, Micros
from dayfly.controller import turn
from dayfly.model import events, layout
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase
from dayfly.services import server
from tests.clients.serving import Served, serving

PROGRAMS = Path(__file__).parents[1] / "clients" / "programs"
HERE = {"project": "flytesnacks", "domain": "development"}
VERSION = "one"
DONE, HALF = "done", "half"
BEGIN = Micros(1_800_000_000 * SECOND)

WORDS = {
    "project": ("flytesnacks", "by-fuzz", ""),
    "domain": ("development", "production", ""),
    "name": ("guide.chain", "guide.double", "daily", DONE, HALF, "guide.choosing", "guide.mapping"),
    "version": (VERSION, "v2", ""),
    "workflow": ("guide.chain", "guide.typed"),
    "node_id": ("n0", "n1", "start-node", "end-node", ""),
    "signal_id": ("a-number", "looks-right"),
    "token": ("", "0", "1", "-1", "99999999999999999999", "x"),
    "key": ("created_at", "name", "phase", "state", "identifier", "no_such", "id;drop table", ""),
    "filters": (
        "eq(name,guide.chain)", "eq(phase,SUCCEEDED)", "value_in(phase,FAILED;RUNNING)+gt(duration,1m30s)", "eq(",
        "contains(name,%)", "eq(state,0)", "ne(launch_plan.name,x)", "gte(started_at,2020-01-01T00:00:00Z)",
        "eq(admin_tag.name,x)", "eq(no_such,1)", "eq(duration,NaN)", "lt(created_at,yesterday)", "eq(task.name,x)",
        "eq(retry_attempt,99999999999999999999)", "not_like(name,_)", "eq(version,a)+" * 50 + "eq(version,b)",
    ),
    "flyte_url": (
        f"flyte://v1/flytesnacks/development/{DONE}/n0/o/o0", f"flyte://v1/flytesnacks/development/{DONE}/n0/0/o",
        f"flyte://v1/flytesnacks/development/{DONE}/n0/i", "flyte://v1/", "flyte://v1/a/b/c/d/e/f/g/h",
    ),
    "schedule": ("0 6 * * *", "@daily", "* * 31 2 *", "60 * * * *", "*/0 * * * *", "cron(0 6 * * ? *)", ""),
    "native_url": ("file:///etc/passwd", "s3://bucket/key", "../../etc/passwd", ""),
    "filename": ("file.pb", "../../etc/passwd", "", "/", "."),
    "filename_root": ("root", "..", "", "/etc"),
    "tag_name": ("flyte_cached-x", "other", ""),
    "artifact_id": ("a0", "a1", ""),
    "owner_id": ("me", "they", ""),
    "image": ("ghcr.io/x/y:z", "", "no image at all "),
    "var": ("o0", "x", "y", "out"),
}  # fmt: skip
"""Texts that mean something in a field of that name. `state`, for filters, is as in Flyte an integer."""

TEXTS = (
    "",
    "x",
    "o0",
    "n0",
    "guide.chain",
    "a" * 300,
    "ü€😀",
    "a\x00b",
    "../..",
    "%00",
    "1e999",
    "\u202e",
    "'--",
    "{}",
)
"""Texts for every other field."""

Key = tuple[str, str]
"""A service's full name and a method's."""


class Corpus(NamedTuple):
    """Right requests by method, and right messages of every type that occurs in them."""

    requests: dict[Key, list[Message]]
    parts: dict[str, list[Message]]

    def __repr__(self) -> str:
        return "<corpus>"  # Hypothesis prints the arguments of strategies, and this one has a megabyte.


def key_of(method: MethodDescriptor) -> Key:
    """Return how the corpus names a method."""
    return method.containing_service.full_name, method.name


def seed(folder: Path) -> Corpus:
    """Fill a data folder and return what was sent. The server has ended when this returns."""
    requests: dict[Key, list[Message]] = defaultdict(list)
    asyncio.run(_seed(folder, requests))
    parts: dict[str, list[Message]] = defaultdict(list)
    for sent in requests.values():
        for message in sent:
            _collect(message, parts)
    _add_reads(requests, parts)
    return Corpus(dict(requests), dict(parts))


async def _seed(folder: Path, requests: dict[Key, list[Message]]) -> None:
    async with serving(folder) as served, client.open(served.address) as calls:
        for request, name in _registrations():
            try:
                await getattr(calls.admin, name)(request)
            except grpc.aio.AioRpcError as error:
                assert error.code() is grpc.StatusCode.ALREADY_EXISTS, error
            requests["flyteidl.service.AdminService", name].append(request)
        for name in (DONE, HALF):
            request = _execution(name)
            await calls.admin.CreateExecution(request)
            requests["flyteidl.service.AdminService", "CreateExecution"].append(request)
            await _move(served, name, complete=name == DONE)
        for method, message in _cached():
            await getattr(calls.catalog, method)(message)
            requests["datacatalog.DataCatalog", method].append(message)


def _registrations() -> list[tuple[Message, str]]:
    settings = SerializationSettings(image_config=ImageConfig.auto_default_image(), version=VERSION, **HERE)
    repo.serialize_load_only(["guide"], settings, str(PROGRAMS))
    made: list[tuple[Message, str]] = []
    for entity in repo.serialize_get_control_plane_entities(settings, str(PROGRAMS), is_registration=True):
        spec: Any = entity.to_flyte_idl()
        if isinstance(spec, task_pb2.TaskSpec):
            made.append((task_pb2.TaskCreateRequest(id=spec.template.id, spec=spec), "CreateTask"))
        elif isinstance(spec, launch_plan_pb2.LaunchPlan):
            made.append((launch_plan_pb2.LaunchPlanCreateRequest(id=spec.id, spec=spec.spec), "CreateLaunchPlan"))
        else:
            made.append((workflow_pb2.WorkflowCreateRequest(id=spec.template.id, spec=spec), "CreateWorkflow"))
    return made


def _cached() -> list[tuple[str, Message]]:
    """Return what fills a data catalog, in order."""
    catalog: Any = datacatalog_pb2
    dataset = {**HERE, "name": "flyte_task-guide.double", "version": "1-aaaaaaaa-bbbbbbbb"}
    reservation = {"dataset_id": dataset, "tag_name": "flyte_cached-x"}
    made: list[tuple[str, Message]] = [
        ("CreateDataset", catalog.CreateDatasetRequest(dataset={"id": dataset, "partitionKeys": ["day"]}))
    ]
    for name in ("a0", "a1"):
        artifact = {"id": name, "dataset": dataset, "partitions": [{"key": "day", "value": "1"}]}
        value = {"name": "o0", "value": _inputs().literals["x"]}
        made.append(("CreateArtifact", catalog.CreateArtifactRequest(artifact={**artifact, "data": [value]})))
    tag = {"name": "flyte_cached-x", "artifact_id": "a0", "dataset": dataset}
    return [
        *made,
        ("AddTag", catalog.AddTagRequest(tag=tag)),
        ("UpdateArtifact", catalog.UpdateArtifactRequest(dataset=dataset, tag_name="flyte_cached-x", data=[value])),
        ("GetArtifact", catalog.GetArtifactRequest(dataset=dataset, tag_name="flyte_cached-x")),
        (
            "GetOrExtendReservation",
            catalog.GetOrExtendReservationRequest(
                reservation_id=reservation, owner_id="me", heartbeat_interval={"seconds": 1}
            ),
        ),
    ]


def _execution(name: str) -> execution_pb2.ExecutionCreateRequest:
    plan = identifier_pb2.Identifier(
        resource_type=identifier_pb2.LAUNCH_PLAN, name="guide.chain", version=VERSION, **HERE
    )
    spec = execution_pb2.ExecutionSpec(launch_plan=plan, max_parallelism=2, labels={"values": {"team": "a"}})
    return execution_pb2.ExecutionCreateRequest(name=name, spec=spec, inputs=_inputs(), **HERE)


def _inputs() -> literals_pb2.LiteralMap:
    return literals_pb2.LiteralMap(literals={"x": {"scalar": {"primitive": {"integer": 4}}}})


async def _move(served: Served, name: str, *, complete: bool) -> None:
    execution = ExecutionId(HERE["project"], HERE["domain"], name)
    outputs = literals_pb2.LiteralMap(literals={"o0": {"scalar": {"primitive": {"integer": 8}}}}).SerializeToString()
    await turn.take(served.store.runs, execution)
    for number, node in enumerate((NodeId("n0"), NodeId("n1"))[: 2 if complete else 1]):
        at = Micros(BEGIN + number * SECOND)
        await _happened(served, execution, events.AttemptProgressed(at, node, 0, AttemptPhase.RUNNING))
        if complete:
            await served.blobs.put(layout.outputs_uri(served.blobs.root, execution, node), outputs)
            await _happened(served, execution, events.AttemptSucceeded(at, node, 0))
    if complete:
        await served.blobs.put(layout.execution_outputs_uri(served.blobs.root, execution), outputs)
        await _happened(served, execution, events.OutputsWritten(Micros(BEGIN + 2 * SECOND)))


async def _happened(served: Served, execution: ExecutionId, event: events.Event) -> None:
    await served.store.runs.append(execution, (event,))
    await turn.take(served.store.runs, execution)


def _add_reads(requests: dict[Key, list[Message]], parts: dict[str, list[Message]]) -> None:
    """Add, for the other methods, requests that name what is known."""
    executions = [{**HERE, "name": name} for name in (DONE, HALF)]
    nodes = [{"node_id": node, "execution_id": one} for one in executions for node in ("n0", "n1", "start-node")]
    for one in executions:
        parts["flyteidl.core.WorkflowExecutionIdentifier"].append(identifier_pb2.WorkflowExecutionIdentifier(**one))
    for one in nodes:
        parts["flyteidl.core.NodeExecutionIdentifier"].append(identifier_pb2.NodeExecutionIdentifier(**one))
    task = {"resource_type": "TASK", **HERE, "name": "guide.double", "version": VERSION}
    parts["flyteidl.core.TaskExecutionIdentifier"].append(
        identifier_pb2.TaskExecutionIdentifier(task_id=task, node_execution_id=nodes[0], retry_attempt=0)
    )
    for service in server.SERVICES:
        for method in service.methods:
            if key_of(method) not in requests:
                requests[key_of(method)] = [_filled(method.input_type, parts, index) for index in range(4)]


def _filled(descriptor: Descriptor, parts: dict[str, list[Message]], index: int) -> Message:
    message: Message = message_factory.GetMessageClass(descriptor)()
    for field in descriptor.fields:
        if field.message_type is not None and parts.get(field.message_type.full_name):
            if field.containing_oneof is None and not _repeats(field):
                known = parts[field.message_type.full_name]
                getattr(message, field.name).CopyFrom(known[index % len(known)])
        elif field.type == field.TYPE_STRING and field.name in WORDS and not _repeats(field):
            setattr(message, field.name, WORDS[field.name][min(index, 1)])
        elif field.name == "limit":
            setattr(message, field.name, 10)
    return message


def _collect(message: Message, parts: dict[str, list[Message]]) -> None:
    known = parts[message.DESCRIPTOR.full_name]
    if len(known) < 40 and message not in known:
        known.append(message)
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = list(value.values()) if field.message_type.fields_by_name["value"].message_type else []
        else:
            inner = list(value) if _repeats(field) else [value]
        for one in inner:
            _collect(one, parts)


def _repeats(field: Any) -> bool:
    return bool(field.is_repeated)
