"""Flyte's filter language for lists: `eq(phase,RUNNING)+contains(launch_plan.name,train)`, checked against a table.

    filters := expression ('+' expression)*                                    '+' means AND
    expression := function '(' [entity '.'] field ',' [space] value (';' value)* ')'

Source: flyteadmin/pkg/manager/impl/util/filters.go and pkg/common/filters.go in flyteorg/flyte. Values stay strings
here; the store, which knows its columns, reads them as numbers or times. Stricter regexes than upstream's greedy ones
are not needed: text up to the first parenthesis and comma gives the same where upstream accepts it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dayfly.base import errors
from dayfly.ports.definitions import Filter

FUNCTIONS = frozenset({"contains", "not_like", "gt", "gte", "lt", "lte", "eq", "ne", "value_in", "value_not_in"})
REPEATABLE = frozenset({"value_in", "value_not_in"})
"""The functions that take several values."""


@dataclass(frozen=True)
class Fields:
    """What one list can be filtered and sorted by."""

    entity: str
    """The list's own entity: `execution.phase` and `phase` are the same there."""

    own: frozenset[str]
    """Columns in snake_case."""

    joined: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Columns of other entities, by entity."""

    aliases: Mapping[str, str] = field(default_factory=dict)
    """Other names of own columns."""

    def resolve(self, name: str) -> str:
        """Return the canonical field. Raise `InvalidArgument` where the list does not have it."""
        entity, _, column = name.rpartition(".")
        if entity in ("", self.entity):
            column = self.aliases.get(column, column)
            if column in self.own:
                return column
        elif column in self.joined.get(entity, frozenset()):
            return f"{entity}.{column}"
        known = ", ".join(sorted(self.own) + sorted(f"{e}.{c}" for e, columns in self.joined.items() for c in columns))
        raise errors.InvalidArgument(f"{self.entity} lists have no field {name!r}.", remedy=f"Known are: {known}.")


def _columns(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TASK = _columns("project domain name version created_at updated_at type short_description digest")
_WORKFLOW = _columns("project domain name version created_at updated_at short_description digest")
_LAUNCH_PLAN = _columns(
    "project domain name version created_at updated_at digest state schedule_type launch_condition_type workflow_id"
)
_EXECUTION = _columns(
    "id created_at updated_at execution_project execution_domain execution_name phase started_at execution_created_at "
    "execution_updated_at duration abort_cause mode cluster error_kind error_code user state launch_entity"
)
_EXECUTION_ALIASES = {"project": "execution_project", "domain": "execution_domain", "name": "execution_name"}
_NAMES = _columns("project domain name version")
_TAG = {"admin_tag": _columns("name"), "execution_tag": _columns("key value")}
_NODE = _columns(
    "node_id phase input_uri started_at created_at updated_at node_execution_created_at node_execution_updated_at "
    "duration error_kind error_code execution_project execution_domain execution_name"
)
_NAME_METADATA = _columns("project domain name description state")

PROJECTS = Fields("project", _columns("identifier name description labels state created_at updated_at"))
TASKS = Fields("task", _TASK)
WORKFLOWS = Fields("workflow", _WORKFLOW)
LAUNCH_PLANS = Fields("launch_plan", _LAUNCH_PLAN, {"workflow": _NAMES})
EXECUTIONS = Fields(
    "execution", _EXECUTION, {"launch_plan": _NAMES, "workflow": _NAMES, "task": _NAMES, **_TAG}, _EXECUTION_ALIASES
)
NODE_EXECUTIONS = Fields("node_execution", _NODE, {"execution": _EXECUTION}, _EXECUTION_ALIASES)
TASK_EXECUTIONS = Fields(
    "task_execution",
    _columns(
        "project domain name version node_id retry_attempt phase phase_version input_uri started_at created_at "
        "updated_at task_execution_created_at task_execution_updated_at duration"
    ),
    {"task": _NAMES, "execution": _EXECUTION, "node_execution": _NODE},
)
NAMED_ENTITIES = Fields("named_entity_metadata", _NAME_METADATA, {"entities": _columns("project domain name")})
SIGNALS = Fields("signal", _columns("signal_id type value created_at"))
DESCRIPTIONS = Fields("description_entity", _columns("project domain name version created_at short_description"))


def parse(text: str, fields: Fields) -> tuple[Filter, ...]:
    """Return the conditions of a filter string, none for an empty one. Raise `InvalidArgument`."""
    return tuple(_expression(one, fields) for one in text.split("+")) if text else ()


def _expression(text: str, fields: Fields) -> Filter:
    function, opened, rest = text.strip().partition("(")
    name, comma, values = rest.removesuffix(")").partition(",")
    if not (opened and comma and rest.endswith(")") and name.strip() and values):
        raise errors.InvalidArgument(
            f"The filter {text!r} cannot be read.", remedy="Filters look like eq(phase,RUNNING)+contains(name,train)."
        )
    function = function.strip().lower()
    if function not in FUNCTIONS:
        raise errors.InvalidArgument(
            f"The filter {text!r} has no known function.", remedy=f"Known are: {', '.join(sorted(FUNCTIONS))}."
        )
    several = tuple(values.removeprefix(" ").split(";"))
    if len(several) > 1 and function not in REPEATABLE:
        raise errors.InvalidArgument(f"The filter {text!r} has several values.", remedy="Use value_in for those.")
    resolved = fields.resolve(name.strip())
    if resolved == "admin_tag.name":
        resolved = "execution_tag.key"
    return Filter(resolved, function, several)
