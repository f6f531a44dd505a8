"""What changed between two versions of a workflow: interface, nodes, tasks. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import json_format
from markupsafe import Markup

from dayfly.console import interfaces, markup

CONTEXT = 2
"""Lines shown around one that differs."""


class Change(NamedTuple):
    """One thing that is different."""

    told: str
    lines: tuple[str, ...] = ()
    """As a diff, where there is more to say."""


def between(before: Any, after: Any) -> list[Change]:
    """Return the changes from one core.CompiledWorkflowClosure to another."""
    old, new = before.primary.template, after.primary.template
    found = [Change(_sentence(one)) for one in interfaces.changes(old.interface, new.interface)]
    found += _compared("Node", _nodes(old), _nodes(new))
    found += _compared("Task", _tasks(before), _tasks(after))
    return found


def show(before: str, after: str, changes: Sequence[Change]) -> Markup:
    """Return them for people."""
    items = Markup("").join(Markup("<li>{}{}</li>").format(one.told, _diff(one)) for one in changes)
    told = Markup("<ul>{}</ul>").format(items) if items else Markup("<p>Nothing but the name of the version.</p>")
    return Markup("<h2>What changed from {} to {}</h2>{}").format(markup.code(before), markup.code(after), told)


def _compared(what: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    found = [Change(f"{what} {name} is new") for name in sorted(set(after) - set(before))]
    found += [Change(f"{what} {name} is gone") for name in sorted(set(before) - set(after))]
    for name in sorted(set(before) & set(after)):
        if before[name] != after[name]:
            lines = difflib.unified_diff(before[name].splitlines(), after[name].splitlines(), lineterm="", n=CONTEXT)
            found.append(Change(f"{what} {name} is different", tuple(lines)[2:]))
    return found


def _nodes(template: Any) -> dict[str, str]:
    return {one.metadata.name or one.id: _text(one) for one in template.nodes if not one.id.endswith("-node")}


def _tasks(closure: Any) -> dict[str, str]:
    return {one.template.id.name: _text(one.template) for one in closure.tasks}


def _text(message: Any) -> str:
    """Return a message as lines without what every version has of its own."""
    copy = type(message)()
    copy.CopyFrom(message)
    _forget_versions(copy)
    return str(json_format.MessageToJson(copy, sort_keys=True))


def _forget_versions(message: Any) -> None:
    for field, value in message.ListFields():
        if field.name == "version" and field.containing_type.name == "Identifier":
            message.ClearField("version")
        elif field.message_type is None or field.message_type.GetOptions().map_entry:
            continue
        elif isinstance(value, Sequence) or not hasattr(value, "ListFields"):
            for one in value:
                _forget_versions(one)
        else:
            _forget_versions(value)


def _diff(change: Change) -> Markup:
    if not change.lines:
        return Markup("")
    lines = Markup("\n").join(
        Markup('<span class="{}">{}</span>').format({"+": "more", "-": "less"}.get(one[:1], ""), one)
        for one in change.lines
    )
    return Markup('<pre class="block diff" tabindex="0" role="region" aria-label="Difference">{}</pre>').format(lines)


def _sentence(told: str) -> str:
    return told[0].upper() + told[1:]
