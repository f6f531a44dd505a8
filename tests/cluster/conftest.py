"""A platform of this machine whose tasks are pods: they share its storage as a folder of the node."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dayfly.cli import deployment
from tests.platforms import launching, trying_again
from tests.platforms.server import Server
from tests.platforms.trying_again import pytest_runtest_makereport

__all__ = ["pytest_runtest_makereport"]

IMAGE = os.environ.get("DAYFLY_TEST_CLUSTER_IMAGE", "")

NAMESPACE = f"{launching.PROJECT}-{launching.DOMAIN}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if IMAGE and os.environ.get("KUBECONFIG"):
        return
    skip = pytest.mark.skip(reason="no Kubernetes cluster: set KUBECONFIG and DAYFLY_TEST_CLUSTER_IMAGE")
    for item in items:
        if "tests/cluster/" in str(item.path):
            item.add_marker(skip)


class Cluster:
    """One namespace of the cluster, as people see it: through kubectl."""

    def __init__(self, namespace: str = NAMESPACE) -> None:
        self.namespace = namespace

    def get(self, kind: str, namespace: str = "", selector: str = "dayfly.dev/platform") -> list[dict[str, Any]]:
        """Return the platform's objects of a kind."""
        told = self.run(
            "get", kind, "--namespace", namespace or self.namespace, "--selector", selector, "--output", "json"
        )
        items: list[dict[str, Any]] = json.loads(told)["items"]
        return items

    def pods(self, role: str = "", execution: str = "") -> dict[str, dict[str, Any]]:
        """Return the platform's pods by name, those of one role or execution if it is given."""
        wanted = [("dayfly.dev/role", role), ("execution-id", execution)]
        selector = ",".join(f"{name}={value}" for name, value in wanted if value) or "dayfly.dev/platform"
        return {pod["metadata"]["name"]: pod for pod in self.get("pods", selector=selector)}

    def left(self, *kinds: str) -> list[str]:
        """Name everything that there is of the platform, of these kinds too."""
        wanted = ("pods", "services", "deployments", "replicasets", *kinds)
        return [f"{kind}/{one['metadata']['name']}" for kind in wanted for one in self.get(kind)]

    def wait_until_not_leaving(self, namespace: str) -> None:
        """Return once a namespace, which an earlier run may have deleted, can be made."""
        told = [
            "get",
            "namespace",
            namespace,
            "--ignore-not-found",
            "--output",
            "jsonpath={.metadata.deletionTimestamp}",
        ]
        if self.run(*told):
            self.run("wait", "--for=delete", f"namespace/{namespace}", "--timeout=100s")

    def release_workflows(self, namespace: str = "") -> None:
        """Let go of what a platform that is no more has held, so that the namespace, or the kind, can be deleted."""
        kind = "flyteworkflows.dayfly.dev"
        if not self.run("get", "crd", kind, "--ignore-not-found"):
            return
        where = ["--namespace", namespace] if namespace else ["--all-namespaces"]
        for one in json.loads(self.run("get", kind, *where, "--output", "json"))["items"]:
            if one["metadata"].get("finalizers"):
                words = ["--namespace", one["metadata"]["namespace"], "--type", "merge"]
                self.run("patch", kind, one["metadata"]["name"], *words, "--patch", '{"metadata": {"finalizers": []}}')

    def apply(self, objects: Iterable[dict[str, Any]], *words: str) -> str:
        """Have objects made or changed."""
        return self.run("apply", "--filename", "-", *words, given=yaml.safe_dump_all(objects))

    def run(self, *words: str, given: str = "") -> str:
        """Run kubectl, and return what it says."""
        done = subprocess.run(
            ["kubectl", *words], input=given, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout


@pytest.fixture(autouse=True)
def runs_of_failed_tests(request: pytest.FixtureRequest) -> Iterator[None]:
    """End what a test that has failed has begun: some of it goes on for ever, and all that follow wait for an empty
    cluster."""
    servers = [request.getfixturevalue(name) for name in ("jobs", "server") if name in request.fixturenames]
    yield
    if trying_again.has_failed(request.node):
        for server in servers:
            launching.abort_all(server)


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    return Cluster()


ACCOUNT_NAMESPACE = "dayfly-account"


def write_kubeconfig(cluster: Cluster, told: deployment.Deployment, file: Path, *, without: str = "") -> None:
    """Make a platform's account, with the rights that `dayfly deploy` gives it and no others, and its kubeconfig;
    `without` those to an API group."""
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": told.namespace}}
    cluster.wait_until_not_leaving(told.namespace)
    rights = [one for one in deployment.build(told) if "Role" in one["kind"] or one["kind"] == "ServiceAccount"]
    for one in rights:
        if "rules" in one and without:
            one["rules"] = [rule for rule in one["rules"] if without not in rule["apiGroups"]]
    cluster.apply([namespace, *rights])
    token = cluster.run("create", "token", told.name, "--namespace", told.namespace, "--duration", "2h").strip()
    config = json.loads(cluster.run("config", "view", "--raw", "--minify", "--output", "json"))
    config["users"] = [{"name": config["users"][0]["name"], "user": {"token": token}}]
    file.write_text(json.dumps(config))


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Path]:
    """The kubeconfig of the account of a platform whose projects and domains have namespaces of their own."""
    told = deployment.Deployment(IMAGE, "s3://bucket", namespace=ACCOUNT_NAMESPACE)
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    write_kubeconfig(cluster, told, file)
    yield file
    cluster.run("delete", "namespace", ACCOUNT_NAMESPACE, "--timeout=100s")
    cluster.run("delete", "clusterrole,clusterrolebinding", f"{ACCOUNT_NAMESPACE}-{told.name}")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster, account: Path) -> Iterator[Server]:
    """A platform that makes Dask clusters of plain pods, whatever the cluster knows."""
    with serving(tmp_path_factory.mktemp("pods") / "data", account, DAYFLY_KUBERNETES__DASK="pods") as server:
        yield server
    launching.wait_until(lambda: not cluster.left(), "everything to be gone")


