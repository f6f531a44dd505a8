"""What a progress report changes in an attempt.

The world repeats and reorders its reports, and each may be told again much later. A report therefore counts only if
it is newer than all before it: (time, how far along) must grow. Only RUNNING is taken late too, since nothing leads
back from it. So the same report a second time never changes anything.
"""

from __future__ import annotations

from typing import Any

from dayfly.engine import moves
from dayfly.model.events import AttemptProgressed
from dayfly.model.phases import AttemptPhase
from dayfly.model.run import AttemptState, LogLink, Reason

_PROGRESS = (
    AttemptPhase.QUEUED,
    AttemptPhase.WAITING_FOR_RESOURCES,
    AttemptPhase.INITIALIZING,
    AttemptPhase.RUNNING,
)
"""Phases that a report may bring, in the order in which a quiet world passes them."""


def merge(attempt: AttemptState, event: AttemptProgressed) -> dict[str, Any]:
    """Return the attempt's fields as the report changes them; nothing if it is late, repeated or makes no sense."""
    if event.phase not in _PROGRESS:
        return {}
    begins = event.phase is AttemptPhase.RUNNING and attempt.phase is not AttemptPhase.RUNNING
    if not begins and not _is_newer(attempt, event):
        return {}
    first = attempt.updates == 0
    changes: dict[str, Any] = {
        "updates": attempt.updates + 1,
        "updated_at": event.at if first else max(event.at, attempt.updated_at),
    }
    if moves.allows(moves.ATTEMPT_MOVES, attempt.phase, event.phase):
        changes["phase"] = event.phase
    if event.reason and (not attempt.reasons or attempt.reasons[-1].message != event.reason):
        changes["reasons"] = (*attempt.reasons, Reason(event.at, event.reason))
    if event.logs:
        changes["logs"] = _merge_logs(attempt.logs, event.logs)
    if event.custom_info:
        changes["custom_info"] = event.custom_info
    return changes


def _is_newer(attempt: AttemptState, event: AttemptProgressed) -> bool:
    # The attempt's own clock is the platform's, the reports' is the executor's: the first report is always new.
    if attempt.updates == 0:
        return True
    return (event.at, _PROGRESS.index(event.phase)) > (attempt.updated_at, _PROGRESS.index(attempt.phase))


def _merge_logs(before: tuple[LogLink, ...], more: tuple[LogLink, ...]) -> tuple[LogLink, ...]:
    by_name = {link.name: link for link in before}
    by_name.update((link.name, link) for link in more)
    return tuple(by_name.values())
