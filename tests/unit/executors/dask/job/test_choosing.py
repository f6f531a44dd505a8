"""Who makes a cluster of pods: the Dask operator, or the platform."""

from __future__ import annotations

import contextlib

import msgspec
import pytest
from tests.unit.executors.dask.job.groups import FakeGroups
from tests.unit.executors.dask.job.test_manifests import cluster

from dayfly.base import errors
from dayfly.executors.dask.job import choosing, manifests


@pytest.mark.parametrize(
    ("choice", "known", "kind", "told", "seen"),
    [
        ("auto", True, "DaskJob", "by DaskJob", "Clusters are DaskJobs"),
        ("auto", False, "Pod", "plain pods. No DaskJob is known here.", "plain pods, for no DaskJob is known here"),
        ("job", True, "DaskJob", "by DaskJob", "Clusters are DaskJobs"),
        ("pods", True, "Pod", "plain pods.", "plain pods, as DAYFLY_KUBERNETES__DASK says"),
    ],
)
async def test_who_makes_a_cluster(choice: str, known: bool, kind: str, told: str, seen: str) -> None:
    chosen = choosing.Chosen(FakeGroups(known=known), choice)
    made = await chosen.lay_out(cluster())
    assert made.group.objects[0]["kind"] == kind
    assert told in made.limits.told
    condition = await chosen.look()
    assert (condition.state, condition.remedy) == ("well", "")
    assert seen in condition.told


async def test_a_choice_that_cannot_be_had() -> None:
    chosen = choosing.Chosen(FakeGroups(known=False), "job")
    with pytest.raises(errors.InvalidArgument, match="No DaskJob is known"):
        await chosen.lay_out(cluster())
    condition = await chosen.look()
    assert (condition.state, condition.told) == ("failing", "No DaskJob is known here.")
    assert "Install the Dask operator" in condition.remedy
    with pytest.raises(errors.InvalidArgument, match="DAYFLY_KUBERNETES__DASK is 'both'"):
        choosing.Chosen(FakeGroups(), "both")


LACKS = ("create, list and delete daskjobs", "delete deployments")

SENTENCE = "The platform's account may not create, list and delete daskjobs, nor delete deployments in namespace p-d."


async def test_what_the_platform_may_not_have_is_made_of_pods_and_it_is_said() -> None:
    made = await choosing.Chosen(FakeGroups(lacks=LACKS), "auto").lay_out(cluster())
    assert made.group.objects[0]["kind"] == "Pod"
    assert made.limits.told == f"The cluster is made of plain pods. {SENTENCE}"


async def test_a_dask_job_that_is_asked_for_and_may_not_be_had_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument) as caught:
        await choosing.Chosen(FakeGroups(lacks=LACKS), "job").lay_out(cluster())
    assert caught.value.message == SENTENCE
    assert "DAYFLY_KUBERNETES__DASK=pods" in caught.value.remedy
    assert "rights that docs/kubernetes.md names" in caught.value.remedy
    assert caught.value.code == "Forbidden"  # type: ignore[attr-defined]


async def test_who_makes_pods_alone_asks_for_no_such_right() -> None:
    made = await choosing.Chosen(FakeGroups(lacks=LACKS), "pods").lay_out(cluster())
    assert made.limits.told == "The cluster is made of plain pods."


async def test_what_no_dask_job_can_ask_for_is_made_of_pods() -> None:
    spec = cluster()
    large = msgspec.structs.replace(spec, driver=msgspec.structs.replace(spec.driver, env={"A": "a" * 100_000}))
    with pytest.raises(manifests.Unfit, match=r"DaskJob would have [0-9]+ KiB, and the operator takes 240"):
        await choosing.Chosen(FakeGroups(), "job").lay_out(large)
    made = await choosing.Chosen(FakeGroups(), "auto").lay_out(large)
    assert made.group.objects[0]["kind"] == "Pod"
    assert "and the operator takes 240" in made.limits.told


@pytest.mark.parametrize(
    ("choice", "state", "told"), [("auto", "warning", "plain pods"), ("job", "failing", "No clusters")]
)
async def test_rights_that_were_lacking_are_told_to_whoever_keeps_the_platform(
    choice: str, state: str, told: str
) -> None:
    groups = FakeGroups(lacks=LACKS)
    chosen = choosing.Chosen(groups, choice)
    with contextlib.suppress(errors.InvalidArgument):
        await chosen.lay_out(cluster())
    seen = await chosen.look()
    assert seen.state == state
    assert told in seen.told and SENTENCE in seen.told
    groups._lacks = ()
    await chosen.lay_out(cluster())
    assert (await chosen.look()).state == "well"
