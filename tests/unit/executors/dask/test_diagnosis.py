"""What is told of ends, as they really came: each rule finds its own cause, and none that is not there."""

from __future__ import annotations

import signal
from typing import Any

import msgspec
import pytest

from dayfly.base.clock import Micros
from dayfly.executors.dask import describing
from dayfly.executors.dask.diagnosis import facts, rules
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.ports.clusters import ClusterEnd, ClusterReport, ClusterState, Death
from dayfly.ports.executors import Explanation
from dayfly.ports.records import ClusterRecord, RecordedWorker

MEBI = 2**20
JOINED = (RecordedWorker("worker-0", 1.0, 2.0),)
USER, SYSTEM, UNKNOWN = FailureKind.USER, FailureKind.SYSTEM, FailureKind.UNKNOWN

KILLED = "USER:RuntimeError: KilledWorker: Attempted to run task 'fit-1' on 4 different workers, but all those died."


def death(role: str = "worker-0", code: int = 1, over: int = 0) -> Death:
    return Death(role, 1.0, code, over_limit_bytes=over, limit_bytes=380 * MEBI, told=f"{role} ended with {code}")


def erred(error: str, traceback: str = "", key: str = "fit-1", **more: Any) -> dict[str, Any]:
    return {"kind": "task-erred", "worker": "worker-1", "key": key, "cause": key} | {
        "error": error,
        "traceback": traceback,
        **more,
    }


def differ(**packages: list[str]) -> dict[str, Any]:
    return {"kind": "versions-differ", "worker": "worker-0", "differ": packages}


def raised(line: str, *frames: str) -> str:
    files = "".join(f"  {frame}\n    x()\n" for frame in frames)
    return f"Traceback (most recent call last):\n{files}{line}\n"


LOADS = 'File "/lib/distributed/protocol/pickle.py", line 95, in loads'
ELSEWHERE = 'File "/x.py", line 1, in run'
UPDATE_GRAPH = 'File "/lib/distributed/scheduler.py", line 5020, in update_graph'
OTHER_DASK = differ(dask=["2024.4.2", "2026.8.0"], distributed=["2024.4.2", "2026.8.0"], numpy=["", "2.4.6"])


def diagnose(
    error: str = "",
    *events: dict[str, Any],
    deaths: tuple[Death, ...] = (),
    end: ClusterEnd = ClusterEnd.DRIVER_EXITED,
    workers: tuple[RecordedWorker, ...] = JOINED,
    message: str = "",
    log: str = "",
    more_room: str = "Free space in the platform's data folder",
) -> Explanation | None:
    report = ClusterReport(
        AttemptKey("p/d/e/n0/0"),
        Micros(0),
        ClusterState.ENDED,
        end=end,
        message=message,
        deaths=deaths,
        log_tail=log if end is ClusterEnd.SCHEDULER_LOST else "",
        worker_log_tail=log,
        more_room=more_room,
    )
    record = ClusterRecord(workers=workers, events=events)
    return rules.diagnose(facts.Facts(report, record, error))


def check(found: Explanation | None, code: str, kind: FailureKind, again: bool | None, *said: str) -> None:
    assert found is not None
    assert (found.code, found.kind, found.recoverable) == (code, kind, again), found
    for words in said:
        assert words in found.sentence


# -- how processes ended ----------------------------------------------------------------------------------------------
def test_a_scheduler_over_its_limit_is_not_one_that_was_killed():
    too_large = death("scheduler", -9, over=400 * MEBI)
    found = diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=(too_large,))
    check(found, "DaskSchedulerOutOfMemory", USER, True, "400 MiB", "380 MiB", "Scheduler(limits=")
    found = diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=(death("scheduler", -9),))
    check(found, "DaskSchedulerLost", SYSTEM, True, "was killed by SIGKILL (9)", "new cluster")


