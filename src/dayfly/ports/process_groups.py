"""Groups of processes forked from a warm interpreter, each group watched over by a supervisor of its own.

What `executors.local` offers to whoever needs processes on this host: one group is one attempt, be it a single driver
or a whole Dask cluster with its driver. The supervisor needs no platform: it restarts, limits and ends the group by the
rules in `GroupSpec`, and writes the end to disk.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros


class Preload(msgspec.Struct, frozen=True):
    """What a fork server has imported before it forks. Equal values share one fork server."""

    python: str
    """Path of the interpreter of the environment."""
    modules: tuple[str, ...] = ()
    """Libraries, in order: `flytekit.bin.entrypoint`, `distributed`; a path as in `Role.entry` loads that module."""
    distribution: str = ""
    """Local folder of the unpacked fast-registered code: first on sys.path while user modules are imported."""
    user_modules: tuple[str, ...] = ()
    """The user's modules; skipped, with the reason told, where importing them starts threads or fails."""
    env: tuple[tuple[str, str], ...] = ()
    """Environment while importing, sorted: the template's own, which all attempts of this version share."""


class Role(msgspec.Struct, frozen=True):
    """One process of a group, or one of several alike."""

    name: str
    """`driver`, `scheduler`, `worker-0`...; also the name of its log file."""
    entry: str
    """`module:function`, called with (channel, arguments) in the forked process; an integer returned is the exit code.
    `/path/of/module.py:function` where the module is not installed in that environment: its package's relative imports
    work. The builtin `argv` runs `argv`: flytekit's entrypoints in the forked interpreter, anything else by exec."""
    arguments: dict[str, object] = {}
    """Plain JSON for the entry."""
    argv: tuple[str, ...] = ()
    env: dict[str, str] = {}
    """`{fact:name}` in a value, or in a word of `argv`, is replaced by what has been published under that name."""
    env_files: dict[str, str] = {}
    """Variables whose values it reads from files as it begins."""
    memory_limit_bytes: int = 0
    """The supervisor kills the process tree above this and reports `oom`; 0 is no limit."""
    cpu_limit: float = 0.0
    """Cores that it may use: its libraries are told to start no more threads, and where it takes more all the same, it
    gives way to others. 0 is no limit."""
    restart: bool = False
    """A new one is made when it ends by itself, for as long as the group lives."""
    scaled: bool = False
    """It runs only while its name is in the fact `wanted_roles`, which another role may publish anew: it is started
    when it comes in, and told to end when it goes out, which is no death. It may come and go again and again."""
    essential: bool = False
    """When it ends, the group ends, as failed. Exactly one role is `main` instead. One that ends with exit code 0 while
    the group is running has been told to by the main role: that goes on, and nothing is made anew any more."""
    main: bool = False
    """When it ends, the group ends with its exit."""
    wait_for: tuple[str, ...] = ()
    """Facts that other roles must have published before this one is started or told to go on."""
    last_fact: str = ""
    """What it publishes last, once it has heard the fact `ending`; the end waits for that a moment, so that figures
    which it has published before are whole. Empty is nothing. It may ask for some seconds more, in the fact
    `last_words_within` published before it, and is then waited for until it publishes `last_words`."""


class Standby(msgspec.Struct, frozen=True):
    """What may stand by once a group has ended: fresh processes, for the next that asks for the same.

    Only where there is room that nobody else wants; it gives way at once. A group that takes it over finds its roles
    running, in folders of their own, and starts its main role beside them. They are told in the fact `taken_over` what
    is theirs from then on: variables of the environment, which they set themselves, and `arguments`; they publish
    `taken` once they have heeded it, which the main role waits for.
    """

    key: str
    """Groups with equal keys may take over what stands by for each other. Whose it is must be part of it."""
    seconds: float
    """How long it stands by."""
    roles: tuple[Role, ...]
    """All roles but the main one, without what is one group's alone; all that are made anew publish `ready`."""


