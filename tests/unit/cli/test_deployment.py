"""What `dayfly deploy kubernetes` prints: the chart says the same, and Kubernetes knows every word of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from dayfly.base import errors
from dayfly.cli import deploy, deployment
from dayfly.model import flyte_workflows

CHART = Path(__file__).parents[3] / "deploy" / "helm" / "dayfly"

HELM = Path(sys.executable).parent / "helm"

VERSIONS = ("1.25", "1.37")
"""The oldest Kubernetes whose schema there is, and the newest. A still older one is real, in `tests/cluster`."""

CASES: dict[str, tuple[list[str], Mapping[str, Any]]] = {
    "cluster": (["--storage", "s3://bucket"], {"storage": "s3://bucket"}),
    "namespaced": (
        ["--namespaced", "--shared-claim", "all", "--volume-claim", "mine"],
        {"namespaced": True, "sharedClaim": "all", "volume": {"claim": "mine"}},
    ),
    "told": (
        [
            *("--storage", "gs://bucket", "--public-url", "https://flows.example", "--volume-size", "5Gi"),
            *("--secret", "database", "--secret", "store", "--env", "DAYFLY_SERVER__HOST=::", "--env", "Z=a=b"),
            *("--task-env", "AWS_REGION=eu", "--task-env", "A="),
        ],
        {
            "storage": "gs://bucket",
            "publicUrl": "https://flows.example",
            "volume": {"size": "5Gi"},
            "secrets": ["database", "store"],
            "environment": {"DAYFLY_SERVER__HOST": "::", "Z": "a=b"},
            "taskEnvironment": {"AWS_REGION": "eu", "A": ""},
        },
    ),
}

needs_helm = pytest.mark.skipif(not HELM.exists(), reason="no wheel with Helm for this machine")


def printed(*words: str) -> list[dict[str, Any]]:
    told = CliRunner().invoke(deploy.command, ["kubernetes", "--image", "registry/dayfly:1", *words])
    assert told.exit_code == 0, (told.output, told.exception)
    return list(yaml.safe_load_all(told.output))


def templated(tmp_path: Path, values: Mapping[str, Any]) -> subprocess.CompletedProcess[str]:
    (tmp_path / "values.yaml").write_text(json.dumps(values))
    words = ["template", "flows", str(CHART), "--namespace", "team", "--values", str(tmp_path / "values.yaml")]
    home = {"HOME": str(tmp_path), "PATH": ""}
    return subprocess.run([HELM, *words], capture_output=True, text=True, check=False, env=home, timeout=60)


@needs_helm
@pytest.mark.parametrize("case", CASES)
def test_the_chart_says_the_same(tmp_path: Path, case: str) -> None:
    words, values = CASES[case]
    done = templated(tmp_path, {"image": "registry/dayfly:1", **values})
    assert done.returncode == 0, done.stderr
    objects = {one["kind"]: one for one in yaml.safe_load_all(done.stdout)}
    assert objects == {one["kind"]: one for one in printed("--name", "flows", "--namespace", "team", *words)}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", CASES)
def test_kubernetes_knows_every_word_of_it(case: str, version: str) -> None:
    for one in printed(*CASES[case][0]):
        kubernetes_validate.validate(one, version, strict=True)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_kind_is_printed_by_itself(version: str) -> None:
    told = CliRunner().invoke(deploy.command, ["kubernetes", "--crd"])
    assert told.exit_code == 0, told.output
    (kind,) = yaml.safe_load_all(told.output)
    kubernetes_validate.validate(kind, version, strict=True)
    assert kind["metadata"]["name"] == f"{flyte_workflows.PLURAL}.{flyte_workflows.GROUP}"
    assert [one["name"] for one in kind["spec"]["versions"]] == [flyte_workflows.VERSION]
    assert (CHART / "crds" / "flyteworkflows.yaml").read_text() == told.output


def test_a_platform_is_not_printed_without_its_image() -> None:
    told = CliRunner().invoke(deploy.command, ["kubernetes", "--storage", "s3://bucket"])
    assert told.exit_code == 2
    assert "--image" in told.output


def test_the_schema_finds_a_word_that_is_wrong() -> None:
    made = next(one for one in printed("--storage", "s3://b") if one["kind"] == "Deployment")
    made["spec"]["template"]["spec"]["containers"][0]["ports"][0]["kontainerPort"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(made, VERSIONS[0], strict=True)


WRONG = [
    ({"storage": "bucket"}, "storage"),
    ({"storage": "s3://b", "replicas": 2}, "replicas"),
    ({"storage": "s3://b", "image": ""}, "Set image"),
    ({}, "set storage"),
    ({"sharedClaim": "all"}, "set namespaced"),
]


@needs_helm
@pytest.mark.parametrize(("values", "why"), WRONG)
def test_the_chart_refuses_what_makes_no_sense(tmp_path: Path, values: dict[str, Any], why: str) -> None:
    done = templated(tmp_path, {"image": "registry/dayfly:1", **values})
    assert done.returncode != 0
    assert why in done.stderr


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="reach no folder of the platform's own"):
        deployment.build(deployment.Deployment("i"))
    with pytest.raises(errors.InvalidArgument, match="Add --namespaced"):
        deployment.build(deployment.Deployment("i", shared_claim="all"))
    told = CliRunner().invoke(deploy.command, ["kubernetes", "--image", "i", "--storage", "s3://b", "--env", "=a"])
    assert isinstance(told.exception, errors.InvalidArgument)
    assert "NAME=VALUE" in str(told.exception)


def test_nothing_beside_its_namespace_is_asked_for() -> None:
    kinds = {one["kind"] for one in printed("--namespaced", "--storage", "s3://b")}
    assert not any(kind.startswith("Cluster") for kind in kinds)