def test_a_scheduler_that_ends_before_anybody_has_joined_cannot_begin():
    log = "Traceback (most recent call last):\n  File \"x.py\", line 1, in f\n    f()\nKeyError: 'Invalid unit: fast'\n"
    ended = (death("scheduler", 1),)
    found = diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=ended, workers=(), log=log)
    check(found, "DaskSchedulerCannotStart", USER, False, "exit code 1 (KeyError: 'Invalid unit: fast')", "config=")
    found = diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=ended, log=log)
    check(found, "DaskSchedulerLost", SYSTEM, True, "exit code 1")
    asked = (death("scheduler", describing.ASKED_TO_END),)
    check(diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=asked, workers=()), "DaskSchedulerLost", SYSTEM, True)


def test_what_others_have_ended_is_nobodys_fault():
    def lost(role: str, cause: str) -> Death:
        return Death(role, 1.0, cause=cause, told=cause)

    evicted = lost("worker-0", "Pod x-worker-0: Evicted: The node was low on resource: memory.")
    found = diagnose(KILLED, deaths=(death(code=7), evicted), log="Exit: worker-handle-scheduler-connection-broken")
    told = "worker-0 was lost (Pod x-worker-0: Evicted: The node was low on resource: memory) while computing fit-1"
    check(found, "DaskWorkersLost", SYSTEM, True, told, "2 workers died", "A new attempt may do")
    deleted = lost("scheduler", "Pod x-scheduler is gone: somebody deleted it.")
    found = diagnose(end=ClusterEnd.SCHEDULER_LOST, deaths=(deleted,), workers=())
    check(found, "DaskSchedulerLost", SYSTEM, True, "was lost (Pod x-scheduler is gone: somebody deleted it), and with")
    found = diagnose(end=ClusterEnd.STARTUP_TIMEOUT, deaths=(evicted,), workers=(), message="0 of 2 were there")
    check(found, "DaskStartupTimeout", SYSTEM, True, "was lost (Pod x-worker-0: Evicted")


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        (7, USER, "ended with exit code 7 while computing fit-1; 4 workers died. The task ends its own process"),
        (-signal.SIGSEGV, USER, "SIGSEGV (11) (a crash in compiled code) while computing fit-1"),
        (-signal.SIGKILL, SYSTEM, "SIGKILL (9) while computing fit-1; 4 workers died. Something ends them from"),
        (-signal.SIGTERM, SYSTEM, "was killed by SIGTERM (15)"),
        (143, SYSTEM, "was asked to end by SIGTERM (15) while computing fit-1"),
    ],
)
def test_dead_workers_are_told_by_their_exit(code: int, kind: FailureKind, said: str):
    check(diagnose(KILLED, deaths=(death(code=code),) * 4), "DaskWorkersLost", kind, True, said)


def test_workers_out_of_memory_and_why_they_did_not_spill():
    deaths = (death(code=-9, over=400 * MEBI),) * 2 + (death(code=-9),)
    check(diagnose(KILLED, deaths=deaths), "DaskWorkerOutOfMemory", USER, True, "400 MiB", "2 workers died of it")
    failed = {"kind": "spill-failed", "worker": "worker-1", "error": "[Errno 28] No space left on device"}
    found = diagnose(KILLED, failed, deaths=deaths)
    check(found, "DaskDiskFull", SYSTEM, True, "worker-1 could not spill", "No space left on device. Free space")
    pods = diagnose(KILLED, failed, deaths=deaths, more_room="Give workers more room")
    check(pods, "DaskDiskFull", SYSTEM, True, "No space left on device. Give workers more room, give each worker more")
    # Who is not out of memory did not die of that either.
    check(diagnose(KILLED, failed, deaths=(death(code=7),)), "DaskWorkersLost", USER, True)


