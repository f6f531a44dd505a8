"""Fill the variables in a container's command: `{{.input}}`, `{{ .outputPrefix }}`, `{{.inputs.rate}}`.

Whoever starts an attempt renders command and arguments with it. Variables are told apart by name alone, whatever its
case; what is not a variable of the engine stays as it is. Source:
flyteplugins/go/tasks/pluginmachinery/core/template/template.go in flyteorg/flyte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from flyteidl.core import literals_pb2

from dayfly.base import errors
from dayfly.model import literal_text

NO_CHECKPOINT = '""'
"""What stands for "there is no earlier checkpoint": two quotation marks, which flytekit strips."""

_VARIABLE = re.compile(r"\{\{\s*[.$]([A-Za-z]\w*)(?:\.([^}\s]+))?\s*\}\}")


class TemplateValues(msgspec.Struct, frozen=True):
    """What the variables stand for, in one attempt."""

    input: str
    """Address of inputs.pb."""
    input_prefix: str
    """Its folder."""
    output_prefix: str
    """The attempt's folder for outputs.pb and error.pb, without a trailing slash."""
    raw_output_data_prefix: str
    checkpoint_output_prefix: str
    prev_checkpoint_prefix: str = ""
    """The checkpoints of an earlier attempt; empty when there is none."""
    per_retry_unique_key: str = ""
    """Made by `unique_key`."""
    task_template_path: str = ""
    """Address of task.pb, which is to be written if `uses_task_template` says so."""
    namespace: str = ""
    inputs: literals_pb2.LiteralMap | None = None
    """The task's inputs."""


def render(args: Sequence[str], values: TemplateValues) -> tuple[str, ...]:
    """Return `args` with all variables filled. Raise `InvalidArgument` for an input that the task does not have."""
    known = {
        "input": values.input,
        "inputprefix": values.input_prefix,
        "outputprefix": values.output_prefix,
        "rawoutputdataprefix": values.raw_output_data_prefix,
        "checkpointoutputprefix": values.checkpoint_output_prefix,
        "prevcheckpointprefix": values.prev_checkpoint_prefix or NO_CHECKPOINT,
        "perretryuniquekey": values.per_retry_unique_key,
        "tasktemplatepath": values.task_template_path,
        "namespace": values.namespace,
    }

    def fill(match: re.Match[str]) -> str:
        name, part = match[1].lower(), match[2]
        if part is not None:
            return _render_input(part, values.inputs) if name == "inputs" else match[0]
        return known.get(name, match[0])

    return tuple(_VARIABLE.sub(fill, arg) for arg in args)


def uses_task_template(args: Sequence[str]) -> bool:
    """Say whether the command asks for the task template, so that it must be written somewhere."""
    return any(
        match[1].lower() == "tasktemplatepath" and match[2] is None for arg in args for match in _VARIABLE.finditer(arg)
    )


def uses_inputs(args: Sequence[str]) -> bool:
    """Say whether the command asks for values of inputs, so that they must be loaded."""
    return any(match[1].lower() == "inputs" and match[2] for arg in args for match in _VARIABLE.finditer(arg))


def unique_key(generated_name: str) -> str:
    """Return the attempt's generated name as an identifier: letters, digits and `_`, a letter first."""
    key = re.sub(r"[^A-Za-z0-9]", "_", generated_name)
    return key if key[:1].isalpha() else f"a{key}"


def _render_input(name: str, inputs: literals_pb2.LiteralMap | None) -> str:
    given = inputs.literals if inputs is not None else {}
    if name not in given:
        known = ", ".join(sorted(given)) or "none"
        raise errors.InvalidArgument(
            f"the command asks for input {name!r}, which the task does not have.", remedy=f"Its inputs are: {known}."
        )
    return literal_text.render(given[name])
