"""What differs between two runs: inputs, versions, settings, and the phase and time of each node. Pure.

Called by `pages/compare`. Nodes are alike that have the same id in their workflow, or where the two are of different
workflows, the same name.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from flyteidl.core import execution_pb2 as phases_pb2
from google.protobuf import json_format

from dayfly.base.clock import SECOND, Micros
from dayfly.client import watching
from dayfly.console.run.tree import Key, Row
from dayfly.model import identifiers, plain_values
from dayfly.model.phases import TERMINAL_EXECUTION, TERMINAL_NODE

MAX_TEXT = 400
"""Characters of a value that are shown."""

_NEVER = float("inf")


@dataclass(frozen=True)
class Side:
    """One of the two runs, with what is compared of it. Messages are the API's."""

    execution: Any
    inputs: Any
    """core.LiteralMap"""
    nodes: Sequence[Row]
    """Of all levels that were read; what is around a node is there too."""
    workflow: Any = None
    """admin.Workflow; None where it is not there any more."""

    @property
    def name(self) -> str:
        """Return the run's name."""
        return str(self.execution.id.name)


@dataclass(frozen=True)
class Pair:
    """One thing of both runs; None where a run does not have it."""

    name: str
    first: str | None
    second: str | None

    @property
    def differs(self) -> bool:
        """Say whether the two are not the same."""
        return self.first != self.second


@dataclass(frozen=True)
class Lane:
    """A node of one run: its phase, and when it ran, in seconds since that run started."""

    phase: str
    begin: float | None
    seconds: float | None
    """None while it has not ended, or never started."""


@dataclass(frozen=True)
class NodePair:
    """A node of both runs; None where a run does not have it."""

    name: str
    first: Lane | None
    second: Lane | None
    around: tuple[str, ...] = ()
    """Names of the nodes that it is inside of, from the top down."""

    @property
    def change(self) -> float | None:
        """Return by how many seconds the second one took longer."""
        took = [lane.seconds if lane is not None else None for lane in (self.first, self.second)]
        return took[1] - took[0] if took[0] is not None and took[1] is not None else None


def same_workflow(first: Any, second: Any) -> bool:
    """Say whether both admin.Executions are runs of one workflow, in whatever version."""
    a, b = (identifiers.from_identifier(one.closure.workflow_id) for one in (first, second))
    return (a.project, a.domain, a.name) == (b.project, b.domain, b.name)


def inputs(first: Side, second: Side) -> list[Pair]:
    """Return all inputs, those that differ first."""
    return _sorted(
        _paired(*({name: _value(one) for name, one in side.inputs.literals.items()} for side in (first, second)))
    )


def versions(first: Side, second: Side) -> list[Pair]:
    """Return what was run: workflow, launch plan and tasks with their versions, images and resources."""
    return _paired(*(_run_of(side) for side in (first, second)))


def settings(first: Side, second: Side) -> list[Pair]:
    """Return how it was run: the settings of the executions."""
    return _paired(*(_spec_of(side.execution.spec) for side in (first, second)))


def nodes(first: Side, second: Side) -> list[NodePair]:
    """Return all nodes, in the order in which they came, those inside of another one after it."""
    lanes = [_lanes(side) for side in (first, second)]
    begun: dict[Key, float] = {}
    for side in lanes:
        for key, told in side.items():
            begun[key] = min(begun.get(key, _NEVER), _NEVER if told.lane.begin is None else told.lane.begin)
    place = {key: at for at, key in enumerate(begun)}

    def order(key: Key) -> list[tuple[float, int]]:
        # By what is around it first: no node comes between another and those inside.
        return [(begun[one], place[one]) for one in (key[:end] for end in range(1, len(key) + 1))]

    return [_pair(*(side.get(key) for side in lanes)) for key in sorted(begun, key=order)]


