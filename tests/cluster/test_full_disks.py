"""Workers of pods that have no room to spill to: the disk is named, and not only the memory that it has cost."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dayfly.base import errors
from tests.cluster import conftest
from tests.cluster.conftest import Cluster
from tests.cluster.viewing import PATIENCE_SECONDS
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "filling.py"

ROOM = "Give workers more room where they spill to"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, account: Path) -> Iterator[Server]:
    """A platform whose pods have a small volume."""
    data = tmp_path_factory.mktemp("full") / "data"
    template = conftest.pod_template(data)
    template["spec"]["volumes"].append({"name": "scratch", "emptyDir": {"sizeLimit": "32Mi"}})
    template["spec"]["containers"][0]["volumeMounts"].append({"name": "scratch", "mountPath": "/scratch"})
    settings = {"DAYFLY_KUBERNETES__POD_TEMPLATE": json.dumps(template), "DAYFLY_KUBERNETES__DASK": "pods"}
    with conftest.serving(data, account, **settings) as server:
        conftest.register(server, PROGRAM)
        yield server


@pytest.fixture(autouse=True)
def gone(server: Server, cluster: Cluster) -> Iterator[None]:
    yield
    launching.wait_until(lambda: not cluster.left(), "the clusters to be gone", PATIENCE_SECONDS)


def first_error(server: Server, task: str) -> Any:
    """Return why the first attempt has failed; others, which the platform makes by itself, are not waited for."""
    execution = launching.launch_task(server, f"filling.{task}", text="")

    def failed() -> list[Any]:
        attempts = [one for node in launching.look(server, execution).nodes for one in node.attempts]
        return [one.error for one in attempts if one.error is not None]

    try:
        launching.wait_until(failed, "its first attempt to fail", PATIENCE_SECONDS)
    finally:
        with contextlib.suppress(errors.FailedPrecondition):  # It has ended, for there was no other attempt.
            launching.abort(server, execution, "enough")
        launching.wait(server, execution, PATIENCE_SECONDS)
    return failed()[0]


@pytest.mark.parametrize("task", ["full", "full_alone"])
def test_a_folder_that_is_full(server: Server, task: str) -> None:
    error = first_error(server, task)
    assert error.code == "DaskDiskFull", error
    assert re.search(
        r"worker-0 ran out of memory while computing block-\d+: it held .*, its limit is 500 MiB", error.message
    )
    assert re.search(r"could not spill what it held to disk: .*No space left on device", error.message), error
    assert ROOM in error.message


def test_a_volume_that_holds_no_more(server: Server) -> None:
    error = first_error(server, "evicted")
    assert error.code == "DaskDiskFull", error
    said = (
        r'worker-0 was lost \(Pod .*: Usage of EmptyDir volume "scratch" exceeds the limit "32Mi"\W*\) while computing '
    )
    assert re.search(said, error.message), error
    assert ROOM in error.message
