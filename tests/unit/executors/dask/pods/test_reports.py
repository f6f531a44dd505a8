"""What the pods of a cluster mean for it."""

from __future__ import annotations

import msgspec
import pytest

from dayfly.base.clock import Micros
from dayfly.executors.dask.pods import reports
from dayfly.executors.dask.roles import settling
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState, Fault
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen

LIMITS = reports.Limits(2, 1, 60.0, 3, ("driver", "scheduler", "worker-0", "worker-1"))

QUEUED, INITIALIZING, RUNNING, EXITED, LOST = PodPhase


def pod(role: str, phase: PodPhase = RUNNING, uid: str = "", **fields: object) -> PodSeen:
    return PodSeen(f"x-{role}", role, uid or role, phase, memory_limit_bytes=64 << 20, **fields)  # type: ignore[arg-type]


def told(*pods: PodSeen, seen: reports.Seen | None = None, **fields: object) -> ClusterReport:
    report = PodGroupReport(AttemptKey("p/d/e/n0/0"), Micros(7_000_000), pods, **fields)  # type: ignore[arg-type]
    return reports.translate(report, LIMITS, seen or reports.Seen(), ())


def all_running(**instead: PodSeen) -> list[PodSeen]:
    roles = {role: pod(role) for role in LIMITS.roles}
    return list({**roles, **{name.replace("_", "-"): one for name, one in instead.items()}}.values())


@pytest.mark.parametrize(
    ("pods", "state", "workers"),
    [
        ([], ClusterState.QUEUED, 0),
        ([pod("driver", QUEUED), pod("worker-0", QUEUED)], ClusterState.QUEUED, 0),
        ([pod("driver", RUNNING), pod("worker-0", INITIALIZING)], ClusterState.STARTING, 0),
        ([pod("driver", INITIALIZING), pod("worker-0")], ClusterState.STARTING, 1),
        ([pod("driver"), pod("worker-0"), pod("worker-1", QUEUED)], ClusterState.READY, 1),
        (all_running(), ClusterState.READY, 2),
    ],
)
def test_how_far_it_is(pods: list[PodSeen], state: ClusterState, workers: int) -> None:
    report = told(*pods)
    assert (report.state, report.end) == (state, None)
    assert (report.progress.workers, report.progress.wanted) == (workers, 2)


def test_what_it_waits_for() -> None:
    report = told(
        pod("driver"), pod("worker-0", QUEUED, reason="Unschedulable: no"), pod("worker-1", QUEUED, reason="x")
    )
    assert report.reason == "worker-0: Unschedulable: no, and 1 more"
    assert told(waits_for="a quota").reason == "a quota"


@pytest.mark.parametrize(
    ("pods", "end", "message", "fault"),
    [
        (all_running(driver=pod("driver", EXITED, exit_code=3)), ClusterEnd.DRIVER_EXITED, "", None),
        (
            all_running(driver=pod("driver", LOST, code="OOMKilled", message="over")),
            ClusterEnd.DRIVER_OUT_OF_MEMORY,
            "over",
            None,
        ),
        (
            all_running(driver=pod("driver", LOST, code="Evicted", message="evicted")),
            ClusterEnd.PART_LOST,
            "evicted",
            Fault("Evicted"),
        ),
        (
            all_running(scheduler=pod("scheduler", EXITED, signal=9)),
            ClusterEnd.SCHEDULER_LOST,
            "scheduler was killed by SIGKILL (9)",
            None,
        ),
        (
            all_running(scheduler=pod("scheduler", LOST, code="OOMKilled", message="over", users_fault=True)),
            ClusterEnd.SCHEDULER_LOST,
            "over",
            None,
        ),
        (
            all_running(worker_1=pod("worker-1", LOST, code="ErrImagePull", message="no", users_fault=True)),
            ClusterEnd.PART_LOST,
            "no",
            Fault("ErrImagePull", users=True),
        ),
        (all_running(worker_1=pod("worker-1", LOST, code="Evicted", message="evicted")), None, "", None),
    ],
)
def test_how_it_ends(pods: list[PodSeen], end: ClusterEnd | None, message: str, fault: Fault | None) -> None:
    report = told(*pods)
    assert (report.end, report.message, report.fault) == (end, message, fault)
    assert (report.state is ClusterState.ENDED) == (end is not None)


