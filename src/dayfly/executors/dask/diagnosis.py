"""Why did it die: what a cluster's processes, its record and the error say, in one sentence with a remedy. Pure.

Called by `executor` for an attempt that has failed. Each rule looks for one cause and gives an `Explanation` or
nothing; the first that does is believed. What no rule knows stays unknown, with the facts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from dayfly.executors.dask import describing
from dayfly.model.phases import FailureKind
from dayfly.ports.clusters import ClusterEnd, ClusterReport, Death
from dayfly.ports.executors import Explanation
from dayfly.ports.records import ClusterRecord


class Facts(msgspec.Struct, frozen=True):
    """Everything that is known of an attempt's end."""

    report: ClusterReport
    record: ClusterRecord = ClusterRecord()
    error: str = ""
    """What the task's error.pb says, or what was said of its process."""

    @property
    def worker_deaths(self) -> tuple[Death, ...]:
        """Return the ends of workers, oldest first."""
        return tuple(death for death in self.report.deaths if death.role != "scheduler")

    @property
    def task_errors(self) -> tuple[dict[str, str], ...]:
        """Return what tasks raised on workers, oldest first."""
        return tuple(event for event in self.record.events if event["kind"] == "task-erred")

    @property
    def texts(self) -> str:
        """Return all that was raised, the task's own error first."""
        return "\n".join((self.error, *(f"{one['error']}\n{one['traceback']}" for one in self.task_errors[-20:])))


def diagnose(facts: Facts) -> Explanation | None:
    """Return the cause, None where nothing of the cluster has to do with it."""
    return next((found for rule in RULES if (found := rule(facts)) is not None), None)