class GroupSpec(msgspec.Struct, frozen=True):
    """One group."""

    key: str
    """Its attempt key."""
    preload: Preload
    roles: tuple[Role, ...]
    working_dir: str
    """Made for the group, removed when it is forgotten; roles start in it. Holds a private copy of the distribution."""
    log_dir: str
    """One `<role>.log` a role; kept."""
    cpu_request: float = 0.0
    memory_request_bytes: int = 0
    quorum_fact: str = ""
    """Published by the supervisor itself when `quorum` roles have published `ready`."""
    quorum: int = 0
    startup_timeout_seconds: float = 0.0
    """From start until the quorum; above it the group fails with `startup_timeout`. 0 is no limit."""
    restart_limit: int = 0
    """Restarts in all before the group fails with `restarts_exhausted`; 0 is no limit."""
    stillborn_limit: int = 0
    """The same while no role has ever published `ready`: roles that end as they begin will do so again. 0 is
    `restart_limit`."""
    wanted_roles: tuple[str, ...] = ()
    """Of the roles that are `scaled`, those that run from the beginning."""
    standby: Standby | None = None
    """What it may take over, and what stands by after it; nothing does where roles are `scaled`."""
    standing_seconds: float = 0.0
    """It only stands by, for so long: its main role is not started until a group takes it over. 0 is not at all."""


class GroupReport(msgspec.Struct, frozen=True):
    """What is told of a group while it lives, and at its end."""

    key: str
    at: Micros
    state: str
    """queued, starting, running (the main role has been started), ended."""
    reason: str = ""
    """For people: what it waits for, what was restarted and why."""
    facts: dict[str, object] = {}
    """All that roles have published, by name: plain JSON. `begun_roles` are the scaled roles that have ever run."""
    end: str = ""
    """When ended: exited, stopped, oom, essential_lost, startup_timeout, restarts_exhausted, lost, interrupted."""
    role: str = ""
    """The role whose end this is."""
    exit_code: int | None = None
    signal: int | None = None
    peak_memory_bytes: int = 0
    message: str = ""
    """For `end` other than exited and stopped: what happened, in words."""


class Room(msgspec.Struct, frozen=True):
    """What a host has to give to groups, and who has it."""

    cpus: float
    """Cores that are given away, the overcommitted ones too."""
    cpus_used: float
    memory_bytes: int
    memory_used: int
    inside: int
    """Groups that have it, those that only stand by apart."""
    waiting: int
    """Groups that wait for room."""
    standing: int
    """Groups that stand by: they go as soon as another needs their room."""
    standing_memory: int
    """In bytes."""


class ProcessGroups(Protocol):
    """The host's groups. Raises `ExecutorUnavailable`."""

    async def start(self, spec: GroupSpec) -> None:
        """Start the group as soon as the host has room, or find it started or ended, by its key. One that takes over
        what stood by has the fact `stood_by`."""
        ...

    async def recover(self, key: str) -> GroupReport | None:
        """Return the last report of a group that an earlier platform started, and watch it; None if there was none."""
        ...

    def watch(self) -> AsyncIterator[GroupReport]:
        """Yield reports of all groups started or recovered by this caller's prefix; the end at least once."""
        ...

    async def stop(self, key: str, *, grace_seconds: float) -> None:
        """SIGTERM to the main role, SIGKILL to all after the grace; `ended` with `stopped` follows."""
        ...

    def room(self) -> Room:
        """Return what the whole host has to give, and who has it, whoever's groups they are."""
        ...

    async def forget(self, key: str) -> None:
        """Remove its record and working folder."""
        ...

    async def leftovers(self, key: str) -> list[str]:
        """Name every process, port and file that is left of the group, logs apart; empty when clean."""
        ...

    async def close(self, *, grace_seconds: float) -> None:
        """End all groups (`interrupted`) and all fork servers."""
        ...
