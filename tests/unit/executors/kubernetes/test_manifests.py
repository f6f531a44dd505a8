"""The pod of an attempt, part by part, as Flyte builds it."""

from __future__ import annotations

from typing import Any

import pytest

from dayfly.executors.kubernetes import manifests, mounting, names
from dayfly.executors.kubernetes.settings import PodSettings
from dayfly.ports.executors import AttemptSpec
from dayfly.ports.secrets import SecretRequest
from tests.unit.executors.kubernetes.making import KEY, attempt, own_pod


def build(spec: AttemptSpec, told: PodSettings | None = None, template: dict[str, Any] | None = None) -> dict[str, Any]:
    return manifests.build(spec, told or PodSettings(), template or {}, "driver")


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {pair["name"]: pair.get("value", pair.get("valueFrom")) for pair in container["env"]}


def test_a_container_is_a_pod() -> None:
    made = build(attempt(labels={"team": "blue/green"}, annotations={"note": "n"}))
    metadata, spec = made["metadata"], made["spec"]
    assert (made["kind"], metadata["name"], metadata["namespace"]) == ("Pod", "x1-n0-0", "flytesnacks-development")
    assert metadata["labels"] == {
        "execution-id": "x1",
        "project": "flytesnacks",
        "domain": "development",
        "workflow-name": "flows.main",
        "node-id": "n0",
        "task-name": "flows.fit",
        "interruptible": "false",
        "team": "blue-green",
        "app.kubernetes.io/managed-by": "dayfly",
        "dayfly.dev/platform": "dayfly",
        "dayfly.dev/group": names.group(KEY),
        "dayfly.dev/role": "driver",
    }
    assert metadata["annotations"]["dayfly.dev/attempt"] == KEY
    assert metadata["annotations"]["note"] == "n"
    assert metadata["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert spec["restartPolicy"] == "Never"
    (container,) = spec["containers"]
    assert (container["name"], container["image"]) == ("x1-n0-0", "app:1")
    assert container["args"] == ["pyflyte-execute", "--inputs", "s3://b/inputs.pb"]
    assert "command" not in container, "the image's entry point stays"
    assert variables(container)["A"] == "1"
    assert container["terminationMessagePolicy"] == "FallbackToLogsOnError"


def test_the_command_stays_apart_from_its_arguments() -> None:
    spec = attempt({"container": {"command": ["sh", "-c"], "args": ["{{.input}}"]}}, argv=("sh", "-c", "uri"))
    (container,) = build(spec)["spec"]["containers"]
    assert (container["command"], container["args"]) == (["sh", "-c"], ["uri"])


@pytest.mark.parametrize(
    ("fields", "requests", "limits"),
    [
        ({}, {}, {}),
        ({"assumed_cpu": 0.5, "assumed_memory_bytes": 1 << 30}, {"cpu": "500m", "memory": str(1 << 30)}, {}),
        (
            {"cpu_request": 1.0, "cpu_limit": 2.0, "memory_request_bytes": 7, "memory_limit_bytes": 8},
            {"cpu": "1000m", "memory": "7"},
            {"cpu": "2000m", "memory": "8"},
        ),
    ],
)
def test_sizes(fields: dict[str, Any], requests: dict[str, str], limits: dict[str, str]) -> None:
    (container,) = build(attempt(**fields))["spec"]["containers"]
    assert container["resources"] == {"requests": requests, "limits": limits}


def test_a_small_cluster_may_request_less_than_tasks_ask_for() -> None:
    spec = attempt(cpu_request=8.0, cpu_limit=8.0, memory_request_bytes=1000, memory_limit_bytes=1000)
    (container,) = build(spec, PodSettings(request_share=0.05))["spec"]["containers"]
    assert container["resources"] == {
        "requests": {"cpu": "400m", "memory": "50"},
        "limits": {"cpu": "8000m", "memory": "1000"},
    }


def test_gpus_are_held_and_scratch_is_as_said() -> None:
    resources = {"limits": [{"name": "GPU", "value": "2"}, {"name": "EPHEMERAL_STORAGE", "value": "1Gi"}]}
    spec = attempt({"container": {"args": ["x"], "resources": resources}})
    (container,) = build(spec, PodSettings(gpu_resource="amd.com/gpu"))["spec"]["containers"]
    assert container["resources"]["requests"] == {"amd.com/gpu": "2"}
    assert container["resources"]["limits"] == {"amd.com/gpu": "2", "ephemeral-storage": "1Gi"}


def test_a_tasks_own_pod_keeps_what_it_has() -> None:
    brought = own_pod(
        "main",
        {
            "containers": [
                {
                    "name": "main",
                    "image": "old",
                    "env": [{"name": "A", "value": "0"}, {"name": "S", "valueFrom": {"x": "y"}}],
                },
                {"name": "side", "image": "envoy", "ports": [{"containerPort": 8080}]},
            ],
            "dnsPolicy": "None",
        },
        labels={"of": "pod"},
        annotations={"of": "pod"},
    )
    made = build(attempt(pods=(brought,)))
    main, side = made["spec"]["containers"]
    assert (main["image"], variables(main)["A"], variables(main)["S"]) == ("app:1", "1", {"x": "y"})
    assert side == {"name": "side", "image": "envoy", "ports": [{"containerPort": 8080}]}
    assert isinstance(side["ports"][0]["containerPort"], int)
    assert made["spec"]["dnsPolicy"] == "None"
    assert made["metadata"]["labels"]["of"] == made["metadata"]["annotations"]["of"] == "pod"
    assert manifests.primary_of(made) == "main"


def test_a_nodes_pod_is_laid_over_the_tasks() -> None:
    own = own_pod("main", {"containers": [{"name": "main", "tty": True}], "hostname": "a"})
    of_node = own_pod("primary", {"containers": [{"name": "primary", "stdin": True}], "hostname": "b"})
    spec = build(attempt(pods=(own, of_node)))["spec"]
    (container,) = spec["containers"]
    assert (container["tty"], container["stdin"], spec["hostname"]) == (True, True, "b")


def test_templates_lie_under_all_and_prototypes_in_their_containers() -> None:
    told = PodSettings(
        template={"metadata": {"labels": {"cost": "1"}}, "spec": {"priorityClassName": "low", "containers": []}}
    )
    template = {
        "spec": {
            "priorityClassName": "high",
            "volumes": [{"name": "store", "emptyDir": {}}],
            "containers": [
                {"name": "default", "volumeMounts": [{"name": "store", "mountPath": "/s"}], "tty": False},
                {"name": "primary", "tty": True},
                {"name": "logger", "image": "l"},
            ],
        }
    }
    brought = own_pod("main", {"containers": [{"name": "main"}, {"name": "side", "image": "s"}]})
    made = build(attempt(pods=(brought,)), told, template)
    spec = made["spec"]
    by_name = {one["name"]: one for one in spec["containers"]}
    assert list(by_name) == ["logger", "main", "side"]
    assert by_name["main"]["tty"] is True
    assert by_name["side"]["tty"] is False
    assert by_name["main"]["volumeMounts"] == by_name["side"]["volumeMounts"] == [{"name": "store", "mountPath": "/s"}]
    assert "volumeMounts" not in by_name["logger"]
    assert (spec["priorityClassName"], spec["volumes"]) == ("high", [{"name": "store", "emptyDir": {}}])
    assert made["metadata"]["labels"]["cost"] == "1"


def test_secrets_are_where_flytekit_looks_for_them() -> None:
    asked = (
        SecretRequest("group", "Key"),
        SecretRequest("group", "Other", variable="PLACE"),
        SecretRequest("g2", "K", "v3", as_variable=True, variable="MINE"),
        SecretRequest("whole"),
    )
    spec = build(attempt(secrets=asked))["spec"]
    (container,) = spec["containers"]
    env = variables(container)
    reference = {"secretKeyRef": {"name": "g2", "key": "K", "optional": True}}
    assert env["_FSEC_G2_V3_K"] == env["MINE"] == reference
    assert env["PLACE"] == "/etc/flyte/secrets/group/other"
    assert (env["FLYTE_SECRETS_ENV_PREFIX"], env["FLYTE_SECRETS_DEFAULT_DIR"]) == ("_FSEC_", "/etc/flyte/secrets")
    first, second = (volume["secret"] for volume in spec["volumes"])
    assert first["items"] == [{"key": "Key", "path": "key"}, {"key": "Other", "path": "other"}]
    assert second == {"secretName": "whole", "optional": True}
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == [
        "/etc/flyte/secrets/group",
        "/etc/flyte/secrets/whole",
    ]


def test_interruptible_pods_go_where_others_do_not() -> None:
    spot = {"tolerations": [{"key": "spot"}], "nodeSelector": {"spot": "true"}}
    told = PodSettings(interruptible=spot, safe={"nodeSelector": {"spot": "false"}})
    risky, safe = (build(attempt(interruptible=one), told)["spec"] for one in (True, False))
    assert (risky["tolerations"], risky["nodeSelector"]) == ([{"key": "spot"}], {"spot": "true"})
    assert "tolerations" not in safe
    assert safe["nodeSelector"] == {"spot": "false"}


def test_an_accelerator_is_asked_for_in_every_alternative() -> None:
    accelerator = {"device": "nvidia-tesla-a100", "partition_size": "1g.5gb"}
    spec = attempt({"container": {"args": ["x"]}, "extended_resources": {"gpu_accelerator": accelerator}})
    term = {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term, {}]}}}
    made = build(spec, PodSettings(template={"spec": {"affinity": affinity}}))["spec"]
    terms = made["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert [[one["key"] for one in each["matchExpressions"]] for each in terms] == [
        ["zone", "k8s.amazonaws.com/accelerator", "k8s.amazonaws.com/gpu-partition-size"],
        ["k8s.amazonaws.com/accelerator", "k8s.amazonaws.com/gpu-partition-size"],
    ]
    assert [one["value"] for one in made["tolerations"]] == ["nvidia-tesla-a100", "1g.5gb"]


