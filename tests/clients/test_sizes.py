"""What tasks may take: overrides of nodes, limits of the platform, more memory after running out of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.model.phases import AttemptPhase, ExecutionPhase

PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_TASKS__MEMORY_GROWTH", "2")
        patch.setenv("DAYFLY_TASKS__MAX_CPU", "32")
        server = Server(tmp_path_factory.mktemp("sizes") / "data").start()
    with server:
        done = server.pyflyte("register", "--version", "v1", "sizes.py", cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield server


def run(server: Server, workflow: str):
    return launching.wait(server, launching.launch(server, f"sizes.{workflow}"))


def test_a_retry_after_running_out_of_memory_gets_more_and_says_so(server: Server) -> None:
    ended, outputs = run(server, "grows_into_it")
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": 350}), ended.error
    first, second = ended.nodes[0].attempts
    assert (first.phase, first.error.code) == (AttemptPhase.FAILED, "OOMKilled")
    assert "its limit is 250 MiB" in first.error.message
    assert "retry 1 of 2 of the task's own retries, 1 left" in first.reason
    assert "after running out of memory its limit is raised from 250 MiB to 500 MiB" in [
        told for _, told in second.reasons
    ]


def test_a_node_overrides_its_tasks_resources(server: Server) -> None:
    ended, outputs = run(server, "node_asks_for_more")
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": 350}), ended.error
    assert len(ended.nodes[0].attempts) == 1


def test_more_than_the_platform_allows_is_refused_at_registration(server: Server) -> None:
    done = server.pyflyte("register", "--version", "v1", "too_large.py", cwd=PROGRAMS)
    assert done.returncode != 0
    assert "the request of cpu is 64; this platform allows 32" in done.stdout + done.stderr
