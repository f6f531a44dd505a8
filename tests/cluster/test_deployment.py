"""What `dayfly deploy` and the chart print, on a real cluster: taken by it, and enough to run the article's program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from dayfly.model.identifiers import ExecutionId
from tests.cluster.conftest import IMAGE, Cluster
from tests.platforms import launching
from tests.platforms.server import BIN

ARTICLE = Path(__file__).parents[1] / "clients" / "article"

CHART = Path(__file__).parents[2] / "deploy" / "helm" / "dayfly"

NAMESPACE = "dayfly-team"

EXECUTION = ExecutionId(launching.PROJECT, launching.DOMAIN, "inc")

BOTH = ("store", "data")
"""The volume that platform and tasks share, and that of the platform alone."""


def printed(*words: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [BIN / "dayfly", "deploy", "kubernetes", "--image", IMAGE, "--namespace", NAMESPACE, *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return list(yaml.safe_load_all(done.stdout))


def claims(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield a volume that is a folder of the node, and a claim on it, for each."""
    for name in BOTH:
        (folder / name).mkdir(mode=0o777)
        (folder / name).chmod(0o777)
        size = {"storage": "1Gi"}
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"{NAMESPACE}-{name}"},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteMany"],
                "hostPath": {"path": str(folder / name)},
                "claimRef": {"name": name, "namespace": NAMESPACE},
                "storageClassName": "",
            },
        }
        yield {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": name, "namespace": NAMESPACE},
            "spec": {"accessModes": ["ReadWriteMany"], "resources": {"requests": size}, "storageClassName": ""},
        }


@pytest.fixture
def namespace(cluster: Cluster, tmp_path: Path) -> Iterator[str]:
    cluster.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}, *claims(tmp_path)])
    yield NAMESPACE
    cluster.run("--namespace", NAMESPACE, "delete", "deployment", "--all", "--timeout=60s")
    cluster.release_workflows(NAMESPACE)
    cluster.run("delete", "namespace", NAMESPACE, "--wait=true", "--timeout=100s")
    cluster.run("delete", "persistentvolume", *(f"{NAMESPACE}-{name}" for name in BOTH))


def test_a_team_runs_a_program_on_a_platform_in_the_cluster(cluster: Cluster, namespace: str, tmp_path: Path) -> None:
    cheap = ["--env", "DAYFLY_KUBERNETES__REQUEST_SHARE=0.01"]
    told = printed("--namespaced", "--shared-claim", "store", "--volume-claim", "data", *cheap)
    pod = next(one for one in told if one["kind"] == "Deployment")["spec"]["template"]["spec"]
    # The image of the tests holds a virtual environment that may lie in a home folder.
    pod["securityContext"] = {"runAsUser": 0}
    cluster.apply(told)
    cluster.run("--namespace", namespace, "rollout", "status", "deployment/dayfly", "--timeout=100s")
    forward = ["kubectl", "--namespace", namespace, "port-forward", "service/dayfly", "30080"]
    with subprocess.Popen(forward, stdout=subprocess.PIPE, text=True) as forwarded:
        try:
            assert forwarded.stdout is not None
            assert "127.0.0.1:30080" in forwarded.stdout.readline()
            done = subprocess.run(
                [
                    *(BIN / "pyflyte", "run", "--remote", "--wait", "--image", IMAGE, "--name", "inc"),
                    *(ARTICLE / "increment_numbers.py", "increment_numbers", "--list_length", "5"),
                ],
                capture_output=True,
                text=True,
                check=False,
                cwd=tmp_path,
                env={"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path)},
                timeout=200,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            _, outputs = launching.wait(SimpleNamespace(address="127.0.0.1:30080"), EXECUTION)
        finally:
            forwarded.terminate()
    log = cluster.run("--namespace", namespace, "logs", "deployment/dayfly")
    assert outputs == {"o0": [1, 2, 3, 4, 5]}
    launching.wait_until(lambda: not cluster.get("pods", namespace), "the task's pods to be gone")
    assert "orbidden" not in log, log  # its rights were enough


@pytest.mark.parametrize("values", ["storage=s3://bucket", "namespaced=true,sharedClaim=all,volume.claim=mine"])
def test_the_chart_is_taken(cluster: Cluster, namespace: str, values: str) -> None:
    helm = Path(sys.executable).parent / "helm"
    words = ["template", "dayfly", str(CHART), "--namespace", namespace, "--set", f"image={IMAGE},{values}"]
    made = subprocess.run([helm, *words], capture_output=True, text=True, check=True, timeout=60).stdout
    said = cluster.apply(yaml.safe_load_all(made), "--dry-run=server")
    assert said.count("created (server dry run)") == made.count("\nkind: "), said
