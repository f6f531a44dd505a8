"""The article's two programs, as they stand there, by unmodified clients."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.platforms.server import Server

ARTICLE = Path(__file__).parent / "article"
EXAMPLES = Path(__file__).parents[2] / "examples"

READ_BACK = """
import json, sys, warnings
warnings.simplefilter("ignore")
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote
remote = FlyteRemote(Config.auto(config_file=sys.argv[1]), "flytesnacks", "development")
execution = remote.sync(remote.fetch_execution(name=sys.argv[2]), sync_nodes=True)
outputs = {name: execution.outputs.get(name) for name in execution.outputs}
plain = {name: (type(value).__name__, str(value) if hasattr(value, "path") else value) for name, value in outputs.items()}
print("READ", json.dumps({"phase": execution.closure.phase, "outputs": plain, "nodes": sorted(execution.node_executions)}))
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("article") / "data") as server:
        yield server


def read_back(server: Server, name: str) -> dict:
    """Read an execution's outputs through FlyteRemote, in an interpreter of its own."""
    done = subprocess.run(
        [sys.executable, "-c", READ_BACK, server.config, name], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(re.search(r"^READ (.*)$", done.stdout, re.MULTILINE)[1])


def test_increment_numbers_runs_at_once(server: Server) -> None:
    done = server.pyflyte(
        "run", "--remote", "--wait", "--name", "inc", ARTICLE / "increment_numbers.py", "increment_numbers",
        "--list_length", "5",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        f"http://{server.address}/console/projects/flytesnacks/domains/development/executions/inc"
        in done.stdout.replace("\n", "")
    )
    read = read_back(server, "inc")
    assert read["phase"] == 4
    assert read["outputs"] == {"o0": ["list", [1, 2, 3, 4, 5]]}


def test_train_model_is_registered_and_run(server: Server) -> None:
    done = server.pyflyte("register", "--version", "v1", "train_model.py", cwd=ARTICLE)
    assert done.returncode == 0, done.stdout + done.stderr
    again = server.pyflyte("register", "--version", "v1", "train_model.py", cwd=ARTICLE)
    assert again.returncode == 0, again.stdout + again.stderr
    run = server.pyflyte(
        "run", "--remote", "--wait", "--name", "train", "train_model.py", "train_model", "--input_files", '["a", "bb", "ccc"]',
        cwd=ARTICLE,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    read = read_back(server, "train")
    assert read["outputs"] == {"o0": ["str", "s3://path-to-model-6"]}
    assert read["nodes"] == ["end-node", "n0", "n1", "start-node"]


def test_the_flights_example_trains_a_model(server: Server) -> None:
    done = server.dayfly("run", "--config", server.config, EXAMPLES / "flights.py", "delays", "--max_iter", "10")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"rows: int(eger)? = \d{4,}", done.stdout), done.stdout
    name = re.search(r"/executions/(\w+)", done.stdout)[1]
    read = read_back(server, name)
    assert read["outputs"]["rows"][0] == "int"
    assert read["outputs"]["r2"][1] > 0.5
    assert read["outputs"]["model"][0] == "FlyteFile"
