"""The real Dask operator, as a process of this machine, and its resource definitions in the cluster."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.platforms import launching

ROOT = Path(__file__).parents[2]

UNREACHABLE = "error sending request"
"""How uv says that no package index answers; any other failure to install is one of the tests."""

CRDS = "dask_kubernetes/operator/deployment/helm/dask-kubernetes-operator/crds"

NEWEST, OLDER = ".venv-dask-operator", ".venv-older-dask-operator"
"""Environments of two releases, a year apart; see Makefile."""


class Operator:
    """The operator of one environment; it may come and go."""

    def __init__(self, environment: str, log: Path) -> None:
        self.bin = ROOT / environment / "bin"
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return once it watches."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            health = f"http://127.0.0.1:{free.getsockname()[1]}/healthz"
        words = ["run", "--module", "dask_kubernetes.operator.controller", "--all-namespaces", f"--liveness={health}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self.bin / "kopf", *words], stdout=log, stderr=log, env={**os.environ, "PYTHONWARNINGS": "ignore"}
            )

        def answers() -> bool:
            assert self._process is not None
            assert self._process.poll() is None, self.log.read_text()
            with contextlib.suppress(httpx.TransportError):
                return httpx.get(health, trust_env=False).is_success
            return False

        launching.wait_until(answers, "the Dask operator to answer")

    def kill(self) -> None:
        """`kill -9`; nothing if it does not run."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order; nothing if it does not run."""
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(number)
            process.wait(timeout=30)


def install() -> None:
    """Make the environments. Skip the tests where no package index answers."""
    made = subprocess.run(["make", "dask-operators"], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode and UNREACHABLE in made.stderr:
        pytest.skip(f"the Dask operator cannot be installed, since no package index answers: {made.stderr}")
    assert made.returncode == 0, made.stdout + made.stderr


@contextlib.contextmanager
def defined(environment: str) -> Iterator[None]:
    """Have the cluster know the operator's resources; it forgets them afterwards, unless it knew them before."""
    if _kubectl("get", "crd", "daskjobs.kubernetes.dask.org").returncode == 0:
        yield
        return
    (folder,) = (ROOT / environment / "lib").glob(f"python*/site-packages/{CRDS}")
    made = _kubectl("create", "--filename", str(folder))
    assert made.returncode == 0, made.stderr
    waited = _kubectl("wait", "--for=condition=Established", "--timeout=60s", "--filename", str(folder))
    assert waited.returncode == 0, waited.stderr
    yield
    _kubectl("delete", "--filename", str(folder), "--timeout=60s")


def _kubectl(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["kubectl", *words], capture_output=True, text=True, check=False, timeout=120)
