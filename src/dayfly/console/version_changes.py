"""What changed between two versions of a workflow: interface, nodes, tasks. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from google.protobuf import json_format
from markupsafe import Markup

from dayfly.console import interfaces, markup

ARCHIVE = "--additional-distribution"
"""What flytekit puts before the archive of code in a task's arguments."""

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
    if _archives(before) != _archives(after):
        found.append(Change("The code is different", tuple(_archive_lines(before, after))))
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
    return {one.template.id.name: _text(_task(one.template)) for one in closure.tasks}


def _archives(closure: Any) -> set[str]:
    """Return the archives of code that tasks are run from, where they were registered without an image of their own."""
    return {one for task in closure.tasks if (one := _archive(task.template))}


def _archive(template: Any) -> str:
    arguments = list(template.container.args)
    at = arguments.index(ARCHIVE) + 1 if ARCHIVE in arguments else len(arguments)
    return arguments[at] if at < len(arguments) else ""


def _archive_lines(before: Any, after: Any) -> list[str]:
    return [f"-{one}" for one in sorted(_archives(before))] + [f"+{one}" for one in sorted(_archives(after))]


def _task(template: Any) -> Any:
    """Return the template without its archive of code, which is told of once."""
    copy = type(template)()
    copy.CopyFrom(template)
    if (archive := _archive(template)) in copy.container.args:
        copy.container.args.remove(archive)
    return copy


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