def test_why_workers_did_not_spill_is_also_in_their_logs():
    deaths = (death(code=-9, over=400 * MEBI),)
    spill = 'File "/lib/distributed/spill.py", line 113, in handle_errors'
    full = "OSError: [Errno 28] No space left on device"
    found = diagnose(KILLED, deaths=deaths, log=f"ERROR - Spill to disk failed\n{raised(full, spill)}INFO - and then\n")
    check(found, "DaskDiskFull", SYSTEM, True, "It could not spill what it held to disk: [Errno 28] No space left")
    for log in (raised(full, ELSEWHERE), raised("OSError: [Errno 5] Input/output error", spill)):
        check(diagnose(KILLED, deaths=deaths, log=log), "DaskWorkerOutOfMemory", USER, True)


@pytest.mark.parametrize(
    "told",
    [
        'Usage of EmptyDir volume "scratch" exceeds the limit "50Mi".',
        "Pod ephemeral local storage usage exceeds the total limit of containers 100Mi.",
        'Container primary exceeded its local ephemeral storage limit "100Mi".',
        "The node was low on resource: ephemeral-storage. Container primary was using 3Gi.",
        "The node was low on resource: nodefs.",
    ],
)
def test_workers_that_are_evicted_for_what_they_have_written(told: str):
    evicted = Death("worker-0", 1.0, cause=f"Pod x-worker-0: Evicted: {told}")
    found = diagnose(KILLED, deaths=(death(code=-9), evicted), more_room="Give workers more room")
    said = f"worker-0 was lost (Pod x-worker-0: Evicted: {told.rstrip('.')}) while computing fit-1; 2 workers died."
    check(found, "DaskDiskFull", SYSTEM, True, said, "died. Give workers more room, give each")
    check(diagnose(KILLED, deaths=(death(code=7), death(code=7), evicted)), "DaskWorkersLost", SYSTEM, True)


def test_a_shuffle_that_lost_workers():
    found = diagnose("RuntimeError: P2P shuffling abc failed during transfer phase", deaths=(death(code=-9),))
    check(found, "DaskWorkersLost", SYSTEM, True, "SIGKILL (9) during a shuffle")


def test_workers_that_leave_because_they_cannot_read_what_they_are_sent():
    def log(line: str) -> str:
        return f"INFO - begun\n{raised(line, LOADS)}INFO - ended\n{raised('KeyError: 1', ELSEWHERE)}"

    left = (death(code=0),) * 4
    found = diagnose(KILLED, deaths=left, log=log("ModuleNotFoundError: No module named 'prices'"))
    check(found, "DaskCannotImport", USER, False, "Worker worker-0 cannot import 'prices', which task fit-1 needs.")
    lacking = "AttributeError: Can't get attribute 'cut' on <module 'prices' from '/old/prices.py'>"
    found = diagnose(KILLED, deaths=left, log=log(lacking))
    check(found, "DaskVersionMismatch", USER, False, "another version of 'prices'", "one without 'cut'", "one image")
    found = diagnose(KILLED, deaths=left, log=log("ImportError: cannot import name 'cut' from 'prices' (/x)"))
    check(found, "DaskVersionMismatch", USER, False, "one without 'cut'")
    found = diagnose(KILLED, deaths=left, log=log("AttributeError: Can't get attribute 'f' on <module '__main__' (x)>"))
    check(found, "DaskCannotUnpickle", USER, False, "Worker worker-0 cannot unpickle task fit-1: AttributeError")
    found = diagnose(KILLED, OTHER_DASK, deaths=left, log=log("ModuleNotFoundError: No module named 'dask._task_spec'"))
    check(
        found, "DaskVersionMismatch", USER, False, "worker-0 has dask 2024.4.2 (the scheduler: 2026.8.0)", "_task_spec"
    )
    found = diagnose(KILLED, deaths=left, log=log("ModuleNotFoundError: No module named 'dask._task_spec'"))
    check(found, "DaskVersionMismatch", USER, False, "Worker worker-0 has another version of dask")


