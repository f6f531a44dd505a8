"""What a role runs: a function, one of flytekit's entrypoints inside this very process, or any other command."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import signal
import sys
from types import ModuleType
from typing import Any

from . import channel

ENTRYPOINTS = {"pyflyte-execute": "execute_task_cmd", "pyflyte-map-execute": "map_execute_task_cmd"}
"""Commands of flytekit that run in the forked interpreter, with their names in `flytekit.bin.entrypoint`."""

NOT_FOUND, NOT_EXECUTABLE = 127, 126
"""Exit codes that a shell gives."""


def run_argv(argv: list[str]) -> int:
    """Run a command; return its exit code, or do not return."""
    name = os.path.basename(argv[0])
    entrypoint = sys.modules.get("flytekit.bin.entrypoint")
    if name in ENTRYPOINTS and entrypoint is not None:
        sys.argv = list(argv)
        getattr(entrypoint, ENTRYPOINTS[name]).main(args=argv[1:], prog_name=name)
        return 0
    return _execute(argv)


def run_function(entry: str, said: channel.Channel, arguments: dict[str, Any]) -> int:
    """Call `module:function`, or `/path/of/module.py:function`; return its exit code, 0 for None."""
    module, _, name = entry.rpartition(":")
    code = getattr(load(module), name)(said, arguments)
    return code if isinstance(code, int) else 0


def load(module: str) -> ModuleType:
    """Import a module by name, or by path: a module in a package keeps its relative imports.

    By path, it gets a private name, so that it works where the package it belongs to is not installed.
    """
    if os.sep not in module:
        return importlib.import_module(module)
    folder, file = os.path.split(os.path.abspath(module))
    package = "_dayfly_" + os.path.basename(folder) + "_" + hashlib.sha256(folder.encode()).hexdigest()[:8]
    if package not in sys.modules:
        initial = os.path.join(folder, "__init__.py")
        spec = importlib.util.spec_from_file_location(package, initial, submodule_search_locations=[folder])
        assert spec is not None and spec.loader is not None
        sys.modules[package] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[package])
    return importlib.import_module(f"{package}.{file.removesuffix('.py')}")


def _execute(argv: list[str]) -> int:
    """Become the command."""
    # Python ignores these; a command expects them to be as the shell leaves them.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    try:
        os.execvp(argv[0], argv)
    except FileNotFoundError:
        print(f"{argv[0]}: there is no such command on the PATH {os.environ['PATH']}", file=sys.stderr)  # noqa: T201
        return NOT_FOUND
    except OSError as error:
        print(f"{argv[0]}: cannot be executed: {error.strerror}", file=sys.stderr)  # noqa: T201
        return NOT_EXECUTABLE
