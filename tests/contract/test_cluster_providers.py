"""The providers of clusters that any host has: the fake, processes of ours, and any class."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract import cluster_hosts
from tests.contract.cluster_suite import ClusterSuite


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("clusters")
    yield folder
    cluster_hosts.end_all(folder)


@pytest.fixture(params=["fake", "local", "class"])
async def host(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    made: Any = cluster_hosts.FakeHost()
    if request.param == "local":
        made = cluster_hosts.LocalHost(request.getfixturevalue("data"))
    elif request.param == "class":
        made = cluster_hosts.ClassHost(request.getfixturevalue("data"))
    yield made
    await made.leave()


class TestClusters(ClusterSuite):
    """On this host."""