def test_workers_that_lost_the_scheduler():
    log = "distributed.worker - INFO - Stopping worker. Reason: worker-handle-scheduler-connection-broken"
    found = diagnose(KILLED, deaths=(death(code=0),), log=log)
    check(
        found, "DaskConnectionLost", SYSTEM, True, "worker-0 lost its connection to the scheduler while computing fit-1"
    )
    check(diagnose(KILLED, deaths=(death(code=3),), log=log), "DaskWorkersLost", USER, True)


def test_a_log_is_not_asked_of_workers_that_were_killed():
    log = raised("ModuleNotFoundError: No module named 'prices'", LOADS)
    check(diagnose(KILLED, deaths=(death(code=-9),), log=log), "DaskWorkersLost", SYSTEM, True)


@pytest.mark.parametrize("end", [ClusterEnd.STARTUP_TIMEOUT, ClusterEnd.RESTARTS_EXHAUSTED])
def test_workers_that_never_begin(end: ClusterEnd):
    how: dict[str, Any] = {"end": end, "workers": (), "message": "0 of 1 were ready after 8 s"}
    log = raised("FileNotFoundError: [Errno 2] No such file or directory: 'gone'", ELSEWHERE)
    found = diagnose(deaths=(death(), death()), log=log, **how)
    check(
        found,
        "DaskWorkersCannotStart",
        USER,
        True,
        "did not start",
        "2 workers did",
        "exit code 1",
        "'gone'",
        "Look at",
    )
    log = raised("ModuleNotFoundError: No module named 'gone'", ELSEWHERE)
    found = diagnose(deaths=(death(),), log=log, **how)
    check(found, "DaskCannotImport", USER, False, "Worker worker-0 cannot import 'gone', which it needs to begin")
    found = diagnose(deaths=(death(code=-9),), **how)
    check(found, "DaskStartupTimeout", SYSTEM, True, "SIGKILL (9)")


def test_workers_that_are_only_slow():
    found = diagnose(end=ClusterEnd.STARTUP_TIMEOUT, message="1 of 2 were ready after 5 s")
    check(
        found, "DaskStartupTimeout", SYSTEM, True, "1 of 2 were ready after 5 s", "no worker has ended", "min_workers"
    )


def test_workers_that_end_again_and_again():
    end = ClusterEnd.RESTARTS_EXHAUSTED
    check(diagnose(end=end, deaths=(death(code=7),)), "DaskWorkersLost", USER, True, "exit code 7")
    check(diagnose(end=end, deaths=(death(code=-9, over=400 * MEBI),)), "DaskWorkerOutOfMemory", USER, True)
    starting = diagnose(end=end, deaths=(death(code=-9, over=400 * MEBI),), workers=())
    check(starting, "DaskWorkerOutOfMemory", USER, True)
    check(diagnose(end=end, message="worker-0 ended"), "DaskWorkersLost", USER, True, "again and again: worker-0 ended")


