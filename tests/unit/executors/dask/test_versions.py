"""Whether roles can understand each other."""

from __future__ import annotations

import pytest

from dayfly.base import errors
from dayfly.executors.dask import versions
from dayfly.model import identifiers
from dayfly.ports import clusters, environments, executors

SAME = {"python": "3.11.2", "dask": "2026.8.0", "distributed": "2026.8.0"}


class Table:
    """Environments out of a table: image -> versions. Counts how often it was asked."""

    def __init__(self, by_image: dict[str, dict[str, str]]) -> None:
        self.by_image, self.asked = by_image, 0

    def find(self, image: str) -> environments.Environment:
        return environments.Environment(f"/envs/{image}/bin/python", image)

    async def versions(self, environment: environments.Environment) -> dict[str, str]:
        self.asked += 1
        return self.by_image[environment.name]


def cluster(driver: str, scheduler: str, worker: str) -> clusters.ClusterSpec:
    attempt = executors.AttemptSpec(
        key=identifiers.AttemptKey("p/d/e/n0/0"),
        generated_name="e-n0-0",
        task=identifiers.EntityId(1, "p", "d", "mod.train", "v1"),
        task_type="dask",
        template=b"",
        argv=(),
        env={},
        image=driver,
    )
    groups = (clusters.WorkerGroup("default", 2, worker),)
    return clusters.ClusterSpec(attempt.key, "e-n0-0", attempt, clusters.SchedulerSpec(scheduler), groups, quorum=1)


async def test_one_environment_needs_no_look():
    table = Table({})
    await versions.check(cluster("a", "a", "a"), table)
    assert table.asked == 0


async def test_equal_versions_in_several_environments_are_fine():
    await versions.check(cluster("a", "a", "b"), Table({"a": SAME, "b": SAME | {"python": "3.11.9"}}))


async def test_a_mismatch_is_told_as_a_table():
    table = Table({"a": SAME, "b": SAME | {"distributed": "2024.4.1", "python": "3.10.1"}})
    with pytest.raises(versions.VersionMismatch) as caught:
        await versions.check(cluster("a", "a", "b"), table)
    told = str(caught.value)
    assert "             driver    scheduler  workers" in told
    assert "python       3.11.2    3.11.2     3.10.1" in told
    assert "distributed  2026.8.0  2026.8.0   2024.4.1" in told
    assert "\ndask" not in told
    assert "from one lock" in told
    assert caught.value.code == "DaskVersionMismatch"
    assert isinstance(caught.value, errors.UserError)


def test_a_role_without_dask_is_a_mismatch_too():
    assert "none" in versions.compare({"driver": SAME, "workers": SAME | {"dask": ""}})
    assert versions.compare({"driver": SAME, "workers": dict(SAME)}) == ""
