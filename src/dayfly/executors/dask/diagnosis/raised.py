"""Rules on what was raised, by Dask or by the user's own code, in the driver or on a worker."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dayfly.executors.dask import describing
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import Explanation

if TYPE_CHECKING:
    from dayfly.executors.dask.diagnosis.facts import Facts


NO_ROOM = re.compile(r"No space left on device|\[Errno 28\]|Disk quota exceeded")


def disk_full(facts: Facts) -> Explanation | None:
    """No room for what is written."""
    if not NO_ROOM.search(facts.error):
        return None
    return Explanation(
        f"The disk is full{_where(facts, NO_ROOM)}: what was written there has no room. {facts.report.more_room} and "
        "wherever the task writes to, or write less.",
        "DaskDiskFull",
        FailureKind.SYSTEM,
        recoverable=True,
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


def shut_down(facts: Facts) -> Explanation | None:
    """A cluster that its own task has ended, and asks again."""
    left = any(one.role == "scheduler" and one.exit_code == 0 for one in facts.report.deaths)
    if not left or not (_CONNECTION.search(facts.error) or _CANCELLED.search(facts.error)):
        return None
    return Explanation(
        "The Dask cluster was shut down while the task still needed it: by client.shutdown(), or by its idle_timeout. "
        "Close the client instead (client.close()), or allow a longer idle_timeout.",
        "DaskShutDown",
        FailureKind.USER,
        recoverable=False,
    )


def scheduler_lost(facts: Facts) -> Explanation | None:
    """A scheduler that went before the driver did, which nobody saw in time to end the attempt for it."""
    lost = next((one for one in facts.report.deaths if one.role == "scheduler" and (one.cause or one.exit_code)), None)
    if lost is None or not (_CONNECTION.search(facts.error) or _CANCELLED.search(facts.error)):
        return None
    return Explanation(
        f"The Dask scheduler {describing.ending(lost)}, and with it went what the cluster had computed, which the task "
        "needed still. A new attempt gets a new cluster.",
        "DaskSchedulerLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def connection_lost(facts: Facts) -> Explanation | None:
    """Processes that cannot reach each other."""
    if not _CONNECTION.search(facts.error):
        return None
    return Explanation(
        "The driver lost its connection to the Dask cluster, whose scheduler was still there: its port is closed, or "
        "the way to it is cut. A new attempt gets a new cluster; if the task itself closes sockets or changes "
        "DASK_SCHEDULER_ADDRESS, mend that.",
        "DaskConnectionLost",
        FailureKind.SYSTEM,
        recoverable=True,
    )


def memory_error(facts: Facts) -> Explanation | None:
    """Python's own word for it."""
    if "MemoryError" not in facts.error:
        return None
    return Explanation(
        f"Python could not get the memory it asked for{_where(facts, re.compile('MemoryError'))}. Ask for more, or "
        "work on smaller pieces.",
        "OOMKilled",
        FailureKind.USER,
        recoverable=True,
    )


def task_raised(facts: Facts) -> Explanation | None:
    """The user's own exception, raised on a worker."""
    for event in reversed(facts.task_errors):
        raised = event["error"].partition("(")[0]
        if raised and event["cause"] in ("", event["key"]) and raised in facts.error:
            return Explanation(f"Task {event['key']} raised {event['error'][:300]} on {event['worker']}.")
    return None


_CANCELLED = re.compile(r"CancelledError|FutureCancelledError|lost")
_CONNECTION = re.compile(
    r"CommClosedError|Timed out trying to connect|ConnectionRefusedError|ConnectionResetError|ClosedClientError"
    r"|scheduler-connection-lost"
)


def _where(facts: Facts, what: re.Pattern[str]) -> str:
    event = next((one for one in reversed(facts.task_errors) if what.search(one["error"] + one["traceback"])), None)
    return f" on {event['worker']} (task {event['key']})" if event else ""
