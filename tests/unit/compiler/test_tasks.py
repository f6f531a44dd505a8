"""What is wrong with task templates by themselves."""

from __future__ import annotations

import pytest
from flyteidl.core import identifier_pb2, interface_pb2, tasks_pb2
from google.protobuf import json_format, struct_pb2

from dayfly.compiler import errors, tasks
from dayfly.model.identifiers import EntityId

RESOURCES = tasks_pb2.Resources
ID = EntityId(identifier_pb2.TASK, "p", "d", "t", "v")


def entry(kind, value):
    return RESOURCES.ResourceEntry(name=kind, value=value)


def check(template):
    return [(error.code, error.path) for error in tasks.check(template, ID)]


def test_a_right_task(make):
    template = make.task("t", {"a": make.INT}, {"o": make.INT})
    template.container.resources.requests.extend([entry(RESOURCES.CPU, "500m"), entry(RESOURCES.MEMORY, "1Gi")])
    template.container.resources.limits.extend([entry(RESOURCES.CPU, "1"), entry(RESOURCES.MEMORY, "1024Mi")])
    template.container.resources.requests.append(entry(RESOURCES.GPU, "1"))
    assert tasks.check(template, ID) == []
    assert tasks.check(make.task("t"), ID) == []


def test_everything_missing_is_told_at_once():
    found = tasks.check(tasks_pb2.TaskTemplate(), EntityId(identifier_pb2.WORKFLOW, "", "d", "t", ""))
    assert [error.message for error in found] == [
        "its id is that of a workflow, not of a task",
        "its id has no project",
        "its id has no version",
        "it has no type",
        "it has no metadata",
        "it has no interface",
    ]


def test_interfaces_and_containers(make):
    template = make.task("t", {"a": make.INT}, {})
    template.interface.inputs.variables["b"].CopyFrom(interface_pb2.Variable())
    template.container.ClearField("args")
    template.container.ClearField("image")
    template.metadata.runtime.type = tasks_pb2.RuntimeMetadata.FLYTE_SDK
    assert check(template) == [
        (errors.VALUE_REQUIRED, "task t"),
        (errors.VALUE_REQUIRED, "task t, input b"),
        (errors.VALUE_REQUIRED, "task t, container"),
        (errors.VALUE_REQUIRED, "task t, container"),
    ]


@pytest.mark.parametrize(
    ("requests", "limits", "told"),
    [
        ([(RESOURCES.CPU, "lots")], [], [(errors.INVALID_VALUE, "request cpu")]),
        ([(RESOURCES.MEMORY, "-1")], [], [(errors.INVALID_VALUE, "request memory")]),
        ([(RESOURCES.CPU, "1"), (RESOURCES.CPU, "2")], [], [(errors.VALUE_COLLISION, "request cpu")]),
        ([(RESOURCES.CPU, "2")], [(RESOURCES.CPU, "1500m")], [(errors.INVALID_VALUE, "cpu")]),
        ([(RESOURCES.MEMORY, "1Gi")], [(RESOURCES.MEMORY, "1G")], [(errors.INVALID_VALUE, "memory")]),
        (
            [(RESOURCES.EPHEMERAL_STORAGE, "2Gi")],
            [(RESOURCES.EPHEMERAL_STORAGE, "1Gi")],
            [(errors.INVALID_VALUE, "ephemeral_storage")],
        ),
        ([(RESOURCES.GPU, "0.5")], [], [(errors.INVALID_VALUE, "request gpu")]),
        ([(RESOURCES.GPU, "1")], [(RESOURCES.GPU, "2")], [(errors.INVALID_VALUE, "gpu")]),
        ([(99, "x")], [], [(errors.INVALID_VALUE, "request resource 99")]),
        (
            [(RESOURCES.CPU, "?")],
            [(RESOURCES.CPU, "!"), (RESOURCES.MEMORY, "")],
            [
                (errors.INVALID_VALUE, "request cpu"),
                (errors.INVALID_VALUE, "limit cpu"),
                (errors.INVALID_VALUE, "limit memory"),
            ],
        ),
    ],
)
def test_resources(make, requests, limits, told):
    template = make.task("t")
    template.container.resources.requests.extend(entry(*one) for one in requests)
    template.container.resources.limits.extend(entry(*one) for one in limits)
    assert check(template) == [(code, f"task t, container, {place}") for code, place in told]


@pytest.mark.parametrize(
    ("spec", "right"),
    [
        ({"containers": [{"name": "primary"}]}, True),
        ({"containers": [{"name": "Primary"}]}, False),
        ({"containers": [{}]}, False),
        ({"containers": ["x"]}, False),
        ({"containers": []}, False),
        ({}, False),
    ],
)
def test_pods(make, spec, right):
    template = make.task("t")
    template.k8s_pod.pod_spec.CopyFrom(json_format.ParseDict(spec, struct_pb2.Struct()))
    assert check(template) == ([] if right else [(errors.INVALID_VALUE, "task t, pod")])
