"""From a cluster to a group of processes, and from what the group tells to what the cluster is."""

from __future__ import annotations

import msgspec
import pytest
from flyteidl.core import tasks_pb2

from dayfly.base.clock import Micros
from dayfly.executors.dask import observing
from dayfly.executors.dask.local import groups, reports
from dayfly.executors.dask.roles import scaling
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import clusters, executors, process_groups

KEY = AttemptKey("p/d/e/n0/0")
INNER = ("pyflyte-execute", "--inputs", "i", "--resolver", "flytekit.x.y", "--", "task-module", "wf", "task-name", "t")
FAST = ("pyflyte-fast-execute", "--additional-distribution", "file:///code.tar.gz", "--dest-dir", ".", "--", *INNER)
GIB = 2**30


def driver(**changes: object) -> executors.AttemptSpec:
    template = tasks_pb2.TaskTemplate(type="dask")
    template.container.env.add(key="OWN", value="1")
    template.container.env.add(key="OVERRIDDEN", value="template")
    made = executors.AttemptSpec(
        key=KEY,
        generated_name="e-n0-0",
        task=identifiers.EntityId(1, "p", "d", "wf.t", "v1"),
        task_type="dask",
        template=template.SerializeToString(),
        argv=FAST,
        env={"OWN": "1", "OVERRIDDEN": "execution", "FLYTE_ATTEMPT_NUMBER": "0"},
        memory_limit_bytes=3 * GIB,
    )
    return msgspec.structs.replace(made, **changes)


def build(attempt: executors.AttemptSpec, distribution: str = "/cache/code") -> process_groups.GroupSpec:
    workers = (
        clusters.WorkerGroup("default", 2, threads=3, memory_limit_bytes=GIB),
        clusters.WorkerGroup("gpu", 1, threads=1, memory_limit_bytes=2 * GIB),
    )
    scheduler = clusters.SchedulerSpec(resources=clusters.RoleResources(memory_limit_bytes=GIB))
    cluster = clusters.ClusterSpec(KEY, "e-n0-0", attempt, scheduler, workers, 2, 60.0, 19, ("a note",))
    return groups.build(
        cluster,
        python="/env/bin/python",
        distribution=distribution,
        working_dir="/work",
        log_dir="/logs",
        cpu_request=2.0,
        memory_request_bytes=GIB,
    )


def test_every_process_of_a_cluster_is_a_role():
    group = build(driver())
    assert [role.name for role in group.roles] == ["scheduler", "worker-0", "worker-1", "worker-gpu-0", "driver"]
    assert [role.name for role in group.roles if role.main] == ["driver"]
    assert [role.name for role in group.roles if role.essential] == ["scheduler"]
    assert [role.restart for role in group.roles] == [False, True, True, True, False]
    limits = [role.memory_limit_bytes for role in group.roles]
    assert limits == [GIB, int(0.95 * GIB), int(0.95 * GIB), int(1.9 * GIB), 3 * GIB]
    assert (group.quorum, group.startup_timeout_seconds) == (2, 60.0)
    assert (group.restart_limit, group.stillborn_limit) == (19, 9)
    prefix = "/api/dayfly/v1/dashboards/p/d/e/n0/0"
    assert group.roles[0].arguments == {
        "wanted": 3,
        "notes": ["a note"],
        "dashboard_prefix": prefix,
        "record": "/logs/cluster.record",
        "reports": "/logs",
    }
    assert group.roles[1].arguments == {"name": "worker-0", "threads": 3, "memory_limit_bytes": GIB}


