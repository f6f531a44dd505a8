"""Rules on what one role sends and another cannot read: modules that it lacks, other versions, what cannot be pickled.

Dask tells of these in many ways: a task's error, an error of the whole graph, or workers that leave without a word when
they cannot read what the scheduler sends them, so that only their logs say why.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dayfly.executors.dask import versions
from dayfly.executors.dask.diagnosis import facts as known
from dayfly.model.phases import FailureKind
from dayfly.ports.executors import Explanation

if TYPE_CHECKING:
    from dayfly.executors.dask.diagnosis.facts import Facts, Raised


def versions_differ(facts: Facts) -> Explanation | None:
    """Roles that do not speak alike: the scheduler knows the versions of each, and something of Dask's own fails."""
    if _VERSIONS.search(facts.error):
        return _of_versions("Driver, scheduler and workers have different versions of Python, dask or distributed.")
    event, failed = _differing(facts), facts.find_event("task-erred")
    if event is None or failed is None or failed["error"].partition("(")[0] not in facts.error:
        return None
    files = _FILE.findall(failed["traceback"])
    if not files or not _LIBRARY.search(files[-1]):
        return None
    return _of_versions(
        f"{versions.tell_differing(event)}: what they send each other is misread ({failed['error'][:200]})."
    )


def cannot_import(facts: Facts) -> Explanation | None:
    """A module that workers lack, and that a task of theirs asks for."""
    for event in reversed(facts.task_errors):
        if (found := _MODULE.search(event["error"])) and found["module"] in facts.error:
            needed = f"which task {event['key']} needs"
            return _lacks(facts, f"Worker {event['worker']}", found["module"], needed)
    return None


def cannot_unpickle(facts: Facts) -> Explanation | None:
    """What scheduler or driver could not read of what they were sent."""
    for one in known.find_raised(facts.error):
        if not _LOADING.search(one.frames):
            continue
        if "in update_graph" in one.frames:
            return _of_raised(facts, one, "The scheduler", "the task graph")
        return _of_raised(facts, one, "The driver", "a result")
    return None


def cannot_pickle(facts: Facts) -> Explanation | None:
    """Functions, arguments or results that cannot travel."""
    found = _PICKLE.search(facts.error)
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


def in_logs(facts: Facts, key: str = "") -> Explanation | None:
    """Say why workers ended by themselves, if the log of the last one tells that it could not read or import something.

    `key` is the task that they were sent, where that is known.
    """
    worker = f"Worker {facts.worker_deaths[-1].role}"
    raised = list(known.find_raised(facts.report.worker_log_tail))
    unread = next((one for one in reversed(raised) if _LOADING.search(one.frames)), None)
    if unread is not None:
        return _of_raised(facts, unread, worker, f"task {key}" if key else "what it was sent")
    missing = _NO_MODULE.match(raised[-1].message) if raised and not facts.record.workers else None
    return _lacks(facts, worker, missing["module"], "which it needs to begin") if missing else None


_VERSIONS = re.compile(r"[Mm]ismatched versions|unsupported pickle protocol|Your Dask .*version.* not compatible")
_MODULE = re.compile(r"(?:ModuleNotFoundError|ImportError)\(.*?No module named '(?P<module>[^']+)'", re.DOTALL)
_NO_MODULE = re.compile(r"No module named '(?P<module>[^']+)'")
_NO_NAME = re.compile(
    r"Can't get attribute '(?P<name>[^']+)' on <module '(?P<module>[^']+)'|"
    r"cannot import name '(?P<name2>[^']+)' from '(?P<module2>[^']+)'"
)
_PICKLE = re.compile(
    r"cannot pickle '[^'\n]+' object|Could not serialize object of type [\w.]+"
    r"|Can't (?:get local object|pickle) [^\n\"]{1,120}|PicklingError[^\n]{0,160}"
)
_LOADING = re.compile(r"/distributed/protocol/\w+\.py\", line \d+, in \w*(?:loads|deserialize)")
_FILE = re.compile(r"File \"([^\"\n]+)\", line")
_LIBRARY = re.compile(r"/(?:dask|distributed|cloudpickle|msgpack|tornado|toolz)/[^\"]+$")
_OF_DASK = re.compile(r"(?:dask|distributed)(?:\.|$)")


def _of_raised(facts: Facts, raised: Raised, who: str, what: str) -> Explanation:
    missing, other = _NO_MODULE.search(raised.message), _NO_NAME.search(raised.message)
    if missing:
        return _lacks(facts, who, missing["module"], f"which {what} needs")
    if other and (module := other["module"] or other["module2"]) != "__main__":
        name = other["name"] or other["name2"]
        return _of_versions(
            f"{who} has another version of {module!r} than the other roles: one without {name!r}, which {what} needs."
        )
    return Explanation(
        f"{who} cannot unpickle {what}: {raised.told}. Look at the class's __setstate__, __reduce__ or __init__, and "
        "whether its package has the same version everywhere; or send plain data.",
        "DaskCannotUnpickle",
        FailureKind.USER,
        recoverable=False,
    )


def _lacks(facts: Facts, who: str, module: str, needed: str) -> Explanation:
    event = _differing(facts)
    if _OF_DASK.match(module):
        told = f"{versions.tell_differing(event)}, and" if event else f"{who} has another version of dask:"
        return _of_versions(f"{told} {module!r} is not there, {needed}.")
    return Explanation(
        f"{who} cannot import {module!r}, {needed}. Install it in the environment of all roles "
        "(Dask(workers=WorkerGroup(image=...))), or register it with the code.",
        "DaskCannotImport",
        FailureKind.USER,
        recoverable=False,
    )


def _differing(facts: Facts) -> Mapping[str, Any] | None:
    """Return the event that tells of a worker with other versions of what must be the same everywhere."""
    event = facts.find_event("versions-differ")
    return event if event is not None and versions.tell_differing(event) else None


def _of_versions(told: str) -> Explanation:
    return Explanation(f"{told} {versions.ONE_ENVIRONMENT}", "DaskVersionMismatch", FailureKind.USER, recoverable=False)
