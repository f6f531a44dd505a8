"""Rules on what was waited for in vain: tasks that nobody could run, or that did not end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dayfly.model.phases import FailureKind
from dayfly.ports.clusters import ClusterEnd
from dayfly.ports.executors import Explanation

if TYPE_CHECKING:
    from dayfly.executors.dask.diagnosis.facts import Facts

MAX_TOLD = 3
"""Workers of which it is told what they were computing."""

REMEDY = "Ask for such workers, or drop the restriction (resources=, workers=)."

OF_PAUSED = "Give each worker more memory, or keep fewer results at once."


def no_worker_fits(facts: Facts) -> Explanation | None:
    """Tasks that wait for a worker that does not exist, until somebody gives up."""
    waiting = facts.find_event("unrunnable")
    given_up = _GIVEN_UP.search(facts.error)
    if given_up is None and (waiting is None or not _TIMED_OUT.search(facts.error)):
        return None
    told = str(waiting["told"]) if waiting else _read(facts.error, given_up)
    return Explanation(
        f"The cluster was stuck: {told}. {REMEDY}", "DaskNoWorkerFits", FailureKind.USER, recoverable=False
    )


def workers_paused(facts: Facts) -> Explanation | None:
    """Workers that have no memory to begin anything with, until somebody gives up."""
    paused = facts.find_event("paused")
    if paused is None or not _TIMED_OUT.search(facts.error):
        return None
    return Explanation(
        f"The cluster was stuck: {paused['told']}. {OF_PAUSED}",
        "DaskWorkerOutOfMemory",
        FailureKind.USER,
        recoverable=True,
    )


def was_stopped(facts: Facts) -> Explanation | None:
    """What was going on when the platform ended it, for instance for a timeout."""
    if facts.report.end is not ClusterEnd.STOPPED:
        return None
    event = facts.find_event("unfinished")
    if event is None:
        return None
    if event["told"]:
        return Explanation(f"The cluster was stuck: {event['told']}. {OF_PAUSED if event['paused'] else REMEDY}")
    computing = list(event["computing"].items())
    told = [f"{worker} was computing {keys[0]}" for worker, keys in computing[:MAX_TOLD]]
    more = f", and {len(computing) - MAX_TOLD} more were computing too" if len(computing) > MAX_TOLD else ""
    return Explanation(
        f"When it was stopped, {', '.join(told)}{more}. Look at what these tasks wait for, or allow a longer timeout."
    )


_GIVEN_UP = re.compile(r"Attempted to run task '?(?P<key>.+?)'? but timed out after (?P<seconds>\S+ \w+) waiting")
_RESTRICTION = re.compile(r"_restrictions=[{\[]([^}\]\n]+)[}\]]")
_TIMED_OUT = re.compile(r"[Tt]imeout|[Tt]imed out|longer than")


def _read(error: str, found: re.Match[str] | None) -> str:
    """Return what Dask's own error says of the wait."""
    if found is None:
        return "some tasks wait for a worker that there is none of"
    wants = " and ".join(dict.fromkeys(_RESTRICTION.findall(error))).replace("'", "").replace(": ", "=")
    told = f" with {wants}, and none has that" if wants else ", and there was none"
    return f"task {found['key']} waited {found['seconds']} for a worker{told}"