def _pair(first: _Told | None, second: _Told | None) -> NodePair:
    told = first or second
    assert told is not None  # It is a key of one of them.
    return NodePair(told.name, first and first.lane, second and second.lane, told.around)


def length(side: Side) -> float | None:
    """Return how many seconds a run took; None while it has not ended."""
    started, ended = watching.span(side.execution.closure, side.execution.closure.phase in TERMINAL_EXECUTION)
    return (ended - started) / SECOND if started is not None and ended is not None else None


class _Told(NamedTuple):
    name: str
    around: tuple[str, ...]
    lane: Lane


def _lanes(side: Side) -> dict[Key, _Told]:
    start = _micros(side.execution.closure, "started_at") or _micros(side.execution.closure, "created_at") or 0
    found: dict[Key, _Told] = {}
    for row in side.nodes:
        closure = row.node.closure
        began, ended = watching.span(closure, closure.phase in TERMINAL_NODE)
        phase = phases_pb2.NodeExecution.Phase.Name(closure.phase)
        took = (ended - began) / SECOND if began is not None and ended is not None else None
        lane = Lane(phase, (began - start) / SECOND if began is not None else None, took)
        told = row.name if row.name == row.spec else f"{row.name} ({row.spec})"
        found[row.key] = _Told(told, row.around, lane)
    return found


def _run_of(side: Side) -> dict[str, str]:
    closure, spec = side.execution.closure, side.execution.spec
    told = {
        "workflow": closure.workflow_id.name,
        "workflow version": closure.workflow_id.version,
        "launch plan": f"{spec.launch_plan.name} {spec.launch_plan.version}",
    }
    for one in side.workflow.closure.compiled_workflow.tasks if side.workflow is not None else ():
        name = one.template.id.name
        told[f"task {name}"] = one.template.id.version
        if one.template.container.image:
            told[f"image of {name}"] = one.template.container.image
        resources = one.template.container.resources
        asked = [
            f"{kind[:-1]} {_entries(getattr(resources, kind))}"
            for kind in ("requests", "limits")
            if getattr(resources, kind)
        ]
        if asked:
            told[f"resources of {name}"] = "; ".join(asked)
        if one.template.custom.fields:
            told[f"configuration of {name}"] = _cut(
                json.dumps(json_format.MessageToDict(one.template.custom), sort_keys=True)
            )
    return told


def _entries(entries: Any) -> str:
    kinds = type(entries[0]).DESCRIPTOR.fields_by_name["name"].enum_type.values_by_number
    return ", ".join(f"{kinds[one.name].name.lower()} {one.value}" for one in entries)


def _spec_of(spec: Any) -> dict[str, str]:
    told: dict[str, str] = {}
    _flatten("", json_format.MessageToDict(spec, preserving_proto_field_name=True), told)
    ours = ("launch_plan.", "metadata.", "inputs.")
    return {name: value for name, value in told.items() if not name.startswith(ours)}


def _flatten(prefix: str, value: Any, into: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _flatten(f"{prefix}.{name}" if prefix else name, inner, into)
    elif isinstance(value, list) and all(isinstance(one, Mapping) and {"key", "value"} >= set(one) for one in value):
        into.update({f"{prefix}.{one.get('key', '')}": str(one.get("value", "")) for one in value})
    else:
        into[prefix] = _cut(value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _value(literal: Any) -> str:
    return _cut(json.dumps(plain_values.to_plain(literal), ensure_ascii=False, sort_keys=True, default=str))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def _paired(first: Mapping[str, str], second: Mapping[str, str]) -> list[Pair]:
    return [Pair(name, first.get(name), second.get(name)) for name in dict.fromkeys([*first, *second])]


def _sorted(pairs: Iterable[Pair]) -> list[Pair]:
    return sorted(pairs, key=lambda one: (not one.differs, one.name))


def _micros(closure: Any, field: str) -> Micros | None:
    return Micros(getattr(closure, field).ToMicroseconds()) if closure.HasField(field) else None
