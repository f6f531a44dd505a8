"""What a small host can give, and how it says so."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayfly.executors.dask import fitting
from dayfly.model import identifiers
from dayfly.ports import clusters, executors, secrets

GIB = 2**30
HOST = fitting.HostCapacity(2, 23 * GIB)


def cluster(count: int = 4, threads: int = 0, memory: int = 0, driver_memory: int = 0) -> clusters.ClusterSpec:
    driver = executors.AttemptSpec(
        key=identifiers.AttemptKey("p/d/e/n0/0"),
        generated_name="e-n0-0",
        task=identifiers.EntityId(1, "p", "d", "mod.train", "v1"),
        task_type="dask",
        template=b"",
        argv=(),
        env={},
        memory_limit_bytes=driver_memory,
        memory_request_bytes=driver_memory,
    )
    resources = clusters.RoleResources(threads, threads, memory, memory)
    group = clusters.WorkerGroup("default", count, "", threads, memory, resources)
    return clusters.ClusterSpec(
        driver.key, "e-n0-0", driver, clusters.SchedulerSpec(), (group,), quorum=(count + 1) // 2
    )


def test_what_fits_is_left_as_it_is():
    asked = cluster(2, threads=1, memory=4 * GIB, driver_memory=GIB)
    assert fitting.fit(asked, HOST) == (asked, ())


def test_threads_and_memory_give_way_and_this_is_said():
    fitted, notes = fitting.fit(cluster(4, threads=8, memory=32 * GIB), HOST)
    assert (fitted.groups[0].count, fitted.groups[0].threads) == (4, 1)
    assert notes == (
        "4 workers asked for 8 CPUs and 32 GiB each; this host has 2 CPUs and 23 GiB: each gets 1 thread and 4.3 GiB.",
    )
    assert fitted.notes == notes


def test_what_nobody_said_is_filled_in_silently():
    fitted, notes = fitting.fit(cluster(2), fitting.HostCapacity(8, 16 * GIB))
    assert (fitted.groups[0].threads, fitted.groups[0].memory_limit_bytes, notes) == (4, 6 * GIB, ())


def test_too_many_workers_become_fewer():
    fitted, notes = fitting.fit(cluster(100, threads=1, memory=GIB), fitting.HostCapacity(1, 4 * GIB))
    assert (fitted.groups[0].count, fitted.quorum) == (8, 4)
    assert "there are 8 of them" in notes[0]


def test_a_driver_larger_than_what_is_left_is_told():
    fitted, notes = fitting.fit(cluster(4, threads=1, memory=32 * GIB, driver_memory=32 * GIB), HOST)
    assert fitted.driver.memory_limit_bytes <= HOST.memory_bytes // 4 + 4
    assert notes[-1].startswith("The driver asked for 32 GiB; beside the workers there are 5.")


def test_strictness_refuses_with_the_sums():
    assert fitting.refusal(cluster(2, threads=1, memory=4 * GIB), HOST) == ""
    told = fitting.refusal(cluster(4, threads=8, memory=32 * GIB), HOST)
    assert "32 CPUs and 128 GiB" in told
    assert "2 CPUs and 23 GiB" in told


def test_admission_counts_what_is_given_not_what_was_asked():
    fitted, _ = fitting.fit(cluster(4, threads=8, memory=32 * GIB), HOST)
    cpu, memory = fitting.admission(fitted, HOST)
    assert cpu == 2
    assert memory <= HOST.memory_bytes
    fitted, _ = fitting.fit(cluster(4), HOST)
    assert fitting.admission(fitted, HOST) == (1.0, GIB)


@example(count=1, threads=1, memory=0, driver=89_478_487, cpus=1.0, host_memory=357_913_943)
@given(
    count=st.integers(1, 500),
    threads=st.integers(0, 64),
    memory=st.integers(0, 2**40),
    driver=st.integers(0, 2**40),
    cpus=st.floats(0.5, 256),
    host_memory=st.integers(256 * 2**20, 2**41),
)
def test_any_cluster_becomes_one_the_host_can_hold(
    count: int, threads: int, memory: int, driver: int, cpus: float, host_memory: int
):
    host = fitting.HostCapacity(cpus, host_memory)
    asked = cluster(count, threads, memory, driver)
    fitted, notes = fitting.fit(asked, host)
    (group,) = fitted.groups
    assert 1 <= group.count <= count
    assert group.threads >= 1
    assert group.memory_limit_bytes > 0
    assert group.count * group.memory_limit_bytes + fitted.driver.memory_limit_bytes <= host_memory
    assert 1 <= fitted.quorum <= group.count
    assert (group.count != count) <= bool(notes)
    assert all(
        0 <= part <= whole for part, whole in zip(fitting.admission(fitted, host), (cpus, host_memory), strict=True)
    )
    if not notes:
        unsaid = msgspec.structs.replace(
            group, threads=threads and group.threads, memory_limit_bytes=memory and group.memory_limit_bytes
        )
        assert unsaid == asked.groups[0]


@pytest.mark.parametrize(("size", "told"), [(GIB, "1 GiB"), (int(4.3125 * GIB), "4.3 GiB"), (300 * 2**20, "300 MiB")])
def test_sizes_are_told_for_people(size: int, told: str):
    _, notes = fitting.fit(cluster(1, threads=1, memory=2**50), fitting.HostCapacity(1, size))
    assert f"1 CPU and {told}" in notes[0]


def changed(asked: clusters.ClusterSpec, **changes: object) -> clusters.ClusterSpec:
    group = msgspec.structs.replace(asked.groups[0], **changes)
    return msgspec.structs.replace(asked, groups=(group,))


def test_each_process_is_a_worker_on_one_host():
    asked = changed(cluster(2, threads=1, memory=2 * GIB), processes=2, memory_limit_bytes=GIB)
    fitted, notes = fitting.fit(asked, fitting.HostCapacity(8, 23 * GIB))
    group = fitted.groups[0]
    assert (group.count, group.processes, group.memory_limit_bytes, notes) == (4, 1, GIB, ())
    assert group.resources == clusters.RoleResources(0.5, 0.5, GIB, GIB)


@pytest.mark.parametrize(
    ("threads", "memory", "maximum", "most"),
    [(1, 0, 50, 8), (2, 0, 50, 4), (1, GIB, 50, 8), (1, 4 * GIB, 50, 4), (1, 20 * GIB, 50, 2), (0, 0, 3, 3)],
)
def test_an_adaptive_group_grows_as_large_as_there_is_room(threads: int, memory: int, maximum: int, most: int):
    host = fitting.HostCapacity(8, 23 * GIB)
    fitted, notes = fitting.fit(changed(cluster(2, threads, memory), minimum=1, maximum=maximum), host)
    (group,) = fitted.groups
    assert (group.count, group.minimum, group.maximum, fitted.worker_count) == (2, 1, most, 2)
    told = [note for note in notes if note.startswith("The workers may be")]
    assert told == ([f"The workers may be 1 to {maximum}; this host has room for {most}."] if most < maximum else [])
    assert group.maximum * group.memory_limit_bytes <= host.memory_bytes


def test_room_is_kept_for_all_that_an_adaptive_group_may_have():
    host = fitting.HostCapacity(8, 23 * GIB)
    fitted, _ = fitting.fit(changed(cluster(1, threads=1, memory=GIB), maximum=6), host)
    assert fitting.admission(fitted, host) == (6.0, 6 * GIB)


def test_processes_of_an_adaptive_group_are_workers_too():
    asked = changed(cluster(2, threads=1, memory=2 * GIB), processes=2, memory_limit_bytes=GIB, minimum=1, maximum=3)
    group = fitting.fit(asked, fitting.HostCapacity(8, 23 * GIB))[0].groups[0]
    assert (group.count, group.minimum, group.maximum, group.processes) == (4, 2, 6, 1)


def test_an_adaptive_group_without_a_choice_has_a_fixed_number():
    fitted, _ = fitting.fit(changed(cluster(1, threads=1), minimum=1, maximum=50), fitting.HostCapacity(1, GIB))
    assert (fitted.groups[0].count, fitted.groups[0].minimum, fitted.groups[0].maximum) == (1, 0, 0)


def test_strictness_asks_for_what_an_adaptive_group_begins_with():
    assert fitting.refusal(changed(cluster(2, threads=1, memory=4 * GIB), maximum=1000), HOST) == ""


@given(
    begun=st.integers(1, 60),
    less=st.integers(0, 60),
    more=st.integers(0, 5000),
    quorum=st.integers(1, 60),
    fixed=st.integers(0, 40),
    cpus=st.floats(0.5, 256),
    host_memory=st.integers(256 * 2**20, 2**41),
)
def test_any_adaptive_cluster_can_begin_and_never_outgrows_the_host(
    begun: int, less: int, more: int, quorum: int, fixed: int, cpus: float, host_memory: int
):
    host = fitting.HostCapacity(cpus, host_memory)
    asked = changed(cluster(begun, threads=1, memory=GIB), minimum=max(0, begun - less), maximum=begun + more)
    others = (clusters.WorkerGroup("fixed", fixed, "", 1, GIB),) if fixed else ()
    asked = msgspec.structs.replace(asked, groups=(*asked.groups, *others), quorum=min(quorum, begun + fixed))
    fitted, _ = fitting.fit(asked, host)
    assert 1 <= fitted.quorum <= fitted.worker_count
    assert sum(group.most * group.memory_limit_bytes for group in fitted.groups) <= host_memory
    for group in fitted.groups:
        assert group.maximum == 0 or group.minimum <= group.count <= group.maximum
        assert group.maximum <= begun + more
    assert all(
        0 <= part <= whole for part, whole in zip(fitting.admission(fitted, host), (cpus, host_memory), strict=True)
    )


def test_what_one_host_lacks_is_said():
    gpus = clusters.RoleResources(1, 1, GIB, GIB, gpus=2)
    asked = changed(cluster(1, 1, GIB), resources=gpus, image="gpu:1", command=("dask", "cuda", "worker"))
    fitted, notes = fitting.fit(asked, HOST)
    assert (fitted.groups[0].command, fitted.groups[0].resources.gpus) == ((), 0)
    told = ("The workers asked for 2 GPUs each", "The workers asked for the image gpu:1")
    assert len(notes) == len(told)
    assert all(note.startswith(start) for note, start in zip(notes, told, strict=True))


def of_driver(asked: clusters.ClusterSpec, **changes: object) -> clusters.ClusterSpec:
    return msgspec.structs.replace(asked, driver=msgspec.structs.replace(asked.driver, **changes))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda asked: of_driver(asked, secrets=(secrets.SecretRequest("g", "k"),)), "this one has secrets"),
        (
            lambda asked: of_driver(asked, volatile_env=frozenset({"B", "A"})),
            "its execution sets variables of its own (A, B)",
        ),
        (lambda asked: changed(asked, command=("own",)), "its workers run a command or a preload of their own"),
        (lambda asked: changed(asked, preload=("own",)), "its workers run a command or a preload of their own"),
        (
            lambda asked: of_driver(asked, env={"DASK_DISTRIBUTED__WORKER__PRELOAD": "own"}),
            "its configuration has it preload modules of its own",
        ),
        (lambda asked: changed(asked, minimum=1, maximum=1), "the number of its workers follows the work"),
        (lambda asked: msgspec.structs.replace(asked, idle_timeout_seconds=9.0), "it ends when it is idle"),
    ],
)
def test_what_cannot_be_given_to_a_living_cluster_is_said(change: Callable[..., clusters.ClusterSpec], told: str):
    asked = msgspec.structs.replace(cluster(1, 1, GIB), reuse_seconds=60.0)
    assert fitting.fit(asked, HOST) == (asked, ())
    fitted, notes = fitting.fit(change(asked), HOST)
    assert notes == (f"No cluster stands by for the next attempt: {told}.",)
    assert fitted.reuse_seconds == 0.0
    assert fitting.fit(msgspec.structs.replace(change(asked), reuse_seconds=0.0), HOST)[1] == ()


def test_a_quorum_that_was_asked_for_is_kept_where_all_workers_are():
    asked = msgspec.structs.replace(cluster(4, threads=1, memory=GIB), quorum=4)
    assert fitting.fit(asked, HOST)[0].quorum == 4


def test_groups_are_told_apart():
    asked = cluster(2, threads=8, memory=GIB)
    other = msgspec.structs.replace(asked.groups[0], name="large", memory_limit_bytes=40 * GIB)
    _, notes = fitting.fit(msgspec.structs.replace(asked, groups=(asked.groups[0], other)), HOST)
    assert any(note.startswith("2 workers large asked for 8 CPUs and 40 GiB each") for note in notes)
