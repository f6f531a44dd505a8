"""The tab that says in a sentence how it stands, and why; then the attempts, and who started what."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, NamedTuple

from flyteidl.admin import node_execution_pb2
from markupsafe import Markup

from dayfly.base.clock import SECOND
from dayfly.client import watching
from dayfly.console import addresses, markup, wording
from dayfly.console.run import about_run, failure, picking, standing
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model import identifiers
from dayfly.model.identifiers import END_NODE, START_NODE, NodeId
from dayfly.model.phases import TERMINAL_ATTEMPT, TERMINAL_EXECUTION, TERMINAL_NODE

LOOKED_INTO = 3
"""Nodes that go on of which it is told what they do."""

MOST = 50
"""Nodes that are asked for of each kind."""

LISTED = 8
"""Nodes that are named where many go on or failed."""

FAILED = "value_in(phase,FAILED;TIMED_OUT)"
GOING_ON = "value_in(phase,QUEUED;RUNNING;FAILING;DYNAMIC_RUNNING)"


class Nodes(NamedTuple):
    """Nodes of a run that say how it stands."""

    failed: Sequence[Any] = ()
    going_on: Sequence[Any] = ()
    doing: Sequence[Any] = ()
    """Their last attempts (admin.TaskExecution), of the first ones."""


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    shown = markup.show(_content(subject, await _nodes(subject)))

    async def refresh(later: Subject) -> None:
        shown.set_content(str(_content(later, await _nodes(later))))

    return refresh


async def _nodes(subject: Subject) -> Nodes:
    if subject.node is not None:
        return Nodes()
    over = subject.execution.closure.phase in TERMINAL_EXECUTION
    if over and not subject.execution.closure.HasField("error"):
        return Nodes()
    client = subject.view.client
    failed, going_on = await asyncio.gather(_some(subject, FAILED), _some(subject, "" if over else GOING_ON))
    if over:
        return Nodes(failed)
    first = [NodeId(one.id.node_id) for one in going_on[:LOOKED_INTO]]
    attempts = await asyncio.gather(*(client.list_attempts(subject.id, node) for node in first))
    return Nodes(failed, going_on, [some[-1] for some in attempts if some])


async def _some(subject: Subject, filters: str) -> Sequence[Any]:
    """Return the first nodes of a run that are like that, for there may be thousands."""
    if not filters:
        return ()
    client = subject.view.client
    request = node_execution_pb2.NodeExecutionListRequest(
        workflow_execution_id=identifiers.to_execution_identifier(subject.id), filters=filters, limit=MOST
    )
    found = (await client.call(client.admin.ListNodeExecutions, request)).node_executions
    return [one for one in found if one.id.node_id not in (START_NODE, END_NODE)]


def _content(subject: Subject, nodes: Nodes) -> Markup:
    one = subject.execution if subject.node is None else subject.node
    error = watching.error(one.closure)
    parts = [
        _failure(subject, error, nodes) if error else _standing(subject, nodes),
        markup.facts([*_facts(subject), *_listed(subject, nodes)]),
        _attempts(subject) if subject.attempts else Markup(""),
    ]
    return Markup("").join(parts)


def _failure(subject: Subject, error: watching.ErrorView, nodes: Nodes) -> Markup:
    told = failure.read(error.message, error.code)
    remedy = Markup('<p class="remedy"><b>What to do</b> {}</p>').format(told.remedy) if told.remedy else Markup("")
    where = Markup('<p class="where">at {}</p>').format(told.where) if told.where else Markup("")
    details = (
        Markup('<details class="fold"><summary>Traceback and all that was said</summary>{}</details>').format(
            markup.block(told.details, "Traceback")
        )
        if told.details
        else Markup("")
    )
    return Markup(
        '<div class="problem reason" role="alert"><p class="sentence">{}</p>{}{}<p class="where"><code>{}</code> {}</p>'
        '</div>{}<div class="row-of below">{}</div>'
    ).format(
        told.sentence, remedy, where, error.code, standing.fault(error.kind), details, _way_to_logs(subject, nodes)
    )


def _way_to_logs(subject: Subject, nodes: Nodes) -> Markup:
    if subject.attempt is not None:
        return markup.link("Open the logs", picking.address(subject, "logs"), "button")
    if len(nodes.failed) == 1:
        href = picking.address(subject, "logs", node=nodes.failed[0].id.node_id)
        return markup.link("Open the logs of what failed", href, "button")
    return Markup("")


def _standing(subject: Subject, nodes: Nodes) -> Markup:
    tone, told = standing.tell(subject)
    if nodes.going_on and tone == "RUNNING":
        told = standing.of_nodes(len(nodes.going_on), nodes.doing)
    return Markup('<p class="standing standing-{}" role="status">{}</p>').format(tone, told)


def _listed(subject: Subject, nodes: Nodes) -> list[tuple[str, Markup | str]]:
    pairs: list[tuple[str, Markup | str]] = []
    if nodes.failed:
        pairs.append(("Failed nodes", _links(subject, nodes.failed)))
    if nodes.going_on:
        looked_into = {one.id.node_execution_id.node_id: one for one in nodes.doing}
        others = [one for one in nodes.going_on if one.id.node_id not in looked_into]
        told = [_doing(subject, node, one) for node, one in looked_into.items()]
        pairs.append(("Going on", Markup("<br>").join([*told, *([_links(subject, others)] if others else [])])))
    return pairs


def _doing(subject: Subject, node: str, attempt: Any) -> Markup:
    task = attempt.id.task_id.name.rpartition(".")[2]
    link = markup.link(f"{node} {task}", picking.address(subject, "", node=node))
    return Markup('{} <span class="faint">{}</span>').format(link, standing.doing(attempt))


def _links(subject: Subject, nodes: Sequence[Any]) -> Markup:
    links = Markup(" ").join(
        markup.link(one.metadata.spec_node_id or one.id.node_id, picking.address(subject, "", node=one.id.node_id))
        for one in nodes[:LISTED]
    )
    return links + (f" and {len(nodes) - LISTED} more" if len(nodes) > LISTED else "")


def _facts(subject: Subject) -> list[tuple[str, Markup | str]]:
    one = subject.execution if subject.node is None else subject.node
    over = one.closure.phase in (TERMINAL_EXECUTION if subject.node is None else TERMINAL_NODE)
    started, ended = watching.span(one.closure, over)
    pairs: list[tuple[str, Markup | str]] = [
        ("Phase", markup.phase(subject.phase)),
        ("Started", markup.moment(started)),
        ("Duration", markup.duration(started, ended)),
    ]
    if subject.node is None:
        return pairs + about_run.facts(subject)
    pairs.append(("Node", markup.code(subject.node.id.node_id)))
    if subject.attempt is not None:
        task = subject.attempt.id.task_id
        pairs.append(("Task", about_run.entity("task", task)))
        pairs.append(("Kind of task", subject.attempt.closure.task_type or "–"))
    child = subject.node.closure.workflow_node_metadata.executionId
    if child.name:
        pairs.append(("Launched", markup.link(child.name, addresses.run(identifiers.from_execution_identifier(child)))))
    return pairs


def _attempts(subject: Subject) -> Markup:
    items = Markup("").join(_attempt(subject, one) for one in reversed(subject.attempts))
    return Markup('<h2 class="part">Attempts</h2><ol class="attempt-list" reversed>{}</ol>').format(items)


def _attempt(subject: Subject, one: Any) -> Markup:
    closure, number = one.closure, one.id.retry_attempt
    started, ended = watching.span(closure, closure.phase in TERMINAL_ATTEMPT)
    error = watching.error(closure)
    chosen = subject.attempt is not None and number == subject.attempt.id.retry_attempt
    return Markup(
        '<li class="attempt"{}><div class="row-of"><a href="{}">Attempt {}</a>{}{}<span class="spacer"></span>{}</div>'
        "{}{}{}</li>"
    ).format(
        Markup(' aria-current="true"') if chosen else "",
        picking.address(subject, "summary", attempt=number),
        number,
        markup.phase(standing.phase_of(one)),
        markup.duration(started, ended),
        markup.link("Logs", picking.address(subject, "logs", attempt=number)),
        _why(error) if error and len(subject.attempts) > 1 else "",
        _reasons(closure) if chosen else "",
        about_run.links(subject, closure.logs) if chosen else "",
    )


def _why(error: watching.ErrorView) -> Markup:
    sentence = failure.read(error.message).sentence
    return Markup('<p class="why">{} <span class="faint">{}</span></p>').format(sentence, standing.fault(error.kind))


def _reasons(closure: Any) -> Markup:
    if not closure.reasons:
        return Markup('<p class="why faint">{}</p>').format(closure.reason) if closure.reason else Markup("")
    began = closure.created_at.ToMicroseconds()
    items = Markup("").join(
        Markup('<li><span class="num faint" title="{}">+{}</span> <span>{}</span></li>').format(
            wording.moment(one.occurred_at.ToMicroseconds()),
            wording.duration((one.occurred_at.ToMicroseconds() - began) / SECOND),
            one.message,
        )
        for one in closure.reasons
    )
    return Markup('<ol class="reasons">{}</ol>').format(items)


TAB = Tab("summary", "Summary", lambda subject: True, build)
