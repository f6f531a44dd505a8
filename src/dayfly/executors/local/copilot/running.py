"""The role itself: brings the inputs, runs the command, collects the outputs. The entry of `raw_containers`.

What is wrong with the task goes to error.pb, as flytekit's own tasks leave it; what is wrong with the world ends the
process, which is a failure of the system. Source: flytecopilot/cmd/sidecar.go in flyteorg/flyte.
"""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from flyteidl.core import errors_pb2, execution_pb2, interface_pb2, literals_pb2
from flytekit.core.context_manager import FlyteContextManager

from dayfly.base import errors
from dayfly.executors.local.copilot import bringing, collecting

UPLOAD_FAILED = "OutputUploadFailed"
"""Code of what is wrong with the outputs, as Flyte has it."""

NOT_FOUND = "CommandNotFound"
"""Code of a command that this host does not have."""

MESSAGES = ".copilot"
"""The folder, in the attempt's own, for inputs.pb and outputs.pb on their way."""


def run(_: object, arguments: dict[str, Any]) -> int:
    """Do it all; return the command's exit code."""
    access = FlyteContextManager.current_context().file_access
    folder = Path(MESSAGES)
    folder.mkdir(exist_ok=True)
    access.get_data(arguments["inputs_uri"], str(folder / "inputs.pb"))
    inputs = literals_pb2.LiteralMap.FromString((folder / "inputs.pb").read_bytes())
    into, out_of = Path(arguments["inputs"]), Path(arguments["outputs"])
    into.mkdir(parents=True, exist_ok=True)
    out_of.mkdir(parents=True, exist_ok=True)
    bringing.bring(inputs, into, access, arguments["format"])
    code = _run(arguments, access, folder)
    if code:
        return code
    outputs = interface_pb2.VariableMap.FromString(base64.b64decode(arguments["interface"]))
    try:
        collected = collecting.collect(outputs, out_of, access, arguments["raw_output_prefix"])
    except errors.UserError as error:
        _write_error(arguments, access, folder, UPLOAD_FAILED, str(error), recoverable=True)
        return 0
    if outputs.variables:
        (folder / "outputs.pb").write_bytes(collected.SerializeToString(deterministic=True))
        access.put_data(str(folder / "outputs.pb"), f"{arguments['output_prefix']}/outputs.pb")
    return 0


def _run(arguments: dict[str, Any], access: Any, folder: Path) -> int:
    """Run the command to its end; a signal that ends it counts from 128 on, as in a shell."""
    # The whole group is told to end, the command among it: its end is waited for.
    signal.signal(signal.SIGTERM, lambda *_: None)
    argv = arguments["argv"]
    path = os.environ.get("PATH", os.defpath)
    if path.split(os.pathsep)[0] != arguments["bin_dir"]:
        path = os.pathsep.join([arguments["bin_dir"], path])
    sys.stdout.flush()
    try:
        # Without shell: these are the command's words as they were registered.
        code = subprocess.run(argv, env={**os.environ, "PATH": path}, check=False).returncode
    except OSError as error:
        there = "is not on this host" if isinstance(error, FileNotFoundError) else f"cannot be run: {error.strerror}"
        message = (
            f"The container's command {argv[0]!r} {there}. This platform has no containers: it runs their commands as "
            f"processes of the host, with the PATH {path}. Install the program here, or let a rule of "
            "DAYFLY_HOST__ENVIRONMENTS name an environment that has it."
        )
        _write_error(arguments, access, folder, NOT_FOUND, message, recoverable=False)
        return 0
    return code if code >= 0 else 128 - code


def _write_error(
    arguments: dict[str, Any], access: Any, folder: Path, code: str, message: str, *, recoverable: bool
) -> None:
    kind = errors_pb2.ContainerError.RECOVERABLE if recoverable else errors_pb2.ContainerError.NON_RECOVERABLE
    told = errors_pb2.ContainerError(code=code, message=message, kind=kind, origin=execution_pb2.ExecutionError.USER)
    (folder / "error.pb").write_bytes(errors_pb2.ErrorDocument(error=told).SerializeToString())
    access.put_data(str(folder / "error.pb"), f"{arguments['output_prefix']}/error.pb")
