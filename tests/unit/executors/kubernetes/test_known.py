"""What is known of a group of pods: told once, lost pods made anew, ends believed once."""

from __future__ import annotations

from typing import Any

from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import awaiting, known
from dayfly.executors.kubernetes.settings import Patience
from dayfly.ports.pod_groups import Maker, PodGroupReport, PodGroupSpec, PodPhase
from tests.unit.executors.kubernetes.making import KEY, RUNNING, ended, pod, waiting

PATIENCE = Patience()


def manifest(name: str, role: str) -> dict[str, Any]:
    return {"kind": "Pod", "metadata": {"name": name, "labels": {"dayfly.dev/role": role}}}


def group(*, remade: bool = False) -> known.Known:
    objects = (manifest("x-driver", "driver"), manifest("x-worker", "worker-0"))
    spec = PodGroupSpec(KEY, "ns", objects, "driver", frozenset({"worker-0"}) if remade else frozenset())
    return known.Known(KEY, known.handle_of(spec))


def told(name: str, role: str, phase: str = "Running", uid: str = "u", state: Any = RUNNING) -> dict[str, Any]:
    made = pod(phase, state)
    made["metadata"] |= {"name": name, "uid": uid, "labels": {"dayfly.dev/role": role}}
    return made


def report(one: known.Known, now: float = 0.0) -> PodGroupReport:
    return one.report(Micros(7), now, PATIENCE)


def test_the_main_pod_is_told_first_and_its_end_is_the_groups() -> None:
    one = group()
    one.tell(told("x-worker", "worker-0"))
    one.tell(told("x-driver", "driver"))
    first = report(one)
    assert [seen.role for seen in first.pods] == ["driver", "worker-0"]
    assert not first.ended
    one.tell(told("x-driver", "driver", "Succeeded", state=ended(0, "Completed")))
    assert report(one).ended


def test_what_was_told_is_no_news() -> None:
    one = group()
    one.tell(told("x-driver", "driver"))
    assert one.news(report(one))
    assert not one.news(one.report(Micros(8), 1.0, PATIENCE)), "the time alone is none"
    one.tell(told("x-driver", "driver", "Pending", state=waiting("ErrImagePull", "no")))
    assert one.news(report(one))


def test_a_pod_that_had_ended_is_not_lost_by_being_deleted() -> None:
    one = group()
    one.tell(told("x-driver", "driver", "Succeeded", state=ended(0, "Completed")))
    one.tell_gone("x-driver", PATIENCE)
    (seen,) = report(one).pods
    assert (seen.phase, seen.exit_code) == (PodPhase.EXITED, 0)


def test_a_lost_pod_is_made_anew_once() -> None:
    one = group(remade=True)
    one.tell(told("x-driver", "driver"))
    one.tell(told("x-worker", "worker-0", uid="first"))
    one.tell_gone("x-worker", PATIENCE)
    assert [seen.uid for seen in one.lost(report(one))] == ["first"]
    assert list(one.lost(report(one))) == []
    one.tell(told("x-worker", "worker-0", uid="second"))
    assert [seen.phase for seen in report(one).pods] == [PodPhase.RUNNING, PodPhase.RUNNING]
    one.tell_gone("x-worker", PATIENCE)
    assert [seen.uid for seen in one.lost(report(one))] == ["second"]
    assert one.handle.manifest("x-worker") == manifest("x-worker", "worker-0")
    assert one.handle.manifest("x-driver") is None


def test_nothing_is_made_anew_in_a_group_that_is_to_end() -> None:
    for change in ("stopping", "ended"):
        one = group(remade=True)
        one.tell(told("x-worker", "worker-0"))
        one.tell_gone("x-worker", PATIENCE)
        setattr(one, change, True)
        assert list(one.lost(report(one))) == []


def test_a_group_is_stopped_when_nothing_of_it_is_left() -> None:
    one = group()
    one.tell(told("x-driver", "driver"))
    one.stopping = True
    assert not report(one).stopped
    one.tell_gone("x-driver", PATIENCE)
    assert report(one).stopped


def test_waiting_counts_from_when_it_began_and_kinds_of_one_trouble_are_one() -> None:
    one = group()
    one.tell(told("x-driver", "driver", "Pending", state=waiting("ErrImagePull", "no")))
    assert one.waits()
    assert report(one, 100.0).pods[0].phase is PodPhase.INITIALIZING
    one.tell(told("x-driver", "driver", "Pending", state=waiting("ImagePullBackOff", "no")))
    assert report(one, 279.0).pods[0].phase is PodPhase.INITIALIZING
    assert report(one, 280.0).pods[0].code == "ImagePullBackOff"
    one.tell(told("x-driver", "driver", "Pending", state=waiting("CreateContainerError", "no")))
    assert report(one, 281.0).pods[0].phase is PodPhase.INITIALIZING
    one.tell(told("x-driver", "driver"))
    assert not one.waits()


