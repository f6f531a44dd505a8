"""The platform on Postgres: a workflow runs, a killed platform's tasks are taken back, and all of it is in the server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.clients.test_article import ARTICLE, read_back
from tests.platforms import postgres
from tests.platforms.server import Server


@pytest.fixture(scope="module")
def database() -> Iterator[postgres.Server]:
    try:
        with postgres.serving(*postgres.FAST) as server:
            server.execute("CREATE DATABASE dayfly")
            yield server
    except postgres.Unavailable as error:
        pytest.skip(f"NOTHING WAS SHOWN OF POSTGRES: {error}")


def test_a_workflow_runs_on_postgres(database: postgres.Server, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--database", database.url("dayfly")).start()
    try:
        done = server.pyflyte(
            "run", "--remote", "--wait", "--name", "train", "train_model.py", "train_model", "--input_files", '["a", "bb"]',
            cwd=ARTICLE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        server.kill()
        server.start()
        assert read_back(server, "train")["outputs"] == {"o0": ["str", "s3://path-to-model-3"]}

        other = server.dayfly("up", "--data", tmp_path / "other", "--database", database.url("dayfly"), "--port", 0)
        assert other.returncode != 0
        assert "in use by another platform" in other.stderr
    finally:
        server.stop()
    assert server.wait_until_clean() == []
    assert not (tmp_path / "data" / "dayfly.db").exists()
    rows = database.execute("SELECT name, phase FROM executions", "dayfly")
    assert rows == [("train", "SUCCEEDED")]
