"""From a raw container to the role that runs its command on this host, where there are no containers. Pure.

Called by `executor`. The folders that a container reads its inputs from and writes its outputs to lie in the attempt's
working folder instead, so the command's words and variables are rewritten to where these are; `copilot` fills and reads
them. The image is not used: of it, only the Python environment that a rule names for it.
"""

from __future__ import annotations

import base64
import os.path
import posixpath
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from flyteidl.core import interface_pb2, tasks_pb2, types_pb2

from dayfly.base import errors
from dayfly.ports.process_groups import Role

if TYPE_CHECKING:
    from dayfly.ports.executors import AttemptSpec

ENTRY = "dayfly.executors.local.copilot.running:run"

INPUTS, OUTPUTS = "/var/flyte/inputs", "/var/flyte/outputs"
"""Where they lie in a container that says nothing of it
(flyteplugins/go/tasks/pluginmachinery/flytek8s/config/config.go)."""

INPUTS_VARIABLE, OUTPUTS_VARIABLE = "FLYTE_INPUT_DIR", "FLYTE_OUTPUT_DIR"
"""Variables that tell programs where the folders are; paths that are written into a program are not rewritten."""

ROOT = "container"
"""The folder, in the attempt's own, that stands for the root of the container's file system."""

READABLE = frozenset(
    {
        types_pb2.INTEGER,
        types_pb2.FLOAT,
        types_pb2.STRING,
        types_pb2.BOOLEAN,
        types_pb2.DATETIME,
        types_pb2.DURATION,
        types_pb2.NONE,
        types_pb2.STRUCT,
    }
)
"""Simple types that can be read back from a file."""


class BadContainer(errors.InvalidArgument):
    """A raw container that cannot be run."""

    code = "BadTaskSpecification"


def find(spec: AttemptSpec) -> tasks_pb2.TaskTemplate | None:
    """Return the template of an attempt whose inputs and outputs are to be files; None for any other."""
    template = tasks_pb2.TaskTemplate.FromString(spec.template)
    return template if template.container.data_config.enabled else None


def role(spec: AttemptSpec, template: tasks_pb2.TaskTemplate, *, working_dir: str, python: str, name: str) -> Role:
    """Return the role. `python` is the interpreter of the image's environment. Raise `BadContainer`."""
    data = template.container.data_config
    inputs = _Place("input_data_dir", data.input_path or INPUTS, spec, working_dir)
    outputs = _Place("output_data_dir", data.output_path or OUTPUTS, spec, working_dir)
    _check_outputs(spec, template.interface.outputs)
    moved = {place.said: place.here for place in (inputs, outputs) if place.said.startswith("/")}
    told = {INPUTS_VARIABLE: inputs.here, OUTPUTS_VARIABLE: outputs.here}
    return Role(
        name,
        ENTRY,
        arguments={
            "argv": list(rewrite(spec.argv, moved)),
            "bin_dir": os.path.dirname(python),
            "inputs": inputs.here,
            "outputs": outputs.here,
            "format": tasks_pb2.DataLoadingConfig.LiteralMapFormat.Name(data.format),
            "inputs_uri": spec.inputs_uri,
            "output_prefix": spec.output_prefix,
            "raw_output_prefix": spec.raw_output_prefix,
            "interface": base64.b64encode(template.interface.outputs.SerializeToString(deterministic=True)).decode(),
        },
        env=told | dict(zip(spec.env, rewrite(spec.env.values(), moved), strict=True)),
        env_files=spec.env_files,
        memory_limit_bytes=spec.memory_limit_bytes,
        cpu_limit=spec.cpu_limit or spec.cpu_request,
        main=True,
    )


def rewrite(words: Iterable[str], moved: Mapping[str, str]) -> tuple[str, ...]:
    """Return the words with each path that is a key of `moved`, or lies below one, where it is on this host."""
    if not moved:
        return tuple(words)
    known = "|".join(re.escape(path) for path in sorted(moved, key=len, reverse=True))
    # Whole paths only: neither the end of a longer one, nor a folder whose name goes on.
    pattern = re.compile(rf"(?<![\w./-])({known})(?![\w.-])")
    return tuple(pattern.sub(lambda found: moved[found[1]], word) for word in words)


class _Place:
    """A folder: what the container says, and where it is here. Raises `BadContainer`."""

    def __init__(self, what: str, said: str, spec: AttemptSpec, working_dir: str) -> None:
        self.said = posixpath.normpath(said)
        # A path that is not absolute begins in the working folder, which is the attempt's own already.
        self.here = posixpath.join(working_dir, ROOT if said.startswith("/") else "", self.said.lstrip("/"))
        if self.said in ("/", ".") or ".." in self.said.split("/"):
            raise BadContainer(
                f"{spec.task}: its {what} is {said!r}, which is no folder of its own.",
                remedy=f"Name one below the root, such as {INPUTS if what.startswith('input') else OUTPUTS}.",
            )


def _check_outputs(spec: AttemptSpec, outputs: interface_pb2.VariableMap) -> None:
    """Refuse what could not be read back before the command has run for hours."""
    for name, variable in sorted(outputs.variables.items()):
        kind = variable.type.WhichOneof("type")
        if kind == "blob" or (kind == "simple" and variable.type.simple in READABLE):
            continue
        raise BadContainer(
            f"{spec.task}: its output {name!r} cannot be read from a file, as outputs of a container are.",
            remedy="Let it be a number, a text, a bool, a time, a dict, a FlyteFile or a FlyteDirectory.",
        )
