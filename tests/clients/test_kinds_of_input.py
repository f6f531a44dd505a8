"""What people give a workflow on `pyflyte run --remote`: files, folders, tables, typed values, environment."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from tests.platforms import launching
from tests.platforms.server import Server

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

PROGRAM = Path(__file__).parent / "programs" / "kinds.py"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("kinds") / "data folder ü") as server:
        yield server


def run(server: Server, name: str, workflow: str, *inputs: object) -> object:
    started = server.pyflyte(
        "run", "--remote", "--name", name, "--env", "GREETING=hello", PROGRAM, workflow, *inputs, cwd=PROGRAM.parent
    )
    assert started.returncode == 0, started.stdout + started.stderr
    ended, outputs = launching.wait(server, ExecutionId(launching.PROJECT, launching.DOMAIN, name))
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    return outputs["o0"]


def test_files_folders_and_tables_are_uploaded_and_read(server: Server, tmp_path: Path) -> None:
    file, folder, table = tmp_path / "a file ü.txt", tmp_path / "folder", tmp_path / "table.parquet"
    file.write_text("grüße")
    folder.mkdir()
    (folder / "one").write_text("1")
    (folder / "two").write_text("2")
    pd.DataFrame({"column": [1, 2, 3]}).to_parquet(table)

    told = run(server, "uploads", "uploaded", "--file", file, "--folder", folder, "--table", table)

    assert told == "grüße ['one', 'two'] 3"


def test_defaults_are_taken(server: Server) -> None:
    told = run(server, "defaults", "typed", "--settings", '{"factor": 1.5}')
    assert told == "1.5 [] red None 'text' {'one': 1} hello"


def test_typed_values_arrive_as_given(server: Server) -> None:
    settings, counts = '{"factor": 2.5, "tags": ["ü"]}', '{"two": 2}'
    given = ("--settings", settings, "--color", "blue", "--maybe", 4, "--either", 17, "--counts", counts)
    assert run(server, "given", "typed", *given) == "2.5 ['ü'] blue 4 17 {'two': 2} hello"