# -- what was raised --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "events", "code", "kind", "again", "said"),
    [
        (
            "OSError: [Errno 28] No space left on device",
            [erred("OSError(28, 'No space left on device')")],
            "DaskDiskFull",
            SYSTEM,
            True,
            "The disk is full on worker-1 (task fit-1)",
        ),
        (
            "ModuleNotFoundError: No module named 'prices'",
            [erred("ModuleNotFoundError(\"No module named 'prices'\")")],
            "DaskCannotImport",
            USER,
            False,
            "Worker worker-1 cannot import 'prices', which task fit-1 needs",
        ),
        (
            raised("ModuleNotFoundError: No module named 'prices'", UPDATE_GRAPH, LOADS),
            [],
            "DaskCannotImport",
            USER,
            False,
            "The scheduler cannot import 'prices', which the task graph needs",
        ),
        (
            raised("ValueError: older", UPDATE_GRAPH, LOADS),
            [],
            "DaskCannotUnpickle",
            USER,
            False,
            "The scheduler cannot unpickle the task graph: ValueError: older. Look at",
        ),
        (
            raised("ValueError: older", 'File "/lib/distributed/client.py", line 431, in result', LOADS),
            [],
            "DaskCannotUnpickle",
            USER,
            False,
            "The driver cannot unpickle a result: ValueError: older",
        ),
        (
            raised("TypeError: Could not serialize object of type lock", LOADS),
            [],
            "DaskCannotPickle",
            USER,
            False,
            "something here is not: Could not serialize object of type lock",
        ),
        (
            "TypeError: cannot pickle '_thread.lock' object",
            [erred("TypeError(\"cannot pickle '_thread.lock' object\")")],
            "DaskCannotPickle",
            USER,
            False,
            "Task fit-1 on worker-1 could not.",
        ),
        (
            "TimeoutError: timed out after 12 s.",
            [{"kind": "unrunnable", "worker": "", "told": "1 task(s), fit-1 among them, wait for a worker with GPU=1"}],
            "DaskNoWorkerFits",
            USER,
            False,
            "wait for a worker with GPU=1. Ask for such workers",
        ),
        (
            "TimeoutError: timed out after 12 s.",
            [{"kind": "paused", "worker": "", "told": "all 2 workers are paused"}],
            "DaskWorkerOutOfMemory",
            USER,
            True,
            "all 2 workers are paused. Give each worker more memory",
        ),
        (
            "NoValidWorkerError: Attempted to run task 'fit-1' but timed out after 2.00 s waiting for a valid worker "
            "matching all restrictions.\n\nRestrictions:\nhost_restrictions=set()\nworker_restrictions={'tcp://x:1'}\n"
            "resource_restrictions={'GPU': 1}\n",
            [],
            "DaskNoWorkerFits",
            USER,
            False,
            "task fit-1 waited 2.00 s for a worker with tcp://x:1 and GPU=1, and none has that",
        ),
        (
            "NoWorkerError: Attempted to run task 'fit-1' but timed out after 2.00 s waiting without any running "
            "workers.",
            [],
            "DaskNoWorkerFits",
            USER,
            False,
            "task fit-1 waited 2.00 s for a worker, and there was none",
        ),
        (
            "FutureCancelledError: sum-1 cancelled for reason: lost dependencies.",
            [{"kind": "remove-worker", "worker": "worker-0", "scattered": ["list-1"]}],
            "DaskDataLost",
            SYSTEM,
            True,
            "took scattered data along (list-1)",
        ),
        ("MemoryError: ", [erred("MemoryError()")], "OOMKilled", USER, True, "asked for on worker-1 (task fit-1)"),
        (
            "OSError: Timed out trying to connect to tcp://127.0.0.1:1 after 2 s",
            [],
            "DaskConnectionLost",
            SYSTEM,
            True,
            "whose scheduler was still there",
        ),
        (
            "FutureCancelledError: nap-1 cancelled for reason: scheduler-connection-lost.",
            [],
            "DaskConnectionLost",
            SYSTEM,
            True,
            "the way to it is cut",
        ),
        (
            "ValueError: 1",
            [erred("ValueError('1')")],
            "",
            UNKNOWN,
            None,
            "Task fit-1 raised ValueError('1') on worker-1.",
        ),
    ],
)
def test_what_was_raised(
    error: str, events: list[dict[str, Any]], code: str, kind: FailureKind, again: bool | None, said: str
):
    check(diagnose(error, *events), code, kind, again, said)


@pytest.mark.parametrize(
    "error", ["OSError: Timed out trying to connect to tcp://x", "FutureCancelledError: fit-1 cancelled for reason: x"]
)
def test_a_cluster_that_its_own_task_has_shut_down(error: str):
    found = diagnose(error, deaths=(death("scheduler", 0),))
    check(found, "DaskShutDown", USER, False, "client.shutdown()", "client.close()")


