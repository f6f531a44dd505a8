"""Every kind of task that is a process, run to its right end through flytekit's client."""

from __future__ import annotations

import datetime
import json
import os
import sqlite3
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
from flyteidl.core import execution_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "trades.py"
Phase = execution_pb2.WorkflowExecution


@pytest.fixture(scope="module")
def other_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another environment, which sees the same libraries."""
    folder = tmp_path_factory.mktemp("environments") / "other"
    venv.create(folder, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    (site / "ours.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, other_python: Path) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("trades")
    with sqlite3.connect(folder / "there.db") as database:
        database.execute("create table tracks (id integer, name text)")
        database.executemany("insert into tracks values (?, ?)", [(1, "one"), (2, "two"), (3, "three")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADES_DATABASE", str(folder / "there.db"))
        patch.setenv("DAYFLY_HOST__ENVIRONMENTS", json.dumps({"example/other:*": str(other_python)}))
        patch.setenv("PYTHONPATH", str(PROGRAM.parent))
        patch.syspath_prepend(PROGRAM.parent)
        with Server(folder / "data") as server:
            yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAM)


def run(remote: FlyteRemote, name: str, **inputs: object) -> FlyteWorkflowExecution:
    plan = remote.fetch_launch_plan(name=f"trades.{name}", version=VERSION)
    return remotes.wait(remote, remote.execute(plan, inputs=inputs))


def outputs(remote: FlyteRemote, name: str, **inputs: object) -> list[object]:
    ended = run(remote, name, **inputs)
    assert ended.closure.phase == Phase.SUCCEEDED, ended.error
    return [ended.outputs[key] for key in sorted(ended.outputs)]


def failure(remote: FlyteRemote, name: str) -> tuple[str, str]:
    ended = run(remote, name)
    assert ended.closure.phase == Phase.FAILED
    return ended.error.code, ended.error.message


def test_python_is_found_by_whatever_resolver(remote: FlyteRemote) -> None:
    assert outputs(remote, "found_anyhow", x=1) == [3 * (1000 + 2 * (1 + 1 + 10))]


def test_instances_of_tasks_are_mapped(remote: FlyteRemote) -> None:
    assert outputs(remote, "mapped_instances", xs=[1, 2]) == [[2, 4]]


def test_references_are_mapped(remote: FlyteRemote) -> None:
    assert outputs(remote, "mapped_reference", xs=[1, 2]) == [[3, 6]]


def test_a_shell_script_reads_and_writes_files(remote: FlyteRemote) -> None:
    ended = run(remote, "shelled", lines=["b", "a"])
    assert ended.outputs == {"o0": f"a\nb\n|2\ntold {ended.id.name}\n"}


def test_a_shell_script_that_fails_shows_what_it_said(remote: FlyteRemote) -> None:
    code, message = failure(remote, "fails_in_shell")
    assert code == "RetriesExhausted|USER:Recoverable"
    assert "return-code 7" in message
    assert "to be read by people" in message


def test_a_query_of_sqlite(remote: FlyteRemote) -> None:
    assert outputs(remote, "queried", least=1) == [["two", "three"]]


def test_a_container_reads_its_inputs_and_writes_its_outputs_as_files(remote: FlyteRemote) -> None:
    assert outputs(remote, "contained", x=4) == [4 + 4 + 1]


def test_containers_are_mapped(remote: FlyteRemote) -> None:
    assert outputs(remote, "mapped_containers", xs=[1, 2]) == [[3, 5]]


def test_all_types_that_a_container_takes_and_gives(remote: FlyteRemote) -> None:
    at = datetime.datetime(2026, 1, 2, 3, 4, 5, 250_000, tzinfo=datetime.timezone.utc)
    long = datetime.timedelta(hours=1, seconds=2.5)
    told, when, how_long = outputs(remote, "contained_everything", t=at, d=long, lines=["line"])
    assert told == [
        "line\nline\n",
        "inputs.json,inside,names",
        "b,d,f,file,folder,i,inputs.json,inputs.pb,list,map,s,t",
        "3 0.5 True said: ü",
        "57",
    ]
    assert (when, how_long) == (at, long)


def test_a_container_finds_all_inputs_in_one_file_of_the_format_it_asks_for(remote: FlyteRemote) -> None:
    said = outputs(remote, "in_formats", word="w")
    assert said == ["inputs.json inputs.pb word ", "inputs.pb inputs.yaml word ", "inputs.pb word "]


def test_an_output_that_a_container_does_not_write(remote: FlyteRemote) -> None:
    code, message = failure(remote, "forgets_an_output")
    assert code == "RetriesExhausted|OutputUploadFailed"
    assert "no output 'never'" in message


def test_an_output_of_another_type_than_declared(remote: FlyteRemote) -> None:
    _, message = failure(remote, "mistypes_an_output")
    assert "Output 'y' is of type INTEGER, and its file holds 'many\\n'" in message


def test_a_container_that_says_why_it_fails(remote: FlyteRemote) -> None:
    _, message = failure(remote, "says_an_error")
    assert "User Error: it is all too much" in message


def test_a_command_that_this_host_does_not_have(remote: FlyteRemote) -> None:
    ended = run(remote, "asks_for_an_absent_program")
    assert (ended.closure.phase, ended.error.code) == (Phase.FAILED, "CommandNotFound")
    assert "'no-such-program' is not on this host" in ended.error.message
    assert "DAYFLY_HOST__ENVIRONMENTS" in ended.error.message


def test_threads_go_by_the_cpus_that_task_and_node_ask_for(remote: FlyteRemote) -> None:
    """The variables are set where a task asks for less than all of the host's cores."""
    two = "2" if len(os.sched_getaffinity(0)) > 2 else "-"
    assert outputs(remote, "overridden") == ["1 task task", f"{two} task task"]
    assert outputs(remote, "mapped_overridden", xs=[5, 6]) == [["5 1 - -", "6 1 - -"]]
    assert outputs(remote, "dynamic_overridden", n=2) == [["0 1 - -", "1 1 - -"]]