def test_the_drivers_exit_is_the_clusters() -> None:
    report = told(pod("driver", EXITED, exit_code=3), log_tail="the end")
    assert (report.exit_code, report.signal, report.log_tail) == (3, None, "the end")
    assert told(stopped=True).end is ClusterEnd.STOPPED


def test_each_death_is_told_once() -> None:
    seen = reports.Seen()
    died = pod("worker-1", restarts=1, last_exit_code=-9, last_ended_at=5.0)
    for _ in range(2):
        report = told(*all_running(worker_1=died), seen=seen)
    (death,) = report.deaths
    assert (death.role, death.at, death.exit_code, death.restarts) == ("worker-1", 5.0, -9, 0)
    assert report.reason == "worker-1 was killed by SIGKILL (9); it is made anew (number 1)"
    outgrown = pod("worker-1", restarts=2, last_out_of_memory=True, last_exit_code=-9)
    report = told(*all_running(worker_1=outgrown), seen=seen)
    assert [one.over_limit_bytes for one in report.deaths] == [0, 64 << 20]
    assert "worker-1 was killed for its memory: 64 MiB of 64 MiB" in report.reason


def test_too_many_deaths_are_the_end() -> None:
    seen = reports.Seen()
    told(*all_running(worker_1=pod("worker-1", restarts=3)), seen=seen)
    evicted = pod("worker-0", LOST, "another", code="Evicted", message="evicted")
    report = told(*all_running(worker_0=evicted, worker_1=pod("worker-1", restarts=3)), seen=seen)
    assert report.end is ClusterEnd.RESTARTS_EXHAUSTED
    assert report.message == "evicted; it was the end number 4, and 3 are allowed"


def test_a_container_that_has_ended_and_is_started_again_is_one_death() -> None:
    seen = reports.Seen()
    ended = pod("worker-1", EXITED, exit_code=1)
    again = pod("worker-1", restarts=1, last_exit_code=1, last_ended_at=5.0)
    for one in (ended, again, msgspec.structs.replace(again, phase=EXITED, exit_code=1)):
        report = told(*all_running(worker_1=one), seen=seen)
    assert [death.restarts for death in report.deaths] == [0, 1]
    assert seen.count == 2


@pytest.mark.parametrize("role", ["worker-1", "scheduler"])
def test_a_role_that_another_has_taken_counts_once_as_a_death(role: str) -> None:
    lost = pod(role, LOST, "first", code="ResourceDeletedExternally", message="Pod x is gone: somebody deleted it.")
    report = told(*all_running(x=lost))
    assert [death.told for death in report.deaths] == ["Pod x is gone: somebody deleted it."]
    assert report.progress.workers == 2
    assert report.end is (ClusterEnd.SCHEDULER_LOST if role == "scheduler" else None)


def test_a_scheduler_that_was_started_again_knows_nothing() -> None:
    report = told(*all_running(scheduler=pod("scheduler", restarts=1, last_exit_code=-9)))
    assert (report.end, report.message) == (ClusterEnd.SCHEDULER_LOST, "scheduler was killed by SIGKILL (9)")


def test_a_worker_that_has_outgrown_its_memory_is_started_again() -> None:
    outgrown = pod("worker-1", LOST, code="OOMKilled", message="over", users_fault=True)
    assert told(*all_running(worker_1=outgrown)).end is None


def test_a_cluster_that_was_ready_does_not_wait_for_workers_that_it_has_lost() -> None:
    seen = reports.Seen()
    assert told(*all_running(), seen=seen).state is ClusterState.READY
    gone = [pod("driver"), pod("scheduler")]
    assert told(*gone, seen=seen).state is ClusterState.READY
    assert told(*gone).state is ClusterState.STARTING


ASKED = {"last_words": settling.ASKED}


