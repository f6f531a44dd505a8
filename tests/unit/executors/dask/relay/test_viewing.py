"""What clusters of pods tell, added to what is reported of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from dayfly.base.clock import Micros
from dayfly.executors.dask.pods.reports import Seen
from dayfly.executors.dask.relay import hearing, viewing
from dayfly.executors.dask.roles import telling
from dayfly.model.identifiers import AttemptKey
from dayfly.model.run import LogLink
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState, Fault, Progress
from dayfly.ports.pod_groups import PodGroupReport, PodPhase, PodSeen

LINK = LogLink("driver", "http://log")

REPORT = ClusterReport(
    AttemptKey("p/d/e/n0/0"), Micros(1), ClusterState.READY, progress=Progress(workers=1, wanted=4), logs=(LINK,)
)

SCHEDULER = PodSeen("x-scheduler", "scheduler", "u", PodPhase.RUNNING, address="10.0.0.7")

FACTS: dict[str, Any] = {
    "progress": {
        "workers": 2,
        "wanted": 3,
        "tasks_total": 9,
        "tasks_done": 4,
        "tasks_processing": 2,
        "memory_bytes": 7,
    },
    "dashboard": True,
    "progress_warning": "all 2 workers are paused",
}


def test_facts_are_told() -> None:
    told = viewing.add_facts(REPORT, FACTS, SCHEDULER, "http://dash")
    assert told.progress == Progress(2, 4, 9, 4, 2, 7), "how many are wanted, who makes them knows"
    scaled = viewing.add_facts(REPORT, {**FACTS, "wanted_roles": ["worker-0"]}, SCHEDULER, "http://dash")
    assert scaled.progress == Progress(2, 3, 9, 4, 2, 7)
    assert told.dashboard_address == "10.0.0.7:8787"
    assert told.logs == (LINK, LogLink("Dask dashboard", "http://dash"))
    assert told.reason == "all 2 workers are paused"


@pytest.mark.parametrize(
    ("report", "facts", "scheduler", "address", "links"),
    [
        (REPORT, {}, SCHEDULER, "", 1),
        (REPORT, {**FACTS, "dashboard": False}, SCHEDULER, "", 1),
        (REPORT, FACTS, None, "", 2),
        (REPORT, FACTS, msgspec.structs.replace(SCHEDULER, address=""), "", 2),
        (msgspec.structs.replace(REPORT, logs=()), FACTS, SCHEDULER, "", 0),
        (msgspec.structs.replace(REPORT, end=ClusterEnd.DRIVER_EXITED), FACTS, SCHEDULER, "", 2),
    ],
)
def test_a_dashboard_is_where_there_is_one(
    report: ClusterReport, facts: dict[str, Any], scheduler: PodSeen | None, address: str, links: int
) -> None:
    told = viewing.add_facts(report, facts, scheduler, "http://dash")
    assert (told.dashboard_address, len(told.logs)) == (address, links)


@pytest.mark.parametrize(
    "progress", [None, 7, [], {"workers": "many"}, {"workers": -1}, {"tasks_done": 10**400}, {"memory_bytes": 1 << 60}]
)
def test_what_is_no_progress_changes_nothing(progress: object) -> None:
    assert viewing.add_facts(REPORT, {"progress": progress}, SCHEDULER, "").progress == REPORT.progress


def test_that_nothing_goes_on_is_told_before_all_else() -> None:
    waiting = msgspec.structs.replace(REPORT, reason="The cluster is made of plain pods.")
    assert viewing.add_facts(waiting, FACTS, SCHEDULER, "").reason == "all 2 workers are paused"
    for nothing in ("", 7, ["x"]):
        told = viewing.add_facts(waiting, {**FACTS, "progress_warning": nothing}, SCHEDULER, "")
        assert told.reason == waiting.reason


@pytest.mark.parametrize(
    ("differ", "message"),
    [
        ({"dask": ["2024.4.0", "2025.4.0"]}, "worker-0 has dask 2024.4.0 (the scheduler: 2025.4.0). Use one image"),
        ({"python": ["3.10", "3.11"], "numpy": ["1", "2"]}, "worker-0 has python 3.10 (the scheduler: 3.11). Use one"),
        ({"numpy": ["1", "2"]}, ""),
    ],
)
def test_roles_that_cannot_understand_each_other_are_the_end(differ: dict[str, Any], message: str) -> None:
    told = viewing.add_mismatch(REPORT, {"kind": "versions-differ", "worker": "worker-0", "differ": differ})
    if not message:
        assert told == REPORT
        return
    assert (told.end, told.state) == (ClusterEnd.PART_LOST, ClusterState.ENDED)
    assert told.message.startswith(message)
    assert told.fault == Fault("DaskVersionMismatch", users=True, recoverable=False)


def test_no_event_is_no_mismatch() -> None:
    assert viewing.add_mismatch(REPORT, {}) == REPORT


def test_deaths_under_a_nanny_are_told_once() -> None:
    pod = PodSeen("x-worker-0", "worker-0", "u", PodPhase.RUNNING, memory_limit_bytes=400 << 20)
    first = {"at": 5.0, "exit_code": -9, "out_of_memory": True, "held_bytes": 0}
    second = {"at": 6.0, "exit_code": -15, "out_of_memory": True, "held_bytes": 390 << 20}
    third = {"at": 7.0, "exit_code": 3}
    seen = Seen()
    for told in (
        {"ended": 1, "deaths": [first]},
        {"ended": 1, "deaths": [first]},
        {"ended": 3, "deaths": [first, second, third]},
        {"ended": "many"},
        {"ended": -1},
        {"ended": 9, "deaths": [{**first, "at": float("nan")}]},
        {"ended": 9, "deaths": [{**first, "at": float("inf")}]},
        {"ended": 9, "deaths": [{**first, "held_bytes": 10**400}]},
        {"ended": 9, "deaths": [{**first, "exit_code": 10**400}]},
        {"progress": {}},
    ):
        seen.hear(viewing.read_deaths(pod, told))
    assert [one.told for one in seen.deaths] == [
        "worker-0 was killed for its memory: 400 MiB of 400 MiB",
        "worker-0 was killed for its memory: 390 MiB of 400 MiB",
        "worker-0 ended with exit code 3",
    ]
    assert [one.restarts for one in seen.deaths] == [0, 1, 2]
    assert seen.count == 3
    another = msgspec.structs.replace(pod, uid="another")
    seen.hear(viewing.read_deaths(another, {"ended": 3, "deaths": [first, second, third]}))
    assert seen.count == 3, "these were of the pod before it"
    seen.hear(viewing.read_deaths(another, {"ended": 1, "deaths": [{"at": 9.0, "exit_code": 1}]}))
    assert seen.count == 4


def test_of_many_deaths_the_last_are_kept() -> None:
    pod = PodSeen("x-worker-0", "worker-0", "u", PodPhase.RUNNING)
    deaths = [{"at": float(at), "exit_code": 1} for at in range(30, 50)]
    last = viewing.read_deaths(pod, {"ended": 50, "deaths": deaths})
    assert (len(last), last[0].restarts, last[-1].restarts) == (20, 30, 49)


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, None),
        ({"wanted_roles": ["worker-0"]}, frozenset({"worker-0"})),
        ({"wanted_roles": []}, frozenset()),
        ({"wanted_roles": "worker-0"}, None),
        ({"wanted_roles": [["worker-0"], 1]}, None),
    ],
)
def test_which_workers_are_wanted(tmp_path: Path, told: dict[str, Any], wanted: frozenset[str] | None) -> None:
    view = heard(tmp_path, "scheduler", told)
    assert view.wanted(REPORT.key) == wanted


def test_who_has_no_nanny_tells_no_deaths(tmp_path: Path) -> None:
    told = {"ended": 1, "deaths": [{"at": 5.0, "exit_code": 1}]}
    for role, count in (("driver", 0), ("scheduler", 0), ("worker-0", 1)):
        seen = Seen()
        pods = (PodSeen("x", role, "u", PodPhase.RUNNING),)
        heard(tmp_path, role, told).look(PodGroupReport(REPORT.key, Micros(1), pods), seen)
        assert seen.count == count, role


async def test_reports_that_were_told_are_linked_at_the_end(tmp_path: Path) -> None:
    view = heard(tmp_path, "scheduler", {})
    for line in telling.lines("report", "2", b"performance.html\n<p>"):
        view.take(REPORT.key, "scheduler", line.removesuffix(b"\n"), Micros(0))
    assert (await view.add_tails(REPORT)).logs == REPORT.logs, "it goes on"
    ended = msgspec.structs.replace(REPORT, state=ClusterState.ENDED, end=ClusterEnd.DRIVER_EXITED)
    told = await view.add_tails(ended)
    link = LogLink("Dask performance report", f"http://{REPORT.key}/performance.html")
    assert told.logs == (*REPORT.logs, link)


def heard(folder: Path, role: str, told: dict[str, Any]) -> viewing.View:
    """Return what sees a cluster of which a role has told facts."""
    view = viewing.View(hearing.Hearing(folder, lambda _: None), folder, lambda key, name: f"http://{key}/{name}")
    view.begin(REPORT.key)
    for line in telling.lines("facts", "1", msgspec.json.encode(told)):
        assert view.take(REPORT.key, role, line.removesuffix(b"\n"), Micros(0)) is None
    return view
