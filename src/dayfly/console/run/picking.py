"""The choice between a node's attempts, shown on each tab that is about one; and addresses within the run page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from markupsafe import Markup

from dayfly.console import addresses, markup, wording
from dayfly.console.run import standing
from dayfly.console.run.panel import Refresh
from dayfly.console.run.subject import Subject


def address(subject: Subject, tab: str, *, node: str | None = None, attempt: int | None = None) -> str:
    """Return the address of a tab about this run; of the chosen node unless another is named."""
    chosen = node if node is not None else (subject.node.id.node_id if subject.node is not None else "")
    query = without_log(subject.view.query)
    kept = {name: value for name, value in query.items() if name not in ("node", "attempt", "tab")}
    told = {**kept, "node": chosen, "attempt": "" if attempt is None else str(attempt), "tab": tab}
    return addresses.run(subject.id, told)


def without_log(query: Mapping[str, str]) -> dict[str, str]:
    """Return a query without what is about one log or cluster alone. `board.js` does the same."""
    return {name: value for name, value in query.items() if name not in ("line", "at") and name[:4] != "log_"}


def show(subject: Subject, tab: str) -> Refresh:
    """Put the choice on the screen where there is one, and return what keeps it up to date."""
    shown = markup.show(_choice(subject, tab))

    async def refresh(later: Subject) -> None:
        # The attempt that is shown stays the chosen one, also where a new one has begun.
        shown.set_content(str(_choice(dataclasses.replace(later, attempt=subject.attempt), tab)))

    return refresh


def _choice(subject: Subject, tab: str) -> Markup:
    if len(subject.attempts) < 2:
        return Markup("")
    chosen = subject.attempt.id.retry_attempt
    links = Markup("").join(
        Markup('<a href="{}"{}><i aria-hidden="true">{}</i>{}</a>').format(
            address(subject, tab, attempt=one.id.retry_attempt),
            Markup(' aria-current="true"') if one.id.retry_attempt == chosen else "",
            wording.MARKS.get(standing.phase_of(one), wording.WAITING),
            one.id.retry_attempt,
        )
        for one in subject.attempts
    )
    return Markup('<nav class="attempts" aria-label="Attempts"><span class="faint">Attempt</span>{}</nav>').format(
        links
    )