def test_a_group_gets_what_it_asked_for():
    asked = clusters.WorkerGroup(
        "own", 1, threads=2, memory_limit_bytes=GIB, env={"MINE": "1"}, preload=("mod",), nanny=False
    )
    commanded = msgspec.structs.replace(asked, name="told", command=("my", "worker"))
    made = clusters.ClusterSpec(
        KEY, "e-n0-0", driver(), clusters.SchedulerSpec(), (asked, commanded), 1, idle_timeout_seconds=9.0
    )
    scheduler, own, told, _ = groups.build(
        made,
        python="/env/bin/python",
        distribution="",
        working_dir="/work",
        log_dir="/logs",
        cpu_request=1.0,
        memory_request_bytes=GIB,
    ).roles
    assert scheduler.arguments["idle_timeout_seconds"] == 9.0
    assert (own.env["MINE"], own.env["OWN"], own.memory_limit_bytes) == ("1", "1", GIB)
    common = {"threads": 2, "memory_limit_bytes": GIB, "preload": ["mod"]}
    assert own.arguments == {"name": "worker-own-0", **common}
    assert told.arguments == {"name": "worker-told-0", **common, "command": ["my", "worker"], "nanny": False}
    assert told.entry.endswith("commanded.py:run")


def test_workers_whose_number_follows_the_work_are_roles_that_may_wait():
    adaptive = clusters.WorkerGroup("default", 1, threads=1, memory_limit_bytes=GIB, minimum=0, maximum=3)
    fixed = clusters.WorkerGroup("fixed", 1, threads=1, memory_limit_bytes=GIB)
    other = msgspec.structs.replace(adaptive, name="gpu", count=2, minimum=1, maximum=2)
    made = clusters.ClusterSpec(KEY, "e-n0-0", driver(), clusters.SchedulerSpec(), (adaptive, fixed, other), 2)
    group = groups.build(
        made,
        python="/env/bin/python",
        distribution="",
        working_dir="/work",
        log_dir="/logs",
        cpu_request=1.0,
        memory_request_bytes=GIB,
    )
    scaled = ["worker-0", "worker-1", "worker-2", "worker-gpu-0", "worker-gpu-1"]
    assert [role.name for role in group.roles if role.scaled] == scaled
    assert [role.name for role in group.roles if role.restart] == [*scaled[:3], "worker-fixed-0", *scaled[3:]]
    assert group.wanted_roles == ("worker-0", "worker-gpu-0", "worker-gpu-1")
    assert group.roles[0].arguments["wanted"] == 4
    assert group.roles[0].arguments["scaled"] == [
        {"name": "worker", "roles": scaled[:3], "begun": 1, "minimum": 0, "processes": 1},
        {"name": "worker-gpu", "roles": scaled[3:], "begun": 2, "minimum": 1, "processes": 1},
    ]
    assert group.roles[0].env["DASK_DISTRIBUTED__ADAPTIVE__TARGET_DURATION"] == "500ms"
    made_of = [scaling.Group(**told) for told in group.roles[0].arguments["scaled"]]
    assert [one.wanted for one in made_of] == [{"worker-0"}, {"worker-gpu-0", "worker-gpu-1"}]


def test_a_pace_of_the_users_own_stays():
    own = driver(env={"DASK_DISTRIBUTED__ADAPTIVE__TARGET_DURATION": "'7s'"})
    adaptive = clusters.WorkerGroup("default", 1, threads=1, memory_limit_bytes=GIB, maximum=3)
    made = clusters.ClusterSpec(KEY, "e-n0-0", own, clusters.SchedulerSpec(), (adaptive,), 1)
    folders = {"working_dir": "/work", "log_dir": "/logs"}
    group = groups.build(made, python="/python", distribution="", cpu_request=1.0, memory_request_bytes=GIB, **folders)
    assert group.roles[0].env["DASK_DISTRIBUTED__ADAPTIVE__TARGET_DURATION"] == "'7s'"


def test_the_driver_waits_for_a_quorum_and_finds_the_scheduler():
    role = build(driver()).roles[-1]
    assert role.wait_for == ("scheduler_address", "quorum")
    assert role.env["DASK_SCHEDULER_ADDRESS"] == "{fact:scheduler_address}"
    assert role.argv[0] == "pyflyte-execute"
    assert "--dynamic-addl-distro" in role.argv