# -- rules, by what they look at --------------------------------------------------------------------------------------
def scheduler_ended(facts: Facts) -> Explanation | None:
    """The scheduler's own end."""
    if facts.report.end is not ClusterEnd.SCHEDULER_LOST:
        return None
    death = next((one for one in reversed(facts.report.deaths) if one.role == "scheduler"), None)
    if death is not None and death.over_limit_bytes:
        return Explanation(
            f"The Dask scheduler ran out of memory: it held {describing.size(death.over_limit_bytes)}, its limit is "
            f"{describing.size(death.limit_bytes)}. Ask for more with Scheduler(limits=Resources(mem=...)), or make "
            "fewer, larger tasks.",
            "DaskSchedulerOutOfMemory",
            FailureKind.USER,
        )
    how = describing.ending(death) if death is not None else facts.report.message.rstrip(".") or "is gone"
    return Explanation(
        f"The Dask scheduler {how}, and with it went what the cluster had computed. A new attempt gets a new cluster.",
        "DaskSchedulerLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def never_started(facts: Facts) -> Explanation | None:
    """No quorum in time."""
    if facts.report.end is not ClusterEnd.STARTUP_TIMEOUT:
        return None
    deaths = facts.worker_deaths
    told = f"The Dask cluster did not start: {facts.report.message.rstrip('.')}"
    if deaths:
        told += f"; workers ended {len(deaths)} times meanwhile, the last: {deaths[-1].told}"
    return Explanation(
        f"{told}. The workers' logs say why.", "DaskStartupTimeout", FailureKind.SYSTEM, recoverable=True
    )


def workers_ended_again_and_again(facts: Facts) -> Explanation | None:
    """More workers died than are made anew."""
    if facts.report.end is not ClusterEnd.RESTARTS_EXHAUSTED:
        return None
    return _of_deaths(facts, facts.worker_deaths, "") or Explanation(
        f"The Dask workers died again and again: {facts.report.message}.", "DaskWorkersLost", FailureKind.USER
    )


def killed_worker(facts: Facts) -> Explanation | None:
    """A task whose workers died several times, which Dask then gives up."""
    found = _GIVEN_UP.search(facts.texts)
    if found is None and "KilledWorker" not in facts.error:
        return None
    return _of_deaths(facts, facts.worker_deaths, found["key"] if found else "")


def shuffle_lost_a_worker(facts: Facts) -> Explanation | None:
    """Shuffles start over when a worker goes, and fail when that happens too often."""
    if not _SHUFFLE.search(facts.error) or not facts.worker_deaths:
        return None
    return _of_deaths(facts, facts.worker_deaths, "", doing="a shuffle")


def disk_full(facts: Facts) -> Explanation | None:
    """Nowhere to spill to."""
    if not _DISK.search(facts.texts):
        return None
    worker = _where(facts, _DISK)
    return Explanation(
        f"The disk is full{worker}: spilled data and results have no room. Free space in the platform's data folder, "
        "give the workers more memory, or use smaller partitions.",
        "DaskDiskFull",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def versions_differ(facts: Facts) -> Explanation | None:
    """Client, scheduler and workers that do not speak alike."""
    if not _VERSIONS.search(facts.texts):
        return None
    return Explanation(
        "Driver, scheduler and workers have different versions of Python, dask or distributed. Use one image "
        "for all roles.",
        "VersionMismatch",
        FailureKind.USER,
    )


def cannot_import(facts: Facts) -> Explanation | None:
    """A module that workers lack."""
    for event in reversed(facts.task_errors):
        if found := _MODULE.search(event["error"]):
            module = found["module"]
            return Explanation(
                f"Worker {event['worker']} cannot import {module!r}, which task {event['key']} needs. Install it in "
                "the environment of the workers (Dask(workers=WorkerGroup(image=...))), or register it with the code.",
                "DaskCannotImport",
                FailureKind.USER,
                recoverable=False,
            )
    return None


def cannot_pickle(facts: Facts) -> Explanation | None:
    """Functions, arguments or results that cannot travel."""
    found = _PICKLE.search(facts.texts)
    if found is None:
        return None
    event = next((one for one in reversed(facts.task_errors) if _PICKLE.search(one["error"])), None)
    where = f" Task {event['key']} on {event['worker']} could not." if event else ""
    return Explanation(
        f"What goes from process to process must be picklable, and something here is not: {found[0].strip()}.{where} "
        "Make connections, locks and open files inside the task, and return plain data.",
        "DaskCannotPickle",
        FailureKind.USER,
        recoverable=False,
    )


def no_worker_fits(facts: Facts) -> Explanation | None:
    """Tasks that wait for a worker that does not exist."""
    waiting = next((one for one in reversed(facts.record.events) if one["kind"] == "unrunnable"), None)
    stuck = "NoWorkerError" in facts.error or "NoValidWorkerError" in facts.error
    if not stuck and (waiting is None or not _GAVE_UP_WAITING.search(facts.error)):
        return None
    told = waiting["told"] if waiting else "some tasks wait for a worker that there is none of"
    return Explanation(
        f"The cluster was stuck: {told}. Ask for such workers, or drop the restriction (resources=, workers=).",
        "DaskNoWorkerFits",
        FailureKind.USER,
        recoverable=False,
    )


def data_lost(facts: Facts) -> Explanation | None:
    """Scattered data that went with a worker."""
    lost = [one for one in facts.record.events if one["kind"] == "remove-worker" and one.get("scattered")]
    if not lost or not _CANCELLED.search(facts.error):
        return None
    return Explanation(
        f"Worker {lost[-1]['worker']} died and took scattered data along ({', '.join(lost[-1]['scattered'][:3])}), "
        "which nobody can compute again. Let tasks load the data, or scatter it with broadcast=True.",
        "DaskDataLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def connection_lost(facts: Facts) -> Explanation | None:
    """Processes that cannot reach each other."""
    if not _CONNECTION.search(facts.error):
        return None
    return Explanation(
        "The driver lost its connection to the Dask cluster, whose scheduler was still there. If the task closed "
        "ports, changed DASK_SCHEDULER_ADDRESS or shut the cluster down itself, mend that; else a new attempt will do.",
        "DaskConnectionLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def memory_error(facts: Facts) -> Explanation | None:
    """Python's own word for it."""
    if "MemoryError" not in facts.texts:
        return None
    where = _where(facts, re.compile("MemoryError"))
    return Explanation(
        f"Python could not get the memory it asked for{where}. Ask for more, or work on smaller pieces.",
        "OOMKilled",
        FailureKind.USER,
    )


def task_raised(facts: Facts) -> Explanation | None:
    """The user's own exception, raised on a worker."""
    for event in reversed(facts.task_errors):
        raised = event["error"].partition("(")[0]
        if raised and event["cause"] in ("", event["key"]) and raised in facts.error:
            return Explanation(f"Task {event['key']} raised {event['error'][:300]} on {event['worker']}.")
    return None


def unknown(facts: Facts) -> Explanation | None:
    """Nothing that is known explains it: the deaths are told all the same."""
    deaths = facts.worker_deaths
    if not deaths or facts.report.end is not ClusterEnd.DRIVER_EXITED:
        return None
    return Explanation(f"While it ran, {describing.count(deaths)} died; the last: {deaths[-1].told}.")


RULES: tuple[Callable[[Facts], Explanation | None], ...] = (
    scheduler_ended,
    never_started,
    workers_ended_again_and_again,
    killed_worker,
    shuffle_lost_a_worker,
    disk_full,
    versions_differ,
    cannot_import,
    cannot_pickle,
    no_worker_fits,
    data_lost,
    memory_error,
    connection_lost,
    task_raised,
    unknown,
)
"""In the order in which they are asked."""

_GIVEN_UP = re.compile(r"Attempted to run task '?(?P<key>.+?)'? on \d+ different workers")
_SHUFFLE = re.compile(r"P2P\w* .*failed|P2PConsistencyError|ShuffleClosedError")
_DISK = re.compile(r"No space left on device|\[Errno 28\]|MaxSpillExceeded|Disk quota exceeded")
_VERSIONS = re.compile(r"[Mm]ismatched versions|unsupported pickle protocol|Your Dask .*version.* not compatible")
_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError)\(.*?No module named '(?P<module>[^']+)'", re.DOTALL)
_PICKLE = re.compile(
    r"cannot pickle '[^'\n]+' object|Could not serialize object of type [\w.]+|Can't (?:get|pickle) [^\n\"]{1,120}"
    r"|PicklingError[^\n]{0,160}|UnpicklingError[^\n]{0,160}"
)
_GAVE_UP_WAITING = re.compile(r"[Tt]imeout|[Tt]imed out|longer than")
_CANCELLED = re.compile(r"CancelledError|FutureCancelledError|lost")
_CONNECTION = re.compile(
    r"CommClosedError|Timed out trying to connect|ConnectionRefusedError|ConnectionResetError|ClosedClientError"
)


def _of_deaths(facts: Facts, deaths: tuple[Death, ...], key: str, *, doing: str = "") -> Explanation | None:
    """Say what most of the dead workers died of."""
    if not deaths:
        return None
    key = key or _most(key for worker in facts.record.workers for key in worker.processing)
    work = f" while computing {key}" if key else f" during {doing}" if doing else ""
    too_large = [death for death in deaths if death.over_limit_bytes]
    last = (too_large or deaths)[-1]
    if 2 * len(too_large) >= len(deaths):
        return Explanation(
            f"{last.role} ran out of memory{work}: it held {describing.size(last.over_limit_bytes)}, its limit is "
            f"{describing.size(last.limit_bytes)}; {describing.count(too_large)} died of it. Give each worker more "
            "memory (WorkerGroup(limits=Resources(mem=...))), or use smaller partitions or fewer threads.",
            "DaskWorkerOutOfMemory",
            FailureKind.USER,
        )
    remedy = (
        "Something kills them from outside: the host's memory, or somebody's hand; a new attempt may do."
        if last.exit_code in (-9, -15)
        else "The task ends its own process: os._exit, sys.exit or a crash in compiled code; run it on one input alone."
    )
    outside = last.exit_code in (-9, -15)
    return Explanation(
        f"{last.role} {describing.ending(last)}{work}; {describing.count(deaths)} died. {remedy}",
        "DaskWorkersLost",
        FailureKind.SYSTEM if outside else FailureKind.USER,
        recoverable=True if outside else None,
    )


def _most(keys: Iterable[str]) -> str:
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    return max(counts, key=counts.__getitem__) if counts else ""


def _where(facts: Facts, what: re.Pattern[str]) -> str:
    event = next((one for one in reversed(facts.task_errors) if what.search(one["error"] + one["traceback"])), None)
    return f" on {event['worker']} (task {event['key']})" if event else ""
