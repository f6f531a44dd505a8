"""Secrets: kept with `dayfly secret`, read with flytekit's own `current_context().secrets`, and seen nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly import secrets
from dayfly.model.phases import ExecutionPhase
from dayfly.secrets.folder import Name, Scope

PROGRAMS = Path(__file__).parent / "programs"
VALUES = ("swordfish-42", "hunter-77")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("secrets") / "data") as server:
        kept = secrets.open_folder(server.folder)
        kept.put(Scope(launching.PROJECT), Name("db", "password"), VALUES[0].encode())
        kept.put(Scope(), Name("api", "token"), VALUES[1].encode())
        done = server.pyflyte("register", "--version", "v1", "keepers.py", cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield server


def run(server: Server, workflow: str):
    return launching.wait(server, launching.launch(server, f"keepers.{workflow}"))


def test_flytekit_finds_files_and_variables(server: Server) -> None:
    ended, outputs = run(server, "reads")
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    assert outputs == {"o0": " ".join((VALUES[0], VALUES[1], VALUES[1]))}


def test_workers_of_a_cluster_have_them_too(server: Server) -> None:
    ended, outputs = run(server, "reads_on_cluster")
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    assert outputs == {"o0": VALUES[1] + VALUES[0]}


def test_a_missing_one_says_what_to_do(server: Server) -> None:
    ended, _ = run(server, "misses")
    assert (ended.phase, ended.error.code) == (ExecutionPhase.FAILED, "SecretNotFound")
    assert f"dayfly secret set no/where --project {launching.PROJECT}" in ended.error.message


def test_no_value_lies_anywhere_else(server: Server) -> None:
    ended, _ = run(server, "reads")
    assert ended.phase is ExecutionPhase.SUCCEEDED
    launching.wait_until(lambda: not any((server.folder / "run" / "secrets").iterdir()), "what was delivered to go")
    # Outputs hold what these tasks return; everything else of the platform must not.
    private = (server.folder / "secrets", server.folder / "storage")
    for path in server.folder.rglob("*"):
        if path.is_file() and not any(folder in path.parents for folder in private):
            held = path.read_bytes()
            assert not any(value.encode() in held for value in VALUES), path
    assert not any(value in server.log.read_text() for value in VALUES)
