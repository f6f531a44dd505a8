"""Two runs beside each other: what went in, what was run, how, and how long each node took."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from flyteidl.admin import common_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from markupsafe import Markup

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.console import addresses, comparing, frame, markup, wording
from dayfly.console.addresses import Place
from dayfly.console.comparing import Lane, NodePair, Pair, Side
from dayfly.console.routing import Page
from dayfly.console.run import flows, tree
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId

MAX_NODES = 500
"""Nodes that are drawn; of more, the first."""


async def build(view: View) -> None:
    """Show the page."""
    place = view.place
    assert place is not None  # By its route.
    names = [view.query.get(one, "").strip() for one in ("a", "b")]
    if not all(names):
        _ask(view, place, names)
        return
    first, second, closed = await _read(view, [_id(place, one) for one in names])
    with frame.page(view, title="Compare", active="runs", crumbs=[("Runs", addresses.runs(place))]):
        markup.show(markup.heading("Compare", _sentence(first, second)))
        markup.show(_heads(view, place, first, second))
        markup.show(_nodes(comparing.nodes(first, second), closed, first, second), "compare-part")
        markup.show(
            _pairs("Inputs", comparing.inputs(first, second), first, second, "Both had no inputs."), "compare-part"
        )
        markup.show(_pairs("What was run", comparing.versions(first, second), first, second, ""), "compare-part")
        markup.show(
            _pairs("How it was run", comparing.settings(first, second), first, second, "No setting was made."),
            "compare-part",
        )


def _ask(view: View, place: Place, names: Sequence[str]) -> None:
    with frame.page(view, title="Compare", active="runs", crumbs=[("Runs", addresses.runs(place))]):
        markup.show(markup.heading("Compare", "Two runs of this project, or of another: PROJECT/DOMAIN/NAME."))
        markup.show(
            Markup(
                '<form class="card row-of compare-ask" action="{}"><label>First run <input class="field" name="a"'
                ' value="{}" required></label><label>Second run <input class="field" name="b"'
                ' value="{}" required></label>'
                '<button class="button main-one" type="submit">Compare</button></form>'
            ).format(addresses.below(place, "compare"), *names)
        )


def _id(place: Place, told: str) -> ExecutionId:
    parts = told.split("/")
    if len(parts) == 3:
        return ExecutionId(*parts)
    return ExecutionId(place.project, place.domain, told)


async def _read(view: View, ids: Sequence[ExecutionId]) -> tuple[Side, Side, int]:
    """Return both runs, and how many of their nodes were not looked into."""
    executions = await asyncio.gather(*(view.client.get_execution(id) for id in ids))
    data, workflows = await asyncio.gather(
        asyncio.gather(*(view.client.get_execution_data(id) for id in ids)),
        asyncio.gather(*(_workflow(view, one) for one in executions)),
    )
    built = [flows.build(one.closure.compiled_workflow) if one is not None else flows.NOTHING for one in workflows]
    alike = comparing.same_workflow(*executions)
    runs = list(zip(executions, built, strict=True))
    trees = await tree.read(view.client, runs, MAX_NODES, by_id=alike)
    first, second = (
        Side(execution, each.full_inputs, nodes, workflow)
        for execution, each, nodes, workflow in zip(executions, data, trees.runs, workflows, strict=True)
    )
    return first, second, trees.closed


async def _workflow(view: View, execution: Any) -> Any:
    request = common_pb2.ObjectGetRequest(id=execution.closure.workflow_id)
    try:
        return await view.client.call(view.client.admin.GetWorkflow, request)
    except errors.NotFound:
        return None  # A run of a single task has a workflow that was never registered.


# -- what is shown ----------------------------------------------------------------------------------------------------
def _sentence(first: Side, second: Side) -> str:
    if not comparing.same_workflow(first.execution, second.execution):
        a, b = first.execution.closure.workflow_id.name, second.execution.closure.workflow_id.name
        return f"These are runs of different workflows, {a} and {b}: their nodes are matched by name."
    before, after = comparing.length(first), comparing.length(second)
    if before is None or after is None:
        return "Runs of the same workflow; not both have ended."
    change = after - before
    if abs(change) < 0.05 * max(before, after, 0.1):
        return "Runs of the same workflow that took about the same time."
    how = "longer" if change > 0 else "less"
    return f"Runs of the same workflow; the second took {wording.duration(abs(change))} {how} than the first."


def _heads(view: View, place: Place, first: Side, second: Side) -> Markup:
    swap = addresses.compare(place, view.query["b"], view.query["a"])
    return Markup(
        '<div class="compare-heads">{}<a class="button" href="{}" aria-label="Swap the two runs">⇄</a>{}</div>'
    ).format(_head("A", first), swap, _head("B", second))


def _head(letter: str, side: Side) -> Markup:
    one, closure = side.execution, side.execution.closure
    took = comparing.length(side)
    return Markup(
        '<section class="card compare-head"><b class="side side-{}">{}</b><div><a href="{}">{}</a> {}'
        '<p class="faint">{} <code>{}</code> · {} · {}</p></div></section>'
    ).format(
        letter,
        letter,
        addresses.run(identifiers.from_execution_identifier(one.id)),
        one.id.name,
        markup.phase(phases_pb2.WorkflowExecution.Phase.Name(closure.phase)),
        wording.entity(closure.workflow_id.name),
        closure.workflow_id.version,
        markup.moment(Micros(closure.created_at.ToMicroseconds())),
        wording.duration(took) if took is not None else "has not ended",
    )


def _nodes(pairs: Sequence[NodePair], closed: int, first: Side, second: Side) -> Markup:
    lanes = [lane for pair in pairs for lane in (pair.first, pair.second) if lane is not None]
    longest = max(((lane.begin or 0) + (lane.seconds or 0) for lane in lanes), default=0.0) or 1.0
    rows = Markup("").join(_node(pair, longest) for pair in pairs[:MAX_NODES])
    left = len(pairs) - MAX_NODES
    more = Markup('<p class="faint">and {} more</p>').format(left) if left > 0 else Markup("")
    if closed:
        told = "What is inside of {} is not shown: there would be more than {} nodes."
        more += Markup('<p class="faint">{}</p>').format(told.format(wording.count(closed, "node"), MAX_NODES))
    if not pairs:
        rows = Markup('<tr><td colspan="5" class="faint">Neither has any nodes yet.</td></tr>')
    return Markup(
        '<section class="card"><h2>Nodes</h2><div class="table-scroll"><table class="table compare-nodes"'
        ' aria-label="Nodes of both runs"><thead><tr><th scope="col">Node</th><th scope="col">{}</th>'
        '<th scope="col">{}</th><th scope="col" class="num">Change</th>'
        '<th scope="col" class="grow">Both since their start, to {}</th></tr></thead><tbody>{}</tbody></table></div>{}'
        "</section>"
    ).format(_side("A", first), _side("B", second), wording.duration(longest), rows, more)


def _node(pair: NodePair, longest: float) -> Markup:
    change = pair.change
    told = (
        "–" if change is None else f"{'+' if change > 0 else '−' if change < 0 else '±'}{wording.duration(abs(change))}"
    )
    worse = change is not None and change > 0.1 * longest
    better = change is not None and change < -0.1 * longest
    return Markup(
        '<tr><th scope="row" style="padding-left:{}px" aria-label="{}">{}</th><td>{}</td><td>{}</td>'
        '<td class="num {}">{}</td><td class="grow"><div class="overlay" role="img" aria-label="{}">{}{}</div></td>'
        "</tr>"
    ).format(
        len(pair.around) * 18,
        ", ".join((*pair.around, pair.name)),
        pair.name,
        _lane(pair.first),
        _lane(pair.second),
        "worse" if worse else "better" if better else "",
        told,
        _said(pair),
        _bar("A", pair.first, longest),
        _bar("B", pair.second, longest),
    )


def _lane(lane: Lane | None) -> Markup:
    if lane is None:
        return Markup('<span class="faint">not there</span>')
    took = wording.duration(lane.seconds) if lane.seconds is not None else ""
    return Markup('{} <span class="num">{}</span>').format(markup.phase(lane.phase), took)


def _bar(letter: str, lane: Lane | None, longest: float) -> Markup:
    if lane is None or lane.begin is None:
        return Markup('<i class="overlay-none"></i>')
    left = 100 * min(max(lane.begin, 0) / longest, 1)
    wide = max(100 * (lane.seconds if lane.seconds is not None else longest - lane.begin) / longest, 0.4)
    return Markup('<i class="overlay-{} fill-{}" style="margin-left:{}%;width:{}%"></i>').format(
        letter, lane.phase, f"{min(left, 99.6):.2f}", f"{min(wide, 100 - min(left, 99.6)):.2f}"
    )


def _said(pair: NodePair) -> str:
    told = []
    for letter, lane in (("A", pair.first), ("B", pair.second)):
        if lane is None or lane.begin is None:
            told.append(f"{letter}: not run")
        else:
            took = f" for {wording.duration(lane.seconds)}" if lane.seconds is not None else ""
            told.append(f"{letter}: from {wording.duration(lane.begin)}{took}")
    return "; ".join(told)


def _pairs(title: str, pairs: Sequence[Pair], first: Side, second: Side, nothing: str) -> Markup:
    different, same = [one for one in pairs if one.differs], [one for one in pairs if not one.differs]
    if not pairs:
        return Markup('<section class="card"><h2>{}</h2><p class="faint">{}</p></section>').format(title, nothing)
    body = Markup('<p class="faint">Nothing differs.</p>')
    if different:
        rows = Markup("").join(
            Markup('<tr><th scope="row">{}</th><td>{}</td><td>{}</td></tr>').format(
                one.name, _text("A", one.first), _text("B", one.second)
            )
            for one in different
        )
        body = Markup(
            '<div class="table-scroll"><table class="table compare-pairs" aria-label="{}"><thead><tr>'
            '<th scope="col">What</th><th scope="col">{}</th><th scope="col">{}</th></tr></thead>'
            "<tbody>{}</tbody></table></div>"
        ).format(f"{title} that differ", _side("A", first), _side("B", second), rows)
    alike = Markup("")
    if same:
        facts = markup.facts([(one.name, markup.code(one.first or "")) for one in same])
        alike = Markup("<details><summary>{} the same</summary>{}</details>").format(f"{len(same):,}", facts)
    return Markup('<section class="card"><h2>{}</h2>{}{}</section>').format(title, body, alike)


def _side(letter: str, side: Side) -> Markup:
    return Markup('<b class="side side-{}">{}</b> {}').format(letter, letter, side.name)


def _text(letter: str, told: str | None) -> Markup:
    if told is None:
        return Markup('<span class="faint">not set</span>')
    return Markup('<code class="in-{}">{}</code>').format(letter, told)


PAGES = (Page("/projects/{project}/domains/{domain}/compare", build),)
