"""The nodes of a registered workflow as a list: what each runs, and after which others. Pure."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from dayfly.console import addresses, markup, wording
from dayfly.model import identifiers

MOST = 200
"""Nodes listed; a picture shows more."""

_KINDS = {
    "task_node": "task",
    "workflow_node": "workflow",
    "branch_node": "branch",
    "gate_node": "gate",
    "array_node": "map",
}


def show(template: Any) -> Markup:
    """Return the nodes of a core.WorkflowTemplate as a card."""
    nodes = [one for one in template.nodes if not one.id.endswith("-node")]
    names = {one.id: one.metadata.name or one.id for one in nodes}
    rows = Markup("").join(
        Markup("<tr><th scope=row>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>").format(
            names[one.id],
            _KINDS.get(one.WhichOneof("target") or "", ""),
            _target(one),
            ", ".join(names[id] for id in one.upstream_node_ids if id in names),
        )
        for one in nodes[:MOST]
    )
    more = Markup("<p class=faint>and {} more.</p>").format(len(nodes) - MOST) if len(nodes) > MOST else ""
    return Markup(
        '<section class="card nodes-card"><h2>Nodes</h2><table class="lines" aria-label="Nodes"><thead><tr>'
        "<th scope=col>Node</th><th scope=col>Kind</th><th scope=col>Runs</th><th scope=col>After</th></tr></thead>"
        "<tbody>{}</tbody></table>{}</section>"
    ).format(rows, more)


def _target(node: Any) -> Markup:
    kind = node.WhichOneof("target")
    if kind == "task_node":
        return _link("task", node.task_node.reference_id)
    if kind == "workflow_node" and node.workflow_node.WhichOneof("reference") == "launchplan_ref":
        return _link("launch_plan", node.workflow_node.launchplan_ref)
    if kind == "workflow_node":
        return _link("workflow", node.workflow_node.sub_workflow_ref)
    if kind == "array_node":
        return _target(node.array_node.node)
    if kind == "branch_node":
        cases = 1 + len(node.branch_node.if_else.other)
        return Markup("{}{}").format(wording.count(cases, "case"), _otherwise(node.branch_node.if_else))
    if kind == "gate_node":
        return markup.code(str(node.gate_node.WhichOneof("condition")))
    return markup.NOTHING


def _otherwise(if_else: Any) -> str:
    return ", else another node" if if_else.WhichOneof("default") == "else_node" else ", else it fails"


def _link(kind: str, identifier: Any) -> Markup:
    return markup.link(identifier.name, addresses.version(kind, identifiers.from_identifier(identifier)))