def test_an_address_of_the_users_own_stays():
    own = driver(env={"DASK_SCHEDULER_ADDRESS": "tcp://elsewhere:1", "OMP_NUM_THREADS": "2"})
    roles = build(own).roles
    assert roles[-1].env["DASK_SCHEDULER_ADDRESS"] == "tcp://elsewhere:1"
    assert (roles[1].env["OMP_NUM_THREADS"], roles[1].env["MKL_NUM_THREADS"]) == ("2", "1")


def test_code_that_is_not_unpacked_is_left_to_flytekit():
    assert build(driver(), distribution="").roles[-1].argv == FAST
    assert build(driver(argv=INNER), distribution="").roles[-1].argv == INNER


def test_user_modules_are_preloaded_with_what_all_attempts_share():
    preload = build(driver()).preload
    assert (preload.python, preload.distribution, preload.user_modules) == ("/env/bin/python", "/cache/code", ("wf",))
    assert preload.env == (("OWN", "1"),)
    assert preload.modules[:2] == ("flytekit.bin.entrypoint", "distributed")


def test_user_modules_are_not_preloaded_before_an_executions_own_settings():
    assert build(driver(volatile_env=frozenset({"OVERRIDDEN"}))).preload.user_modules == ()


def report(**changes: object) -> process_groups.GroupReport:
    return msgspec.structs.replace(process_groups.GroupReport(KEY, Micros(1), "running"), **changes)


def translate(told: process_groups.GroupReport) -> clusters.ClusterReport:
    return reports.translate(KEY, told, wanted=4, logs=())


def test_where_the_dashboard_is_comes_from_the_scheduler():
    assert translate(report()).dashboard_address == ""
    told = translate(report(facts={"dashboard_address": "127.0.0.1:1234"}))
    assert told.dashboard_address == "127.0.0.1:1234"
    assert b"127.0.0.1:1234" in observing.observe(told).custom_info
    ended = msgspec.structs.replace(told, state=clusters.ClusterState.ENDED, end=clusters.ClusterEnd.STOPPED)
    assert b"127.0.0.1:1234" not in observing.observe(ended).custom_info


@pytest.mark.parametrize(
    ("end", "role", "expected"),
    [
        ("exited", "driver", clusters.ClusterEnd.DRIVER_EXITED),
        ("stopped", "driver", clusters.ClusterEnd.STOPPED),
        ("oom", "driver", clusters.ClusterEnd.DRIVER_OUT_OF_MEMORY),
        ("oom", "scheduler", clusters.ClusterEnd.SCHEDULER_LOST),
        ("oom", "worker-3", clusters.ClusterEnd.RESTARTS_EXHAUSTED),
        ("essential_lost", "scheduler", clusters.ClusterEnd.SCHEDULER_LOST),
        ("startup_timeout", "driver", clusters.ClusterEnd.STARTUP_TIMEOUT),
        ("restarts_exhausted", "worker-0", clusters.ClusterEnd.RESTARTS_EXHAUSTED),
        ("lost", "driver", clusters.ClusterEnd.LOST),
        ("interrupted", "driver", clusters.ClusterEnd.INTERRUPTED),
    ],
)
def test_every_end_of_a_group_is_an_end_of_the_cluster(end: str, role: str, expected: clusters.ClusterEnd):
    assert translate(report(state="ended", end=end, role=role)).end is expected


def test_progress_is_the_schedulers_or_what_is_ready_before():
    assert translate(report(state="starting", facts={"ready": ["worker-1"]})).progress == clusters.Progress(1, 4)
    told = {"workers": 3, "wanted": 4, "tasks_total": 9, "tasks_done": 5, "tasks_processing": 2, "memory_bytes": 7}
    seen = translate(report(facts={"scheduler_address": "tcp://a", "progress": told}))
    assert (seen.state, seen.scheduler_address) == (clusters.ClusterState.READY, "tcp://a")
    assert seen.progress == clusters.Progress(3, 4, 9, 5, 2, 7)
