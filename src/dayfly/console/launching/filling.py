"""What the fields of a form hold at first, and what it sends when they were filled in. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flyteidl.core import literals_pb2

from dayfly.base import errors
from dayfly.console.launching import reading, shapes, writing
from dayfly.console.launching.reading import Mistakes
from dayfly.console.launching.shapes import Shape
from dayfly.console.launching.target import Parameter, Target
from dayfly.model import literals, plain_values, type_names

LONGEST = 200
"""Characters of a value that is told in a line."""

_REFUSED = re.compile(r"input '([^']+)' (?:\([^;]*?\) )?([^;]+)")


@dataclass(frozen=True)
class Field:
    """One parameter's field."""

    parameter: Parameter
    shape: Shape
    value: Any
    """What it holds at first; a dict with `kept` stands for a literal that no field can hold."""
    literal: literals_pb2.Literal | None
    """What `value` stands for."""

    @property
    def told(self) -> dict[str, Any]:
        """Return what the browser is told of it."""
        one = self.parameter
        return {
            "name": one.name,
            "type": type_names.describe(one.type),
            "required": one.required,
            "help": one.help,
            "shape": writing.with_blanks(self.shape),
        }


def fields(target: Target) -> tuple[Field, ...]:
    """Return the fields of a form with what they hold: the past run's inputs, else defaults."""
    return tuple(_field(one, target) for one in target.parameters)


def fixed(target: Target) -> list[dict[str, Any]]:
    """Return what the launch plan has fixed, in words."""
    return [
        {"name": name, "type": type_names.describe(literals.literal_type(one)), "text": brief(one)}
        for name, one in sorted(target.fixed.items())
    ]


def carried(old: Mapping[str, Field], new: Field, value: Any) -> Any:
    """Return what a field holds in the form of another version: what was filled in, where it still fits."""
    before = old.get(new.parameter.name)
    if before is None or before.shape != new.shape or value == before.value:
        return new.value
    return value


def inputs(form: tuple[Field, ...], given: Mapping[str, Any], mistakes: Mistakes) -> literals_pb2.LiteralMap:
    """Return the inputs to launch with; what is wrong is added to `mistakes`. Defaults are left to the server."""
    made = literals_pb2.LiteralMap()
    for one in form:
        name = one.parameter.name
        value = given.get(name)
        if value == one.value and one.literal is not None:
            if one.literal != one.parameter.default:
                made.literals[name].CopyFrom(one.literal)
        elif value is None and not one.parameter.required and one.shape["kind"] != "none":
            continue
        else:
            read = reading.literal(value, one.parameter.type, one.shape, f"inputs/{name}", mistakes)
            made.literals[name].CopyFrom(read)
    return made


def refusal(error: errors.DayflyError, form: tuple[Field, ...]) -> tuple[Mistakes, dict[str, str]]:
    """Return what a server refused: by field where it names one, and what is left to say above the form."""
    known = {one.parameter.name for one in form}
    named = {f"inputs/{name}": _sentence(told) for name, told in _REFUSED.findall(error.message) if name in known}
    if named:
        return named, {"told": "The platform does not take these inputs.", "remedy": ""}
    return {}, {"told": error.message, "remedy": error.remedy}


def brief(literal: literals_pb2.Literal) -> str:
    """Return a literal in a line."""
    plain = plain_values.to_plain(literal)
    told = "none" if plain is None else str(plain)
    return told if len(told) <= LONGEST else told[:LONGEST] + "…"


def _field(one: Parameter, target: Target) -> Field:
    shape = shapes.build(one.type)
    past = target.template.inputs.get(one.name) if target.template else None
    if past is not None and not literals.mismatch(past, one.type):
        return _filled(one, shape, past, f"As in {target.template.id.name}" if target.template else "")
    if one.default is not None:
        return _filled(one, shape, one.default, "The default")
    return Field(one, shape, writing.blank(shape, required=one.required), None)


def _filled(one: Parameter, shape: Shape, literal: literals_pb2.Literal, whose: str) -> Field:
    try:
        value = writing.value(literal, one.type, shape)
    except writing.Inexpressible:
        value = {"kept": f"{whose}: {brief(literal)}"}
    return Field(one, shape, value, literal)


def _sentence(told: str) -> str:
    text = told.strip().rstrip(".")
    return f"It {text}." if text else "It is refused."
