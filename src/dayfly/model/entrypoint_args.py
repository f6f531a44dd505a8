"""Reads the command line of a task: which of flytekit's entry points it is, whose code it needs, what it imports.

Pure. Called by whatever runs attempts, so that code can be unpacked and imported before a process is made for it.
Sources: flytekit/bin/entrypoint.py (`fast_execute_task_cmd`), flytekit/core/python_auto_container.py and
array_node_map_task.py (`loader_args`) in flyteorg/flytekit.
"""

from __future__ import annotations

import os.path
from collections.abc import Sequence

import msgspec

FAST, PLAIN, MAP, OTHER = "fast", "plain", "map", "other"

_COMMANDS = {"pyflyte-fast-execute": FAST, "pyflyte-execute": PLAIN, "pyflyte-map-execute": MAP}

_FLAGS = frozenset({"--test"})
"""Options of the entry points that take no value."""


class EntryPoint(msgspec.Struct, frozen=True):
    """What a command line asks for."""

    kind: str
    """`fast`, `plain` or `map` for flytekit's entry points; `other` for any other command."""
    distribution: str = ""
    """Address of the fast-registered code; empty where the code is in the environment already."""
    dest_dir: str = ""
    """Where the code is to be unpacked, as asked for; `fast` without it means the working folder, `.`."""
    inner: tuple[str, ...] = ()
    """The command that `fast` runs once the code is there, as flytekit completes it; else the whole command."""
    user_modules: tuple[str, ...] = ()
    """The modules that the task's resolver imports; empty for resolvers that keep this to themselves."""

    @property
    def inner_kind(self) -> str:
        """Return what `inner` is: `plain`, `map` or `other`."""
        return kind_of(self.inner)


def kind_of(argv: Sequence[str]) -> str:
    """Return which entry point a command line names, whatever folder it lies in."""
    return _COMMANDS.get(os.path.basename(argv[0]), OTHER) if argv else OTHER


def parse(argv: Sequence[str]) -> EntryPoint:
    """Read a command line whose templates are filled. An odd one is no error: it is `other`, or lacks parts."""
    kind = kind_of(argv)
    if kind != FAST:
        return EntryPoint(kind, inner=tuple(argv), user_modules=_user_modules(argv))
    options, rest = _split(argv[1:])
    distribution = options.get("--additional-distribution", "")
    dest_dir = options.get("--dest-dir", "") or "."
    return EntryPoint(FAST, distribution, dest_dir, _completed(rest, distribution, dest_dir), _user_modules(rest))


def _split(words: Sequence[str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Take leading options apart from what follows them, with or without `--` between."""
    options: dict[str, str] = {}
    at = 0
    while at < len(words) and words[at].startswith("--"):
        if words[at] == "--":
            return options, tuple(words[at + 1 :])
        name, equals, value = words[at].partition("=")
        if not equals and name not in _FLAGS:
            at += 1
            value = words[at] if at < len(words) else ""
        options[name] = value
        at += 1
    return options, tuple(words[at:])


def _completed(inner: tuple[str, ...], distribution: str, dest_dir: str) -> tuple[str, ...]:
    """Put the distribution before `--resolver`, where dynamic tasks look for it."""
    if not distribution or "--resolver" not in inner:
        return inner
    at = inner.index("--resolver")
    told = ("--dynamic-addl-distro", distribution, "--dynamic-dest-dir", dest_dir)
    return (*inner[:at], *told, *inner[at:])


def _user_modules(inner: Sequence[str]) -> tuple[str, ...]:
    """Return the word after `task-module` in the resolver's arguments, and the home of a resolver of the user's own."""
    if kind_of(inner) == OTHER:
        return ()
    options, loader_args = _split(inner[1:])
    resolvers = [options.get("--resolver", "")]
    if "resolver" in loader_args[2:3] and len(loader_args) > 3:
        resolvers.append(loader_args[3])
    found = [
        name.rpartition(".")[0] for name in resolvers if name and not name.startswith(("flytekit.", "flytekitplugins."))
    ]
    if "task-module" in loader_args[:-1]:
        found.append(loader_args[loader_args.index("task-module") + 1])
    return tuple(dict.fromkeys(name for name in found if name))
