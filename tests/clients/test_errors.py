"""What an execution's error tells: the exception first, the user's own frames, where it failed, what to do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flyteidl.core import execution_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "failing.py"
WORKFLOWS = (
    *("nested", "launches", "grows", "mapped"),
    *("retried", "returns_another", "without_module", "exits"),
)
NOTHING_OF_THE_PLATFORM = ("flytekit/core", "dispatch_execute", "dayfly/executors", "cache/distributions")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("errors") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAM)


@pytest.fixture(scope="module")
def launched(remote: FlyteRemote) -> dict[str, FlyteWorkflowExecution]:
    """All at once: none waits for another."""
    plans = {name: remote.fetch_launch_plan(name=f"failing.{name}", version=VERSION) for name in WORKFLOWS}
    return {name: remote.execute(plan, inputs={"x": 2}) for name, plan in plans.items()}


@pytest.fixture
def failed(remote: FlyteRemote, launched: dict[str, FlyteWorkflowExecution], name: str):
    """Give the error that the execution `name` ended with."""
    ended = remotes.wait(remote, launched[name])
    assert ended.closure.phase == execution_pb2.WorkflowExecution.FAILED
    assert not any(words in ended.error.message for words in NOTHING_OF_THE_PLATFORM), ended.error.message
    return ended.error


@pytest.mark.parametrize(
    ("name", "way"),
    [
        ("nested", "nested > n0 (train) > n0-0-n0 (fit)"),
        ("grows", "grows > n0 (grow) > n0-0-dn0 (train) > n0-0-dn0-0-dn0 (fit)"),
    ],
)
def test_a_failure_deep_inside(failed, name: str, way: str) -> None:
    assert failed.code == "USER:RuntimeError"
    told, _, rest = failed.message.partition("\n\n")
    assert told.startswith("JSONDecodeError: Expecting property name")
    assert rest.startswith(
        'Traceback (most recent call last):\n  File "failing.py", line 16, in fit\n    return parse('
    )
    assert 'File "failing.py", line 11, in parse' in rest
    assert "json/decoder.py" in rest
    assert "What to do: Look at failing.py, line 11, in parse" in rest
    assert rest.endswith(f"\n\nFailed at: {way}")


@pytest.mark.parametrize("name", ["nested"])
def test_the_whole_traceback_is_in_the_log(failed, name: str) -> None:
    uri = failed.message.partition("Its log: ")[2].partition("\n")[0]
    log = requests.get(uri, timeout=30)
    assert log.status_code == 200
    assert "dispatch_execute" in log.text


@pytest.mark.parametrize("name", ["launches"])
def test_the_execution_that_a_launch_plan_launched_is_told(
    failed, name: str, remote: FlyteRemote, launched: dict[str, FlyteWorkflowExecution]
) -> None:
    node = remotes.wait(remote, launched["launches"]).node_executions["n0"]
    child = node.closure.workflow_node_metadata.execution_id
    named = f"execution {child.project}/{child.domain}/{child.name}"
    assert failed.message.startswith(f"{named} failed: JSONDecodeError: ")
    assert failed.message.endswith(f"Failed at: launches > n0 (nested) > {named} > nested > n0 (train) > n0-0-n0 (fit)")
    assert failed.message.count("Failed at: ") == 1


@pytest.mark.parametrize("name", ["mapped"])
def test_an_element_is_told_by_its_index(failed, name: str) -> None:
    head, _, rest = failed.message.partition("\n\n")
    index = head.partition("The first that failed: ")[2].partition(":")[0]
    assert head.endswith(f"{index}: RuntimeError: could not fit {index.strip('[]')}")
    assert "The above exception was the direct cause of the following exception:" in rest
    assert failed.message.endswith(f"Failed at: mapped > n1 (fit_again) > {index}")


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        (
            "retried",
            "RetriesExhausted|USER:Recoverable",
            ("[2/2] currentAttempt done. Last Error: USER::", "`retries`"),
        ),
        ("returns_another", "SYSTEM", ("TypeTransformerFailedError: Failed to convert outputs", "annotations name")),
        ("without_module", "USER:RuntimeError", ("No module named 'no_such_module'", "Install the module")),
        ("exits", "RetriesExhausted|Interrupted", ("exit code 3", "sys.exit")),
    ],
)
def test_what_to_do_is_said(failed, name: str, code: str, said: tuple[str, ...]) -> None:
    assert failed.code == code
    for words in said:
        assert words in failed.message
    assert "What to do: " in failed.message
