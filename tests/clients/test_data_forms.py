"""Data in less usual forms, run to its end through flytekit's client; and outputs that are not what was declared."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as core_execution_pb2
from flyteidl.service import dataproxy_pb2
from flytekit.remote import FlyteRemote
from flytekit.remote.executions import FlyteWorkflowExecution
from tests.platforms import remotes
from tests.platforms.launching import VERSION
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "data_forms.py"
Phase = core_execution_pb2.WorkflowExecution

RIGHT = [
    # workflow, inputs, what it gives
    ("old_parts", {}, "b 9 2 3"),
    ("far_parts", {}, 8),
    ("far_branch", {"n": 4}, 8),
    ("far_branch", {"n": 1}, 101),
    ("far_mapped", {"n": 4}, 12),
    ("far_launched", {"n": 4}, 6),
    ("large_by_reference", {"megabytes": 12}, 12 * 2**20),
    ("unions", {"give": True}, "[1, 'a'] ['one']"),
    ("unions", {"give": False}, "None []"),
]

WRONG = [
    # workflow or task, inputs, code, what the error says
    ("missing_part", {}, "PromiseAttributeResolveError", ("size.tags[5]", "the list has 2 elements")),
    ("large_inline", {"megabytes": 12}, "OutputSizeExceeded", ("larger than 10485760 bytes", "files, datasets")),
    ("writes_garbage", {"x": 1}, "OutputsNotFound", ("not a LiteralMap",)),
    ("writes_another_type", {"x": 1}, "OutputTypeMismatch", ("output 'o0'", "it is str, and int is declared")),
    ("writes_another_variable", {"x": 1}, "OutputsNotFound", ("lacks what the task declares: 'o0' (int)",)),
    ("writes_nothing", {"x": 1}, "RetriesExhausted|OutputsNotFound", ("exited with 0 but wrote neither",)),
    ("writes_garbage_for_an_error", {"x": 1}, "RetriesExhausted|ErrorFileBadFormat", ("holds no error document",)),
    ("makes_garbage", {"x": 1}, "DynamicWorkflowBuildFailed", ("is no DynamicJobSpec",)),
    ("makes_another_type", {"x": 1}, "DynamicWorkflowBuildFailed", ("output o0", "is str, and int is declared")),
    ("raises_at_length", {"x": 1}, "USER:RuntimeError", ("ValueError: beginxx", "characters are left out", "xxend")),
    ("mapped_badly", {"n": 2}, "OutputTypeMismatch", ("]: the task wrote an output 'o0'", "int is declared")),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("forms") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.register(server, PROGRAM)


def launch(remote: FlyteRemote, name: str, **inputs: object) -> FlyteWorkflowExecution:
    named = f"data_forms.{name}"
    if name.startswith(("writes_", "raises_", "makes_")):
        return remote.execute(remote.fetch_task(name=named, version=VERSION), inputs=inputs)
    return remote.execute(remote.fetch_launch_plan(name=named, version=VERSION), inputs=inputs)


@pytest.fixture(scope="module")
def launched(remote: FlyteRemote) -> dict[str, FlyteWorkflowExecution]:
    """All at once: none waits for another."""
    return {f"{name}{inputs}": launch(remote, name, **inputs) for name, inputs, *_ in [*RIGHT, *WRONG]}


@pytest.mark.parametrize(("name", "inputs", "given"), RIGHT, ids=[f"{one[0]}{one[1]}" for one in RIGHT])
def test_data_arrive(remote: FlyteRemote, launched: dict, name: str, inputs: dict, given: object) -> None:
    ended = remotes.wait(remote, launched[f"{name}{inputs}"])
    assert ended.closure.phase == Phase.SUCCEEDED, ended.error
    assert ended.outputs["o0"] == given


@pytest.mark.parametrize(("name", "inputs", "code", "said"), WRONG, ids=[one[0] for one in WRONG])
def test_what_is_wrong_is_said(
    remote: FlyteRemote, launched: dict, name: str, inputs: dict, code: str, said: tuple[str, ...]
) -> None:
    ended = remotes.wait(remote, launched[f"{name}{inputs}"])
    assert (ended.closure.phase, ended.error.code) == (Phase.FAILED, code), ended.error.message[:2000]
    assert ended.error.kind == core_execution_pb2.ExecutionError.USER
    for words in said:
        assert words in ended.error.message
    assert len(ended.error.message) < 64 * 1024


@pytest.mark.parametrize("fail", [False, True])
def test_decks_are_read_by_link(remote: FlyteRemote, fail: bool) -> None:
    ended = remotes.wait(remote, launch(remote, "decks", fail=fail))
    assert ended.closure.phase == (Phase.FAILED if fail else Phase.SUCCEEDED)
    node = ended.node_executions["n0"]
    assert node.closure.deck_uri.endswith("/n0/data/0/deck.html")
    request = dataproxy_pb2.CreateDownloadLinkRequest(
        artifact_type=dataproxy_pb2.ARTIFACT_TYPE_DECK, node_execution_id=node.id.to_flyte_idl()
    )
    answer = remote.client._dataproxy_stub.CreateDownloadLink(request)
    html = requests.get(answer.pre_signed_urls.signed_url[0], timeout=30)
    assert html.status_code == 200
    assert "what I saw" in html.text


def test_checkpoints_go_from_attempt_to_attempt_and_into_a_recovery(remote: FlyteRemote, tmp_path: Path) -> None:
    first = remotes.wait(remote, launch(remote, "checkpoints", folder=str(tmp_path)))
    assert (first.closure.phase, first.error.code) == (Phase.FAILED, "RetriesExhausted|USER:Recoverable")
    assert "only 2 so far" in first.error.message
    (tmp_path / "go").touch()
    again = remote.client._stub.RecoverExecution(execution_pb2.ExecutionRecoverRequest(id=first.id.to_flyte_idl()))
    recovered = remotes.wait(remote, remote.fetch_execution(name=again.id.name))
    assert recovered.closure.phase == Phase.SUCCEEDED, recovered.error
    assert recovered.outputs["o0"] == "went on from 3"
