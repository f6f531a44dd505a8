"""Runs a task that does nothing through flytekit's entrypoint, in the fork server, before anything is forked.

What flytekit, click and the interpreter find out at their first run (compiled patterns, answers of abstract classes,
lines of source, files looked for) is then there for all attempts: it takes a third of the time of a short one, and a
quarter of the pages that it would have to copy. Called by `preloading`, which cleans up its event loop.
"""

from __future__ import annotations

import contextlib
import faulthandler
import os
import shutil
import signal
import sys
import tempfile
import traceback
from typing import Any

from . import signals

ENTRYPOINT = "flytekit.bin.entrypoint"


def rehearse() -> None:
    """Run the task, where flytekit is loaded, and take back what it leaves. A failure is told and does no harm."""
    if ENTRYPOINT not in sys.modules:
        return
    handlers, argv, path, cwd = signals.handlers(), sys.argv, list(sys.path), os.getcwd()
    folder = tempfile.mkdtemp(prefix="rehearsal-")
    temporary, tempfile.tempdir = tempfile.tempdir, folder
    try:
        os.chdir(folder)
        _run(folder)
    except BaseException:  # noqa: BLE001 - attempts do without; what is wrong with flytekit they report themselves
        traceback.print_exc()
    finally:
        os.chdir(cwd)
        sys.argv, sys.path[:], tempfile.tempdir = argv, path, temporary
        for signum, handler in handlers.items():
            signal.signal(signum, handler)
        with contextlib.suppress(ValueError, RuntimeError):
            faulthandler.unregister(signal.SIGUSR1)
        _forget()
        shutil.rmtree(folder, ignore_errors=True)


def _run(folder: str) -> None:
    from flyteidl.core import literals_pb2

    inputs = literals_pb2.LiteralMap()
    inputs.literals["number"].scalar.primitive.integer = 21
    with open(os.path.join(folder, "inputs.pb"), "wb") as file:
        file.write(inputs.SerializeToString())
    module = f"{__package__}.rehearsed"
    argv = ["pyflyte-execute", "--inputs", os.path.join(folder, "inputs.pb")]
    for option in ("output-prefix", "raw-output-data-prefix", "checkpoint-path"):
        argv += [f"--{option}", os.path.join(folder, option)]
    argv += ["--prev-checkpoint", '""', "--resolver", "flytekit.core.python_auto_container.default_task_resolver"]
    argv += ["--", "task-module", module, "task-name", "double"]
    sys.argv = argv
    with contextlib.suppress(SystemExit):
        sys.modules[ENTRYPOINT].execute_task_cmd.main(args=argv[1:], prog_name=argv[0])


def _forget() -> None:
    """Drop what flytekit keeps: a registered task, a socket for statistics, and the answer that there is no
    configuration file.

    The latter two depend on the environment, the working folder and HOME, which an attempt has its own of
    (`_get_stats_client` in flytekit/interfaces/stats/client.py, `get_config_file` in flytekit/configuration/file.py).
    """
    sys.modules.pop(f"{__package__}.rehearsed", None)
    context = sys.modules.get("flytekit.core.context_manager")
    entities = getattr(getattr(context, "FlyteEntities", None), "entities", [])
    entities[:] = [one for one in entities if not str(getattr(one, "name", "")).startswith(f"{__package__}.")]
    statistics: Any = sys.modules.get("flytekit.interfaces.stats.client")
    if hasattr(statistics, "_stats_client"):
        statistics._stats_client = None
    found: Any = getattr(sys.modules.get("flytekit.configuration.file"), "get_config_file", None)
    if hasattr(found, "cache_clear"):
        found.cache_clear()