def test_shared_memory_is_mounted_unless_its_place_is_taken() -> None:
    shared = {"container": {"args": ["x"]}, "extended_resources": {"shared_memory": {"size_limit": "2Gi"}}}
    made = build(attempt(shared))["spec"]
    assert made["volumes"] == [{"name": "flyte-shared-memory", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}}]
    assert made["containers"][0]["volumeMounts"] == [{"name": "flyte-shared-memory", "mountPath": "/dev/shm"}]
    taken = {"spec": {"containers": [{"name": "default", "volumeMounts": [{"name": "a", "mountPath": "/dev/shm"}]}]}}
    with pytest.raises(mounting.BadTask, match=r"mounted at /dev/shm already"):
        build(attempt(shared), PodSettings(template=taken))


def test_whom_it_runs_as() -> None:
    told = PodSettings(service_account="platform", template={"spec": {"serviceAccountName": "template"}})
    assert build(attempt(service_account="mine"), told)["spec"]["serviceAccountName"] == "mine"
    assert build(attempt(), told)["spec"]["serviceAccountName"] == "template"
    assert build(attempt(), PodSettings(service_account="platform"))["spec"]["serviceAccountName"] == "platform"
    assert "serviceAccountName" not in build(attempt())["spec"]


def test_projects_that_share_a_namespace_have_names_of_their_own() -> None:
    shared = PodSettings(namespace="team")
    made = build(attempt(), shared)["metadata"]
    assert made["namespace"] == "team"
    assert made["name"].startswith("x1-n0-0-")
    other = build(attempt(key=KEY.replace("flytesnacks", "other")), shared)["metadata"]
    assert other["name"] != made["name"]


@pytest.mark.parametrize(
    ("text", "made"),
    [("a" * 80, "a" * 63), ("flows.größe#3", "flows.gr-e-3"), ("--x--", "x"), ("", ""), ("a/b c", "a-b-c")],
)
def test_labels_hold_what_labels_may_hold(text: str, made: str) -> None:
    assert names.label(text) == made