@pytest.mark.parametrize("error", ["CommClosedError: in <TCP>", "FutureCancelledError: fit-1 cancelled for reason: x"])
def test_a_driver_that_failed_for_a_scheduler_whose_end_nobody_saw(error: str):
    gone = msgspec.structs.replace(death("scheduler", 0), cause="somebody deleted it while no platform ran.")
    found = diagnose(error, deaths=(gone,))
    check(found, "DaskSchedulerLost", SYSTEM, True, "The Dask scheduler was lost (somebody deleted it while", "needed")
    found = diagnose("ValueError: my own", deaths=(gone,))
    assert found is None or found.code != "DaskSchedulerLost", "that has nothing to do with it"


def test_another_dask_is_blamed_for_what_dask_itself_raises():
    inside = '  File "/env/dask/bag/core.py", line 2512, in empty_safe_apply\n    return func(part)\n'
    own = '  File "/home/ann/flows.py", line 7, in fit\n    raise ValueError\n'
    error = "TypeError: unsupported operand type(s) for +: 'int' and 'TaskRef'"
    found = diagnose(error, OTHER_DASK, erred("TypeError('TaskRef')", inside))
    check(found, "DaskVersionMismatch", USER, False, "dask 2024.4.2 (the scheduler: 2026.8.0), distributed", "TaskRef")
    found = diagnose(error, OTHER_DASK, erred("TypeError('TaskRef')", own))
    check(found, "", UNKNOWN, None, "Task fit-1 raised TypeError")
    assert diagnose("KeyError: 'x'", OTHER_DASK, erred("TypeError('TaskRef')", inside)) is None
    found = diagnose(error, differ(numpy=["1.0", "2.0"]), erred("TypeError('TaskRef')", inside))
    check(found, "", UNKNOWN, None, "Task fit-1 raised TypeError")


# -- what it was not --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "before",
    [
        erred("ModuleNotFoundError(\"No module named 'prices'\")"),
        erred("OSError(28, 'No space left on device')"),
        erred("TypeError(\"cannot pickle '_thread.lock' object\")"),
        erred("MemoryError()"),
    ],
)
def test_errors_that_the_driver_has_survived_are_not_blamed(before: dict[str, Any]):
    assert diagnose("ValueError: something else", before) is None
    assert diagnose("OOMKilled: the driver ran out of memory", before, end=ClusterEnd.DRIVER_OUT_OF_MEMORY) is None
    assert diagnose("", before, end=ClusterEnd.STOPPED) is None
    assert diagnose("", before, end=ClusterEnd.LOST) is None


def test_the_unknown_stays_unknown_with_the_facts():
    found = diagnose("ValueError: something else", deaths=(death(code=3), death("worker-1", 4)))
    check(found, "", UNKNOWN, None, "While it ran, 2 workers died; the last: worker-1 ended with 4.")
    assert diagnose("ValueError: something else") is None


# -- what it was at when it was stopped -------------------------------------------------------------------------------
def unfinished(told: str = "", paused: bool = False, **computing: list[str]) -> dict[str, Any]:
    return {"kind": "unfinished", "worker": "", "told": told, "paused": paused, "computing": computing}


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (unfinished(w0=["nap-1", "nap-2"]), "When it was stopped, w0 was computing nap-1. Look at"),
        (unfinished(a=["k1"], b=["k2"], c=["k3"], d=["k4"]), "c was computing k3, and 1 more were computing too."),
        (unfinished("1 task(s), k among them, wait for a worker with GPU=1", w0=["k2"]), "GPU=1. Ask for such workers"),
        (unfinished("all 2 workers are paused", paused=True, w0=["k2"]), "all 2 workers are paused. Give each worker"),
    ],
)
def test_what_a_stopped_attempt_was_at(event: dict[str, Any], said: str):
    check(diagnose("", event, end=ClusterEnd.STOPPED), "", UNKNOWN, None, said)


def test_nothing_is_said_of_a_stopped_attempt_that_nothing_is_known_of():
    assert diagnose("", end=ClusterEnd.STOPPED) is None
