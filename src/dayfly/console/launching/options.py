"""What can be said of a run beside its inputs, as one more form, and the spec that it makes. Pure."""

from __future__ import annotations

import re
from typing import Any

from flyteidl.admin import execution_pb2

from dayfly.console.launching import reading
from dayfly.console.launching.reading import Mistakes
from dayfly.console.launching.shapes import Shape

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")

_TEXTS = {"kind": "map", "item": {"kind": "text"}}
_YES, _NO = "yes", "no"


def _field(name: str, label: str, shape: Shape, help: str, place: str = "") -> dict[str, Any]:
    return {"name": name, "label": label, "shape": shape, "required": False, "help": help, "place": place}


SHAPE: Shape = {
    "kind": "record",
    "title": "",
    "fields": [
        _field("name", "Name of the run", {"kind": "text"}, "Letters a-z, digits and dashes.", "Made up"),
        _field(
            "overwrite_cache",
            "Overwrite the cache",
            {"kind": "choice", "options": [_YES, _NO]},
            "Run cached tasks again, and keep their new outputs.",
            "As registered",
        ),
        _field(
            "interruptible",
            "Interruptible",
            {"kind": "choice", "options": [_YES, _NO]},
            "Whether tasks may run on machines that can be taken away.",
            "As registered",
        ),
        _field("max_parallelism", "Parallelism", {"kind": "int"}, "Most nodes at once.", "As registered"),
        _field("labels", "Labels", _TEXTS, "Runs are found by them."),
        _field("annotations", "Annotations", _TEXTS, ""),
        _field("envs", "Environment", _TEXTS, "Variables for every task."),
        _field("raw_output", "Raw outputs", {"kind": "text"}, "Where files and datasets go.", "s3://bucket/prefix"),
        _field("service_account", "Service account", {"kind": "text"}, "Of Kubernetes.", "As registered"),
        _field("cluster_pool", "Cluster pool", {"kind": "text"}, "", "As registered"),
    ],
}
"""One record; its fields are in the order in which people want them."""


def blank() -> dict[str, Any]:
    """Return what the form holds at first."""
    return {one["name"]: None for one in SHAPE["fields"]}


def of_run(spec: execution_pb2.ExecutionSpec) -> dict[str, Any]:
    """Return what the form holds for a run like another one; but its name, which is taken."""
    envs = [[one.key, one.value] for one in spec.envs.values]
    return blank() | {
        "overwrite_cache": _YES if spec.overwrite_cache else None,
        "interruptible": (_YES if spec.interruptible.value else _NO) if spec.HasField("interruptible") else None,
        "max_parallelism": str(spec.max_parallelism) if spec.max_parallelism else None,
        "labels": _pairs(spec.labels.values),
        "annotations": _pairs(spec.annotations.values),
        "envs": envs or None,
        "raw_output": spec.raw_output_data_config.output_location_prefix or None,
        "service_account": spec.security_context.run_as.k8s_service_account or None,
        "cluster_pool": spec.cluster_assignment.cluster_pool_name or None,
    }


def read(value: Any, mistakes: Mistakes) -> tuple[str, execution_pb2.ExecutionSpec]:
    """Return the name and spec of the run; what is wrong is added to `mistakes`."""
    found: Mistakes = {}
    told: dict[str, Any] = reading.plain(value, SHAPE, "options", found)
    if not found:
        _check(told, found)
    mistakes.update(found)
    if found:
        return "", execution_pb2.ExecutionSpec()
    return str(told.get("name", "")), _spec(told)


def _spec(told: dict[str, Any]) -> execution_pb2.ExecutionSpec:
    spec = execution_pb2.ExecutionSpec(overwrite_cache=told.get("overwrite_cache") == _YES)
    if "interruptible" in told:
        spec.interruptible.value = told["interruptible"] == _YES
    if "max_parallelism" in told:
        spec.max_parallelism = told["max_parallelism"]
    spec.labels.values.update(told.get("labels", {}))
    spec.annotations.values.update(told.get("annotations", {}))
    for name, one in told.get("envs", {}).items():
        spec.envs.values.add(key=name, value=one)
    if told.get("raw_output"):
        spec.raw_output_data_config.output_location_prefix = told["raw_output"]
    if told.get("service_account"):
        spec.security_context.run_as.k8s_service_account = told["service_account"]
    if told.get("cluster_pool"):
        spec.cluster_assignment.cluster_pool_name = told["cluster_pool"]
    return spec


def _check(told: dict[str, Any], mistakes: Mistakes) -> None:
    name, most, prefix = told.get("name"), told.get("max_parallelism", 0), told.get("raw_output", "")
    if name and not _NAME.fullmatch(name):
        mistakes["options/name"] = "A name begins with a letter a-z, and has letters, digits and dashes: 63 at most."
    if not 0 <= most < 2**31:
        mistakes["options/max_parallelism"] = "A number from 0, where 0 is as registered."
    if prefix and not (prefix.startswith("/") or "://" in prefix):
        mistakes["options/raw_output"] = "This is not an address: write it like s3://bucket/prefix."


def _pairs(values: Any) -> list[list[str]] | None:
    return [[name, one] for name, one in sorted(values.items())] or None
