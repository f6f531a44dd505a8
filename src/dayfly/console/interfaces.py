"""Inputs and outputs as tables for people, and what changed between two interfaces. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from flyteidl.core import interface_pb2
from markupsafe import Markup

from dayfly.console.launching import filling
from dayfly.model import type_names


class Line(NamedTuple):
    """One variable."""

    name: str
    type: str
    more: str = ""
    """Such as its default."""
    help: str = ""


def of_variables(variables: Mapping[str, Any]) -> list[Line]:
    """Return the lines of a map of core.Variable."""
    return [
        Line(name, type_names.describe(one.type), "", "" if one.description == name else one.description)
        for name, one in sorted(variables.items())
    ]


def of_plan(plan: Any) -> list[Line]:
    """Return the lines of what a launch plan takes, an admin.LaunchPlan, with defaults and fixed values."""
    lines = []
    for name, one in sorted(plan.closure.expected_inputs.parameters.items()):
        told = "required" if one.required else ""
        if one.HasField("default"):
            told = f"default {filling.brief(one.default)}"
        lines.append(Line(name, type_names.describe(one.var.type), told, _help(name, one.var.description)))
    fixed = sorted(plan.spec.fixed_inputs.literals.items())
    return lines + [Line(name, "", f"fixed {filling.brief(one)}") for name, one in fixed]


def show(label: str, lines: Iterable[Line], nothing: str = "None.") -> Markup:
    """Return lines as a small table below a heading."""
    rows = Markup("").join(
        Markup("<tr><th scope=row>{}</th><td class=mono>{}</td><td>{}{}</td></tr>").format(
            one.name, one.type, one.more, Markup("<small>{}</small>").format(one.help) if one.help else ""
        )
        for one in lines
    )
    if not rows:
        return Markup("<h3>{}</h3><p class=faint>{}</p>").format(label, nothing)
    return Markup('<h3>{0}</h3><table class="lines" aria-label="{0}"><tbody>{1}</tbody></table>').format(label, rows)


def changes(before: interface_pb2.TypedInterface, after: interface_pb2.TypedInterface) -> list[str]:
    """Return what is different in the later interface, in short sentences."""
    found = []
    for what, old, new in (
        ("input", before.inputs.variables, after.inputs.variables),
        ("output", before.outputs.variables, after.outputs.variables),
    ):
        found += [f"{what} {name} is new" for name in sorted(set(new) - set(old))]
        found += [f"{what} {name} is gone" for name in sorted(set(old) - set(new))]
        for name in sorted(set(new) & set(old)):
            was, now = type_names.describe(old[name].type), type_names.describe(new[name].type)
            if old[name].type != new[name].type:
                found.append(f"{what} {name} is {now}, was {was}" if was != now else f"{what} {name} has other fields")
    return found


def brief(interface: interface_pb2.TypedInterface) -> str:
    """Return an interface in a line: `(days: int) → float`."""
    given = ", ".join(
        f"{name}: {type_names.describe(one.type)}" for name, one in sorted(interface.inputs.variables.items())
    )
    made = ", ".join(type_names.describe(one.type) for _, one in sorted(interface.outputs.variables.items()))
    return f"({given}) → {made or 'nothing'}"


def _help(name: str, described: str) -> str:
    return "" if described == name else described
