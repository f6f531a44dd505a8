"""The tab that says in a sentence how it stands, and why."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dayfly.client import watching
from dayfly.console import addresses, markup
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    shown = markup.show(_content(subject))

    async def refresh(later: Subject) -> None:
        shown.set_content(str(_content(later)))

    return refresh


def _content(subject: Subject) -> Markup:
    one = subject.execution if subject.node is None else subject.node
    over = one.closure.phase in (TERMINAL_EXECUTION if subject.node is None else TERMINAL_NODE)
    started, ended = watching.span(one.closure, over)
    pairs: list[tuple[str, Markup | str]] = [
        ("Phase", markup.phase(subject.phase)),
        ("Started", markup.moment(started)),
        ("Duration", markup.duration(started, ended)),
    ]
    if subject.node is None:
        workflow = identifiers.from_identifier(one.closure.workflow_id)
        pairs.append(("Workflow", markup.link(workflow.name, addresses.version("workflow", workflow))))
        pairs.append(("Version", markup.code(workflow.version)))
    return Markup("{}{}").format(_error(one.closure), markup.facts(pairs))


def _error(closure: Any) -> Markup:
    error = watching.error(closure)
    return markup.problem(error.message, error.code) if error else Markup("")


TAB = Tab("summary", "Summary", lambda subject: True, build)
