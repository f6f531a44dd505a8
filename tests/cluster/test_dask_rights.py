"""A cluster that knows DaskJobs, and a platform that may not have any: it makes pods itself, and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dayfly.cli import deployment
from tests.cluster import operators
from tests.cluster.conftest import IMAGE, Cluster, register, serving, write_kubeconfig
from tests.platforms import launching

PROGRAM = Path(__file__).parent / "programs" / "clustered.py"

NAMESPACE = "dayfly-without-jobs"
"""That of the account."""

PATIENCE_SECONDS = 180


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory, cluster: Cluster) -> Iterator[Path]:
    """The kubeconfig of an account that has all rights of a platform, but for those to the operator's resources."""
    told = deployment.Deployment(IMAGE, "s3://bucket", namespace=NAMESPACE)
    file = tmp_path_factory.mktemp("account") / "kubeconfig"
    write_kubeconfig(cluster, told, file, without="kubernetes.dask.org")
    operators.install()
    with operators.defined(operators.NEWEST):
        yield file
    cluster.run("delete", "namespace", NAMESPACE, "--timeout=100s")
    cluster.run("delete", "clusterrole,clusterrolebinding", f"{NAMESPACE}-{told.name}")


def test_pods_are_made_where_no_dask_job_may_be(tmp_path: Path, account: Path, cluster: Cluster) -> None:
    with serving(tmp_path / "data", account) as server:
        register(server, PROGRAM)
        execution = launching.launch(server, "clustered.summed", text="10")
        ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
        assert ended.error is None, ended
        assert outputs == {"o0": 285}
        (attempt,) = next(node.attempts for node in ended.nodes if node.attempts)
        reasons = [reason for _, reason in attempt.reasons]
        assert any(
            "made of plain pods. The platform's account may not create, get, list, patch and delete daskjobs" in reason
            for reason in reasons
        ), reasons
        launching.wait_until(lambda: not cluster.left(), "the cluster to be gone")


def test_a_dask_job_that_is_asked_for_is_refused(tmp_path: Path, account: Path, cluster: Cluster) -> None:
    with serving(tmp_path / "data", account, DAYFLY_KUBERNETES__DASK="job") as server:
        register(server, PROGRAM)
        execution = launching.launch(server, "clustered.summed", text="10")
        ended, _ = launching.wait(server, execution, PATIENCE_SECONDS)
        assert ended.error is not None
        assert "account may not create, get, list, patch and delete daskjobs" in ended.error.message
        assert "DAYFLY_KUBERNETES__DASK=pods" in ended.error.message
        assert len([attempt for node in ended.nodes for attempt in node.attempts]) == 1, "rights do not come by waiting"
        assert cluster.left() == []