def test_variables_of_the_execution_are_the_last_word(remote: FlyteRemote) -> None:
    plan = remote.fetch_launch_plan(name="trades.overridden", version=VERSION)
    said = {"FROM_RUN": "run", "OMP_NUM_THREADS": "7"}
    ended = remotes.wait(remote, remote.execute(plan, inputs={}, envs=said))
    assert ended.outputs == {"o0": "7 task run", "o1": "7 task run"}
    assert {"renamed", "n1"} < set(ended.node_executions)


def test_a_nodes_image_is_another_environment(remote: FlyteRemote, other_python: Path) -> None:
    own, other, mapped, grown = outputs(remote, "in_another_image")
    assert own != other
    assert (other, mapped, grown) == (str(other_python), [str(other_python)] * 2, [str(other_python)])


def test_a_nodes_retries_and_name(remote: FlyteRemote) -> None:
    ended = run(remote, "retried", x=2)
    assert ended.outputs == {"o0": 2}
    node = ended.node_executions["n0"]
    assert len(node.task_executions) == 3
    flow = remote.fetch_workflow(name="trades.retried", version=VERSION)
    assert [one.metadata.name for one in flow.flyte_nodes] == ["the stumbling one"]
    assert outputs(remote, "mapped_retried", xs=[0, 2]) == [[0, 2]]


def test_a_nodes_timeout(remote: FlyteRemote) -> None:
    for name, inputs in (("timed_out", {"x": 1}), ("mapped_timed_out", {"xs": [1]})):
        ended = run(remote, name, **inputs)
        assert ended.closure.phase == Phase.FAILED
        assert "TimeoutExpired" in ended.error.code + ended.error.message


def test_a_nodes_cache(remote: FlyteRemote) -> None:
    first, again = outputs(remote, "cached_here", x=1), outputs(remote, "cached_here", x=1)
    assert first[0] != again[0]
    assert first[1] == again[1]


def test_local_tasks_and_workflows_are_registered_as_they_are_executed(remote: FlyteRemote) -> None:
    from trades import add_kept, found_anyhow

    for entity, inputs, result in ((add_kept, {"x": 1}, 2), (found_anyhow, {"x": 1}, 3072)):
        ended = remotes.wait(remote, remote.execute(entity, inputs=inputs, version="on-the-fly"))
        assert ended.outputs == {"o0": result}


def test_a_notebooks_tasks_travel_pickled(server: Server) -> None:
    program = PROGRAM.with_name("notebook.py")
    done = subprocess.run(
        [sys.executable, program, server.config], capture_output=True, text=True, cwd=server.folder, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"task": 6, "workflow": 9}