def test_a_pod_that_was_deleted_and_does_not_go_is_on_a_node_that_does_not_answer() -> None:
    one = group()
    leaving = told("x-driver", "driver")
    leaving["metadata"] |= {"deletionTimestamp": "2026-01-01T00:00:00Z", "deletionGracePeriodSeconds": 30}
    one.tell(leaving)
    assert one.waits()
    assert report(one, 0.0).pods[0].phase is PodPhase.RUNNING
    assert report(one, 90.0).pods[0].phase is PodPhase.RUNNING
    assert report(one, 90.1).pods[0].code == "NodeLost"


MAKER = Maker(
    name="the operator",
    main="x-runner",
    takes_up="seen",
    has_made="runner",
    kinds=("Job", "Deployment", "Pod"),
    pods=2,
    absent="OperatorAbsent",
    remedy="Start it.",
)


def group_of_another(*followers: dict[str, Any]) -> known.Known:
    job = {"kind": "Job", "metadata": {"name": "x", "labels": {}}}
    return known.Known(
        KEY, known.handle_of(PodGroupSpec(KEY, "ns", (job,), "driver", maker=MAKER, followers=followers))
    )


def test_what_another_is_to_make_is_awaited_and_part_of_the_group() -> None:
    one = group_of_another(manifest("x-more", "worker"))
    assert one.handle.kinds == ("Job", "Deployment", "Pod")
    assert [each["metadata"]["name"] for each in one.handle.list_followers()] == ["x-more"]
    (seen,) = report(one).pods
    assert (seen.name, seen.role, seen.phase) == ("x-runner", "driver", PodPhase.QUEUED)
    assert one.waits()
    one.tell(told("x-runner", "driver"))
    assert not one.awaits_main()
    assert one.lacks(), "the second pod"
    one.tell(told("x-worker-a", "worker"))
    assert not one.waits()
    assert [each.phase for each in report(one).pods] == [PodPhase.RUNNING, PodPhase.RUNNING]


def test_what_keeps_pods_from_being_made_is_told_while_it_does() -> None:
    one = group_of_another()
    one.facts = awaiting.Facts(taken_up=True, trouble="exceeded quota")
    assert report(one).waits_for == "exceeded quota"
    one.tell(told("x-runner", "driver"))
    one.tell(told("x-worker-a", "worker"))
    assert report(one).waits_for == ""


def test_a_pod_that_took_the_role_of_a_lost_one_is_told_behind_it_and_then_alone() -> None:
    one = group_of_another()
    one.tell(told("x-runner", "driver"))
    one.tell(told("x-worker-a", "worker", uid="first"))
    one.tell(told("x-worker-b", "worker", uid="second"))
    one.tell_gone("x-worker-a", PATIENCE)
    first = report(one)
    assert [(seen.uid, seen.phase) for seen in first.pods[1:]] == [
        ("first", PodPhase.LOST),
        ("second", PodPhase.RUNNING),
    ]
    assert one.news(first)
    one.tell(told("x-worker-b", "worker", uid="second"))
    assert [seen.uid for seen in report(one).pods[1:]] == ["second"]


def test_a_pod_that_is_no_longer_wanted_is_not_lost() -> None:
    one = group_of_another()
    one.tell(told("x-runner", "driver"))
    leaving = told("x-worker-a", "worker", uid="first")
    one.tell(leaving)
    leaving["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert not one.may_be_given_up(leaving), "nothing tells it apart: no other comes that it might be"
    leaving["metadata"]["annotations"] |= {"dayfly.dev/told-apart-by": "WHO"}
    assert one.may_be_given_up(leaving)
    one.tell_given_up(leaving)
    one.tell(leaving)
    one.tell_gone("x-worker-a", PATIENCE)
    assert [seen.name for seen in report(one).pods] == ["x-runner"]
    one.ended = True
    assert not one.may_be_given_up(leaving)


def test_a_group_of_another_is_stopped_when_nothing_is_left_and_nothing_is_made_any_more() -> None:
    one = group_of_another()
    one.stopping = True
    assert not report(one).stopped
    one.cleared = True
    assert report(one).stopped


def test_nobody_is_waited_for_before_there_is_something_to_take_up() -> None:
    one = known.Known(KEY, known.Handle("ns", "x-runner", (("Job", "x"),), maker=MAKER))
    one.unmade = True
    assert report(one).pods[0].phase is PodPhase.QUEUED
    assert report(one, 1000.0).pods[0].phase is PodPhase.QUEUED
    one.unmade = False
    assert report(one, 1001.0).pods[0].phase is PodPhase.QUEUED
    assert report(one, 1002.0 + PATIENCE.operator).pods[0].phase is PodPhase.LOST
