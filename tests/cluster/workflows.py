"""`FlyteWorkflow` resources as people see them, and platforms that have a namespace of their own for them."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dayfly.model.identifiers import ExecutionId
from tests.cluster import conftest
from tests.cluster.conftest import Cluster
from tests.platforms import launching
from tests.platforms.server import BIN, Server

PROGRAM = Path(__file__).parent / "programs" / "reports.py"

NAMESPACE = f"workflows-{launching.PROJECT}-{launching.DOMAIN}"
PLATFORM = "workflows"

SETTINGS = {
    "DAYFLY_KUBERNETES__NAMESPACE": "workflows-{project}-{domain}",
    "DAYFLY_KUBERNETES__PLATFORM": PLATFORM,
}

PLURAL = "flyteworkflows.dayfly.dev"


class Workflows(Cluster):
    """One namespace, and the resources in it."""

    def find(self, name: str) -> dict[str, Any] | None:
        """Return a resource, None if there is none."""
        told = self.run("get", PLURAL, name, "--namespace", self.namespace, "--ignore-not-found", "--output", "json")
        found: dict[str, Any] | None = json.loads(told) if told.strip() else None
        return found

    def names(self) -> set[str]:
        """Return the names of all resources."""
        told = self.run("get", PLURAL, "--namespace", self.namespace, "--output", "json")
        return {one["metadata"]["name"] for one in json.loads(told)["items"]}

    def status(self, name: str) -> dict[str, Any]:
        """Return the status of a resource, empty while it has none."""
        return (self.find(name) or {}).get("status") or {}

    def phase(self, name: str) -> str:
        """Return the phase of a resource, empty while it has none."""
        return str(self.status(name).get("phase", ""))

    def until_phase(self, name: str, *phases: str) -> dict[str, Any]:
        """Return the status once it is in one of these phases."""
        launching.wait_until(lambda: self.phase(name) in phases, f"{name} to be {' or '.join(phases)}")
        return self.status(name)

    def until_running(self, execution: ExecutionId) -> None:
        """Return once the execution has pods, and all of them run."""

        def running() -> bool:
            pods = self.pods(execution=execution.name).values()
            return bool(pods) and all(pod["status"]["phase"] == "Running" for pod in pods)

        launching.wait_until(running, "the pod to run")

    def until_gone(self, name: str) -> None:
        """Return once a resource is gone, and with it every pod and service."""
        launching.wait_until(lambda: self.find(name) is None, f"{name} to be gone")
        launching.wait_until(lambda: not self.left(), "the pods to be gone")

    def delete(self, name: str, *words: str) -> None:
        """Delete a resource, without waiting until it is gone."""
        self.run("delete", PLURAL, name, "--namespace", self.namespace, "--wait=false", *words)

    def ask_for(self, name: str, launch_plan: Mapping[str, str] | None, **inputs: Any) -> None:
        """Make a resource that is to start an execution."""
        spec: dict[str, Any] = {"inputs": inputs}
        if launch_plan is not None:
            spec["launchPlan"] = launch_plan
        metadata = {"name": name, "namespace": self.namespace, "labels": {"dayfly.dev/platform": PLATFORM}}
        manifest = {"apiVersion": "dayfly.dev/v1", "kind": "FlyteWorkflow", "metadata": metadata, "spec": spec}
        self.apply([manifest])


def install_kind() -> None:
    """Make the kind known, as the documentation says."""
    printed = subprocess.run([BIN / "dayfly", "deploy", "kubernetes", "--crd"], capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    cluster = Cluster()
    cluster.run("apply", "--filename", "-", given=printed.stdout)
    cluster.run("wait", "--for=condition=Established", f"crd/{PLURAL}", "--timeout=30s")


def require_namespace(namespace: str) -> None:
    """Make a namespace, or find it made."""
    Cluster().apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}])


@contextlib.contextmanager
def platform(data: Path, kubeconfig: Path, **settings: str) -> Iterator[Server]:
    """Run a platform whose tasks are pods, with the account of a kubeconfig; `settings` go over those of all tests."""
    with conftest.serving(data, kubeconfig, **{**SETTINGS, **settings}) as server:
        conftest.register(server, PROGRAM)
        yield server


@contextlib.contextmanager
def operator(server: Server, kubeconfig: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `dayfly operator` beside a platform."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**SETTINGS, "DAYFLY_KUBERNETES__KUBECONFIG": str(kubeconfig)}.items():
            patch.setenv(name, value)
        with log.open("a") as told:
            process = subprocess.Popen(
                [BIN / "dayfly", "operator", "--endpoint", server.address],
                stdout=subprocess.PIPE,
                stderr=told,
                text=True,
                start_new_session=True,
            )
    assert process.stdout is not None
    with process.stdout:
        assert "Looking after" in process.stdout.readline(), log.read_text()
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
