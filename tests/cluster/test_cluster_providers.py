"""Clusters of pods keep to the contract of all providers: plain ones, and those of two releases of the operator."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.cluster import operators, pod_hosts
from tests.contract.cluster_suite import ClusterSuite

PLAIN = "plain pods"


@pytest.fixture(scope="module", params=[PLAIN, operators.NEWEST, operators.OLDER])
def maker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Whoever makes the pods is there."""
    if request.param == PLAIN:
        yield "pods"
        return
    operators.install()
    with operators.defined(request.param):
        operator = operators.Operator(request.param, tmp_path_factory.mktemp("operator") / "log")
        operator.start()
        yield "job"
        operator.stop()


@pytest.fixture
async def host(maker: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Any]:
    made = pod_hosts.PodHost(tmp_path_factory.mktemp("data"), maker)
    yield made
    await made.leave()


class TestClustersOfPods(ClusterSuite):
    """On Kubernetes."""