@pytest.mark.parametrize(
    "scheduler",
    [pod("scheduler", EXITED, exit_code=0, **ASKED), pod("scheduler", restarts=1, last_ended_at=5.0, **ASKED)],
)
def test_the_driver_goes_on_alone_where_the_scheduler_ends_as_it_was_told_to(scheduler: PodSeen) -> None:
    seen = reports.Seen()
    told(*all_running(), seen=seen)
    told(*all_running(worker_1=pod("worker-1", restarts=1, last_ended_at=4.0)), seen=seen)
    ending = all_running(scheduler=scheduler, worker_0=pod("worker-0", EXITED, exit_code=0))
    for there in (ending, [pod("driver"), scheduler]):
        report = told(*there, seen=seen)
        assert (report.state, report.end) == (ClusterState.READY, None)
        assert report.reason == "The scheduler ended as it was told to; nothing is made anew any more."
        # By this it is told of a task that needs its cluster still (`diagnosis.raised.shut_down`).
        assert [(death.role, death.exit_code) for death in report.deaths] == [("scheduler", 0)]
    worn = [pod("worker-0", LOST, code="CrashLoopBackOff", users_fault=True), pod("worker-1", restarts=9)]
    gone = pod("scheduler", LOST, "another", code="Evicted", message="evicted")
    assert told(pod("driver"), gone, *worn, seen=seen).end is None
    assert told(pod("driver", EXITED, exit_code=0), scheduler, seen=seen).end is ClusterEnd.DRIVER_EXITED


def test_a_platform_that_comes_back_knows_that_the_scheduler_ended_as_it_was_told_to() -> None:
    report = told(pod("driver"), pod("scheduler", EXITED, exit_code=0, **ASKED))
    assert (report.state, report.end) == (ClusterState.READY, None)


@pytest.mark.parametrize(
    "scheduler",
    [
        pod("scheduler", EXITED, exit_code=0),
        pod("scheduler", EXITED, exit_code=1, **ASKED),
        pod("scheduler", LOST, code="Evicted", message="evicted", **ASKED),
        pod("scheduler", restarts=1, last_exit_code=-9, **ASKED),
        pod("scheduler", restarts=1),
    ],
)
def test_any_other_end_of_the_scheduler_is_a_loss(scheduler: PodSeen) -> None:
    assert told(*all_running(scheduler=scheduler)).end is ClusterEnd.SCHEDULER_LOST


def test_workers_whose_number_changes_are_all_wanted() -> None:
    limits = reports.Limits(0, 1, 60.0, 3, ("driver", "scheduler"), {"worker": 2, "worker-gpu": 3}, "By somebody.")
    pods = (pod("driver"), pod("worker-1f"), pod("worker-gpu-2e", INITIALIZING), pod("worker-3d", LOST, "gone"))
    report = reports.translate(PodGroupReport(AttemptKey("p/d/e/n0/0"), Micros(7), pods), limits, reports.Seen(), ())
    assert (report.progress.workers, report.progress.wanted) == (2, 5)
    assert told(pod("driver")).reason == ""
    one = reports.translate(
        PodGroupReport(AttemptKey("p/d/e/n0/0"), Micros(7), (pod("driver"),)), limits, reports.Seen(), ()
    )
    assert one.reason == "By somebody."


def test_where_the_scheduler_is() -> None:
    report = told(*all_running(scheduler=pod("scheduler", address="10.0.0.7")))
    assert report.scheduler_address == "tcp://10.0.0.7:8786"
    assert told(*all_running()).scheduler_address == ""


def test_how_the_scheduler_ended_is_known_after_many_ends_of_workers() -> None:
    workers = [pod(f"worker-{number}", EXITED, exit_code=1) for number in range(reports.KEPT_DEATHS + 1)]
    report = told(pod("driver"), pod("scheduler", EXITED, signal=9), *workers)
    assert (report.end, report.message) == (ClusterEnd.SCHEDULER_LOST, "scheduler was killed by SIGKILL (9)")
    assert len(report.deaths) == reports.KEPT_DEATHS
