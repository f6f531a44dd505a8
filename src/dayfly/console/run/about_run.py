"""Who started a run, of what, and where it belongs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2
from markupsafe import Markup

from dayfly.console import addresses, markup, wording
from dayfly.console.run.subject import Subject
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId

KINDS = {identifier_pb2.TASK: "task", identifier_pb2.WORKFLOW: "workflow", identifier_pb2.LAUNCH_PLAN: "launch_plan"}

WAYS = {
    execution_pb2.ExecutionMetadata.SCHEDULED: "by its schedule",
    execution_pb2.ExecutionMetadata.SYSTEM: "by the platform",
    execution_pb2.ExecutionMetadata.RELAUNCH: "as a relaunch",
    execution_pb2.ExecutionMetadata.CHILD_WORKFLOW: "by a node of another run",
    execution_pb2.ExecutionMetadata.RECOVERED: "to recover another run",
}

Facts = list[tuple[str, Markup | str]]


def facts(subject: Subject) -> Facts:
    """Return names with what they stand for."""
    execution, spec = subject.execution, subject.execution.spec
    metadata, launched = spec.metadata, spec.launch_plan
    pairs: Facts = []
    if launched.name != execution.closure.workflow_id.name:
        kind = KINDS.get(launched.resource_type, "launch_plan")
        pairs.append((kind.replace("_", " ").capitalize(), entity(kind, launched)))
    if not wording.is_of_one_task(execution.closure.workflow_id.name):
        pairs.append(("Workflow", entity("workflow", execution.closure.workflow_id)))
    pairs.append(("Version", markup.code(launched.version)))
    pairs.append(("Started by", " ".join(filter(None, (metadata.principal or "not told", WAYS.get(metadata.mode))))))
    parent = metadata.parent_node_execution
    if parent.execution_id.name:
        href = addresses.run(execution_of(parent), {"node": parent.node_id})
        pairs.append(("Parent run", markup.link(f"{parent.execution_id.name} › {parent.node_id}", href)))
    if metadata.reference_execution.name:
        reference = metadata.reference_execution
        pairs.append(
            ("Made from", markup.link(reference.name, addresses.run(identifiers.from_execution_identifier(reference))))
        )
    labels = [f"{name}={value}" for name, value in sorted(spec.labels.values.items())] + list(spec.tags)
    if labels:
        pairs.append(("Labels", Markup(" ").join(markup.code(one) for one in labels)))
    return pairs


def entity(kind: str, id: Any) -> Markup:
    """Return a link to a version (core.Identifier)."""
    return markup.link(id.name, addresses.version(kind, identifiers.from_identifier(id)))


def execution_of(node: Any) -> ExecutionId:
    """Return the id of the execution that a node is in (core.NodeExecutionIdentifier)."""
    return identifiers.from_execution_identifier(node.execution_id)


def links(subject: Subject, told: Iterable[Any]) -> Markup:
    """Return an attempt's links (core.TaskLog): to places on this server by path, to others as they are.

    Who writes a task says where they lead, so only those to the web are links.
    """
    items = [Markup("<li>{}</li>").format(_link(subject.view.site.public_url, one.name, one.uri)) for one in told]
    return Markup('<ul class="links">{}</ul>').format(Markup("").join(items)) if items else Markup("")


def _link(own: str, name: str, uri: str) -> Markup:
    try:
        parts, ours = urlsplit(uri), urlsplit(own).netloc
    except ValueError:
        parts, ours = urlsplit(""), ""
    if parts.scheme not in ("http", "https"):
        return Markup("{} <code>{}</code>").format(name, uri)
    href = parts._replace(scheme="", netloc="").geturl() if parts.netloc == ours else uri
    return Markup('<a href="{}" target="_blank" rel="noreferrer noopener">{}</a>').format(href, name)
