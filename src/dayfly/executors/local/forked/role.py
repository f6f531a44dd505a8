"""The start of a role's process, from the fork to its entry, and its way out.

Called by the supervisor in the child. What an interpreter would have set up for a fresh process is set up here:
streams, environment, module path, random seeds. The process never returns to the code it was forked from.
"""

from __future__ import annotations

import functools
import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from . import allocator, channel, entries, leaving, prefaulting, processes, signals, threads, wire

if TYPE_CHECKING:
    from . import preloading

GONE = 126
"""Exit code of a role that could not be set up."""


Spare = tuple[int, socket.socket]
"""A process that has been forked ahead of time, and the way to tell it which role it is."""


def fork(preload: preloading.Preloaded, close_in_child: Callable[[], None], *, ahead: bool = False) -> Spare:
    """Fork a process that waits to be told which role it is; return its id and the way to tell it."""
    ours, theirs = socket.socketpair()
    parent = os.getpid()
    with signals.blocked():
        pid = os.fork()
        if pid == 0:
            ours.close()
            close_in_child()
            run(parent, theirs, preload, ahead)
    theirs.close()
    try:
        os.setpgid(pid, pid)
    except OSError:
        pass  # it has done so itself, or is gone already
    return pid, ours


def run(supervisor: int, sock: socket.socket, preload: preloading.Preloaded, ahead: bool) -> NoReturn:
    """Become a role: wait for the order that says which, and carry it out. Signals are held back on entry."""
    code = GONE
    try:
        os.setpgid(0, 0)
        if not processes.die_with(supervisor, signal.SIGKILL):
            os._exit(GONE)
        if ahead:
            prefaulting.copy(preload.copied or [])
        received = bytearray()
        order = wire.wait_for_one(sock, received)
        if order is None:
            os._exit(GONE)
        group, spec = order["group"], order["role"]
        _redirect(os.path.join(group["log_dir"], f"{spec['name']}.log"))
        signals.reset_in_child(preload.handlers)
        processes.name_this(f"dayfly:{spec['name']}")
        leaving.forget_inherited()
        said = channel.Channel(sock, spec["name"], order["restarts"], order["facts"], received)
        code = _run_entry(group, spec, preload, said)
    except SystemExit as error:
        code = leaving.exit_code(error)
    except KeyboardInterrupt:
        traceback.print_exc()
        code = 128 + signal.SIGINT
    except BaseException:  # noqa: BLE001 - the task's own affair: told in its log, and by its exit code
        traceback.print_exc()
        code = 1
    leaving.leave(code, functools.partial(_tell, sock, preload))


def _tell(sock: socket.socket, preload: preloading.Preloaded, code: int, peak_bytes: int) -> None:
    """Announce the exit: nothing that the task could still do is left to wait for."""
    copied = prefaulting.find_copied() if preload.copied is None else None
    try:
        sock.sendall(wire.pack({"leaving": code, "peak": peak_bytes, "copied": copied}))
    except OSError:
        pass  # the supervisor sees the exit itself


def fill(text: str, facts: dict[str, Any]) -> str:
    """Return `text` with every `{fact:name}` replaced."""
    for name, value in facts.items():
        text = text.replace(f"{{fact:{name}}}", str(value))
    return text


def _run_entry(
    group: dict[str, Any], spec: dict[str, Any], preload: preloading.Preloaded, said: channel.Channel
) -> int:
    environ = _environ(group, spec, preload)
    _set_environment(environ)
    allocator.heed(environ)
    _set_module_path(group, environ, preload)
    os.chdir(group["working_dir"])
    preload.settle(group["temporary_dir"])
    preload.refresh_dask()
    for name in spec.get("wait_for", ()):
        said.wait(name)
    facts = said.facts
    waited = {name: fill(value, facts) for name, value in environ.items() if "{fact:" in value}
    if waited:
        os.environ.update(waited)
        preload.tell_dask(waited)
    if spec["entry"] == "argv":
        return entries.run_argv([fill(word, facts) for word in spec["argv"]])
    return entries.run_function(spec["entry"], said, spec.get("arguments", {}))


def _redirect(log: str) -> None:
    """Point the streams to the role's log; nothing is to be read."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(nothing, 0)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(nothing)
    os.close(written)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # Line by line, so that a log can be followed; and never an error for a character it cannot hold.
            reconfigure(line_buffering=True, errors="backslashreplace")


def _environ(group: dict[str, Any], spec: dict[str, Any], preload: preloading.Preloaded) -> dict[str, str]:
    environ = dict(preload.base_env)
    environ["TMPDIR"] = group["temporary_dir"]
    environ["DAYFLY_GROUP"] = os.path.realpath(group["working_dir"])
    environ.update(threads.variables(spec.get("cpu_limit", 0.0), len(os.sched_getaffinity(0))))
    environ.update(spec.get("env", {}))
    for name, path in spec.get("env_files", {}).items():
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            environ[name] = file.read()
    environ["PATH"] = os.pathsep.join([preload.bin_dir, environ.get("PATH", os.defpath)])
    if group["preload"].get("distribution"):
        # Where flytekit's own fast-execute puts the code for processes that the task starts.
        paths = [environ["PYTHONPATH"]] if environ.get("PYTHONPATH") else []
        environ["PYTHONPATH"] = os.pathsep.join([*paths, group["working_dir"]])
    return environ


def _set_environment(environ: dict[str, str]) -> None:
    for name in set(os.environ) - set(environ):
        del os.environ[name]
    for name, value in environ.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _set_module_path(group: dict[str, Any], environ: dict[str, str], preload: preloading.Preloaded) -> None:
    """Look for modules where a fresh interpreter would: in the private copy of the code, not in the shared one."""
    first = [path for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = first + [path for path in preload.module_path if path not in first]
