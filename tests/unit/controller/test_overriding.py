"""What a node changes of its task, and which container of a pod is the task."""

from __future__ import annotations

import pytest
from flyteidl.core import tasks_pb2, workflow_pb2
from google.protobuf import json_format

from dayfly.controller import overriding

MEMORY = tasks_pb2.Resources.MEMORY


def node(**overrides: object) -> bytes:
    return workflow_pb2.Node(task_node={"overrides": overrides}).SerializeToString()  # type: ignore[arg-type]


def pod(*containers: dict[str, object]) -> tasks_pb2.K8sPod:
    made = tasks_pb2.K8sPod()
    json_format.ParseDict({"containers": list(containers)}, made.pod_spec)
    return made


PRIMARY = {
    "name": "main",
    "image": "i",
    "command": ["run"],
    "args": ["{{.input}}"],
    "env": [{"name": "A", "value": "1"}, {"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
    "resources": {"requests": {"cpu": 1, "memory": "1Gi"}, "limits": {"nvidia.com/gpu": "1"}},
}


def test_without_overrides_nothing_changes() -> None:
    template = tasks_pb2.TaskTemplate(type="t", container={"image": "i", "args": ["a"]})
    assert overriding.apply(template, b"") == (template, (), ())


def test_image_and_resources_are_the_nodes() -> None:
    template = tasks_pb2.TaskTemplate(
        container={"image": "i", "resources": {"requests": [{"name": 3, "value": "1Gi"}]}}
    )
    resources = {"limits": [{"name": MEMORY, "value": "2Gi"}]}
    made, *_ = overriding.apply(template, node(container_image="mine", resources=resources))
    assert made.container.image == "mine"
    assert [(each.name, each.value) for each in made.container.resources.requests] == [(MEMORY, "1Gi")]
    assert [(each.name, each.value) for each in made.container.resources.limits] == [(MEMORY, "2Gi")]
    assert template.container.image == "i", "the registered template stays as it is"


def test_a_pod_is_its_primary_container() -> None:
    template = tasks_pb2.TaskTemplate(k8s_pod=pod({"name": "side"}, PRIMARY), config={overriding.PRIMARY: "main"})
    made, notes, pods = overriding.apply(template, b"")
    container = made.container
    assert (container.image, list(container.command), list(container.args)) == ("i", ["run"], ["{{.input}}"])
    assert {pair.key: pair.value for pair in container.env} == {"A": "1"}
    assert [(each.name, each.value) for each in container.resources.requests] == [(1, "1"), (MEMORY, "1Gi")]
    assert notes == ("only the primary container 'main' runs on this host, which has no pods; left out: side",)
    assert [each.primary_container_name for each in pods] == ["main"]
    assert pods[0].pod_spec == template.k8s_pod.pod_spec


def test_a_pods_inputs_and_outputs_are_files_where_it_says_so() -> None:
    laid = pod(PRIMARY)
    laid.data_config.CopyFrom(tasks_pb2.DataLoadingConfig(enabled=True, output_path="/out"))
    template = tasks_pb2.TaskTemplate(k8s_pod=laid, config={overriding.PRIMARY: "main"})
    made, *_ = overriding.apply(template, b"")
    assert made.container.data_config == laid.data_config


def test_a_nodes_pod_template_is_laid_over() -> None:
    template = tasks_pb2.TaskTemplate(container={"image": "i", "args": ["a"], "env": [{"key": "A", "value": "0"}]})
    laid = pod({"name": "main", "env": PRIMARY["env"]})
    laid.primary_container_name = "main"
    made, _, pods = overriding.apply(template, node(pod_template=laid))
    assert pods == (laid,)
    assert (made.container.image, list(made.container.args)) == ("i", ["a"])
    assert {pair.key: pair.value for pair in made.container.env} == {"A": "1"}


def test_a_pod_without_its_primary_container_is_refused() -> None:
    with pytest.raises(overriding.BadPod, match=r"'main'.*side.*primary_container_name"):
        overriding.apply(
            tasks_pb2.TaskTemplate(k8s_pod=pod({"name": "side"}), config={overriding.PRIMARY: "main"}), b""
        )
