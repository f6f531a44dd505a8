"""The API server itself is stopped and started again while tasks run: they go on, and what was to be done meanwhile is
done afterwards. One that merely cannot be reached for a while is in `test_operators`."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.client import watching
from dayfly.model.identifiers import ExecutionId
from tests.cluster import conftest, operators, workflows
from tests.cluster.operators import Operator
from tests.cluster.workflows import NAMESPACE, Workflows
from tests.platforms import launching
from tests.platforms.server import Server

RESTART = os.environ.get("DAYFLY_TEST_CLUSTER_RESTART", "")
"""Shell command that stops the cluster's API server for some seconds, starts it again, and returns once it answers."""

PROGRAM = Path(__file__).parent / "programs" / "outlasting.py"

PATIENCE_SECONDS = 240

DASK_KINDS = ("daskjobs", "daskclusters", "daskworkergroups")

pytestmark = pytest.mark.skipif(
    not RESTART, reason="nobody says how this cluster's API server is restarted: set DAYFLY_TEST_CLUSTER_RESTART"
)


@pytest.fixture
def operator(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Operator | None]:
    """The Dask operator, where clusters are its."""
    if request.param == "pods":
        yield None
        return
    operators.install()
    with operators.defined(operators.NEWEST):
        running = Operator(operators.NEWEST, tmp_path / "operator.log")
        running.start()
        yield running
        running.stop()


def answers() -> bool:
    """Say whether the API server can be reached."""
    asked = ["kubectl", "get", "--raw", "/readyz", "--request-timeout=2s"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def size_of(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def attempts(seen: watching.Snapshot) -> list[watching.AttemptView]:
    return [attempt for node in seen.nodes for attempt in node.attempts]


def is_running(server: Server, execution: ExecutionId) -> bool:
    return any(attempt.phase.name == "RUNNING" for attempt in attempts(launching.look(server, execution)))


def launch(server: Server, task: str, name: str) -> tuple[ExecutionId, Path]:
    """Launch a task, and return the file that it waits for."""
    go = server.folder / name
    return launching.launch_task(server, f"outlasting.{task}", text=str(go)), go


@pytest.mark.parametrize("operator", ["job", "pods"], indirect=True)
def test_an_api_server_that_is_started_again_changes_nothing(
    tmp_path: Path, account: Path, operator: Operator | None
) -> None:
    workflows.install_kind()
    workflows.require_namespace(NAMESPACE)
    cluster = Workflows(NAMESPACE)
    kinds = DASK_KINDS if operator is not None else ()
    settings = {**workflows.SETTINGS, "DAYFLY_KUBERNETES__DASK": "auto" if operator is not None else "pods"}
    with conftest.serving(tmp_path / "data", account, **settings) as server:
        conftest.register(server, PROGRAM)
        alone, alone_goes = launch(server, "alone", "alone")
        unwanted, _ = launch(server, "alone", "unwanted")
        spread, spread_goes = launch(server, "spread", "spread")
        computed = tmp_path / "data" / "spread-computed"
        launching.wait_until(lambda: size_of(computed) > 3, "the Dask task to compute", PATIENCE_SECONDS)
        for one in (alone, unwanted, spread):
            launching.wait_until(lambda one=one: is_running(server, one), f"{one.name} to run", PATIENCE_SECONDS)
            cluster.until_phase(one.name, "RUNNING")
        # In a session of its own: who ends these tests is not to leave the cluster without its API server.
        told = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True, "start_new_session": True}
        with subprocess.Popen(RESTART, shell=True, **told) as over:
            launching.wait_until(lambda: not answers(), "the API server to be gone")
            # None of this can be told to it, nor does it tell of it.
            alone_goes.touch()
            launching.abort(server, unwanted, "enough")
            late, late_goes = launch(server, "spread", "late")
            before = size_of(computed)
            said = over.communicate(timeout=PATIENCE_SECONDS)[0]
        assert over.returncode == 0, said
        assert size_of(computed) > before, "the Dask task computed all the while"
        for go in (spread_goes, late_goes):
            go.touch()
        for one in (alone, spread, late):
            ended, outputs = launching.wait(server, one, PATIENCE_SECONDS)
            assert ended.phase.name == "SUCCEEDED", (ended, server.log.read_text())
            assert len(attempts(ended)) == 1, ended
            assert outputs == {"o0": str(alone_goes) if one is alone else 0}
        assert launching.wait(server, unwanted, PATIENCE_SECONDS)[0].phase.name == "ABORTED"
        for name in ("alone", "spread", "late"):
            assert size_of(tmp_path / "data" / f"{name}-begun") == 1, f"{name} was begun once"
        for one, phase in ((alone, "SUCCEEDED"), (unwanted, "ABORTED"), (spread, "SUCCEEDED"), (late, "SUCCEEDED")):
            cluster.until_phase(one.name, phase)
        maker = "by DaskJob" if operator is not None else "of plain pods"
        assert all(maker in attempts(launching.look(server, one))[0].reason for one in (spread, late))
        launching.wait_until(lambda: not cluster.left(*kinds), "everything to be gone", PATIENCE_SECONDS)
        cluster.run("delete", workflows.PLURAL, "--all", "--namespace", NAMESPACE, "--timeout=30s")
