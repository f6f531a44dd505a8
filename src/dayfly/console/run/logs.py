"""The tab of logs: what all processes of an attempt wrote, merged by time; of a run, what happened in it."""

from __future__ import annotations

from dayfly.client import extras
from dayfly.console.run import log_view, picking
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model.phases import TERMINAL_ATTEMPT, TERMINAL_EXECUTION


async def build(subject: Subject) -> Refresh:
    """Show the tab. The browser follows by itself, so that only the choice of attempts is left to refresh."""
    refresh = picking.show(subject, "logs")
    path = extras.PREFIX + subject.attempt_path
    number = subject.attempt.id.retry_attempt
    log_view.LogView(
        lines=f"{path}/lines",
        logs=f"{path}/logs",
        live=subject.attempt.closure.phase not in TERMINAL_ATTEMPT,
        name=f"{subject.id.name}-{subject.node.id.node_id}-{number}.log",
    )
    return refresh


async def build_story(subject: Subject) -> Refresh | None:
    """Show what happened in a run."""
    id = subject.id
    log_view.LogView(
        lines=f"{extras.PREFIX}/executions/{id.project}/{id.domain}/{id.name}/events",
        live=subject.execution.closure.phase not in TERMINAL_EXECUTION,
        kind="events",
        node_href=picking.address(subject, "", node="NODE"),
        name=f"{id.name}-events.log",
    )
    return None


TAB = Tab("logs", "Logs", lambda subject: subject.attempt is not None, build)
STORY = Tab("story", "Story", lambda subject: subject.node is None, build_story)