@contextlib.contextmanager
def serving(data: Path, account: Path, **settings: str) -> Iterator[Server]:
    """Run a platform whose tasks are pods, its folder theirs too, with the rights of its account."""
    data.mkdir()
    told = {
        "DAYFLY_ENGINE__BACKEND": "kubernetes",
        "DAYFLY_KUBERNETES__KUBECONFIG": str(account),
        "DAYFLY_KUBERNETES__POD_TEMPLATE": json.dumps(pod_template(data)),
        "DAYFLY_KUBERNETES__IMAGE_PULL_POLICY": "IfNotPresent",
        "DAYFLY_KUBERNETES__IMAGE_PULL_SECONDS": "5",
        # One node of two cores is shared by all pods of a test, whatever they ask for.
        "DAYFLY_KUBERNETES__REQUEST_SHARE": "0.01",
        "DAYFLY_TASKS__DEFAULT_CPU": "50m",
        "DAYFLY_TASKS__DEFAULT_MEMORY": "128Mi",
        **settings,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in told.items():
            patch.setenv(name, value)
        with Server(data) as server:
            yield server


def pod_template(data: Path) -> dict[str, Any]:
    """Return the template of all pods: a folder of the node is theirs."""
    return {
        "spec": {
            "volumes": [{"name": "store", "hostPath": {"path": str(data)}}],
            "containers": [
                {"name": "default", "image": IMAGE, "volumeMounts": [{"name": "store", "mountPath": str(data)}]}
            ],
            "terminationGracePeriodSeconds": 2,
        }
    }


def register(server: Server, *programs: Path) -> None:
    """Register the entities of programs of one folder with the image of the tests."""
    names = [program.name for program in programs]
    words = ["register", "--image", IMAGE, "--version", launching.VERSION]
    done = server.pyflyte(*words, *names, cwd=programs[0].parent)
    assert done.returncode == 0, done.stdout + done.stderr
