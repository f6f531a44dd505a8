"""How the platform itself is: its database, its store of files, disk, memory and executors, with what these run on."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import fastapi
import psutil

from dayfly.base import errors
from dayfly.base.clock import SECOND, Clock
from dayfly.gateway.extras import asking, describing, examples
from dayfly.gateway.extras.overview_answers import Health, Part
from dayfly.ports.blobs import Blobs
from dayfly.ports.executor_parts import Condition
from dayfly.ports.overview import MOST_COUNTED, Overview

CHECK_SECONDS = 5.0
"""A part that takes longer is failing."""

SLOW_SECONDS = 1.0
"""A part that takes longer is told as slow."""

BACKLOG = 1_000
"""So many unread events mean that the engine cannot keep up."""

FREE_SHARE, FREE_BYTES = 0.05, 1024**3
"""A disk with a smaller share or fewer bytes left is nearly full."""

MEMORY_SHARE = 0.08

GIB = 1024**3

PLAIN_TEXTS = frozenset({"server.host", "server.public_url", "data.folder", "engine.backend"})
"""Settings whose text nobody can take for a secret. Of any other text only this is told: whether it is set."""


Look = Callable[[], Awaitable[Condition]]


class Platform(NamedTuple):
    """What is looked at."""

    blobs: Blobs
    folder: Path
    """On the disk that is looked at."""
    executors: Sequence[str]
    looks: Mapping[str, Look]
    """Of executors that tell it: how it is with what they run tasks on."""
    backend: str
    settings: Mapping[str, str]


def router(overview: Overview, platform: Platform, now: Clock, version: str) -> fastapi.APIRouter:
    """Return the route."""
    routes = fastapi.APIRouter(tags=["overview"])

    @routes.get(
        "/health",
        summary="How the platform is",
        responses=describing.answer("Its parts, each looked at now.", examples.HEALTH),
    )
    async def read_health() -> fastapi.Response:
        parts = await asyncio.gather(
            _checked("database", _database(overview, now)),
            _checked("storage", _storage(platform.blobs, now)),
            asyncio.to_thread(_disk, platform.folder),
            asyncio.to_thread(_memory),
            *(_checked(name, _seen(name, look)) for name, look in platform.looks.items()),
        )
        names = ", ".join(platform.executors)
        told = [*parts, Part("executors", "well", f"Tasks run as {_HOW[platform.backend]}, by: {names}.")]
        worst = max((one.state for one in told), key=("well", "warning", "failing").index)
        return asking.respond(
            Health(version, worst, told, list(platform.executors), platform.backend, dict(platform.settings))
        )

    return routes


def told_settings(settings: Any) -> dict[str, str]:
    """Return all settings by name, without anything secret. Pure."""
    told: dict[str, str] = {}
    for theme in dataclasses.fields(settings):
        values = getattr(settings, theme.name)
        for field in dataclasses.fields(values):
            name, value = f"{theme.name}.{field.name}", getattr(values, field.name)
            plain = isinstance(value, (bool, int, float)) or name in PLAIN_TEXTS
            told[name] = str(value) if plain else "set" if value else "not set"
    return told


_HOW = {"local": "processes of this host", "kubernetes": "pods on Kubernetes"}


async def _checked(name: str, check: Any) -> Part:
    try:
        part: Part = await asyncio.wait_for(check, CHECK_SECONDS)
    except errors.DayflyError as error:
        return Part(name, "failing", error.message, error.remedy)
    except (asyncio.TimeoutError, TimeoutError):
        return Part(name, "failing", f"It did not answer within {CHECK_SECONDS:.0f} s.", "Look at what it runs on.")
    # Of what is no part of the platform, anything may be wrong; the others are to be told all the same.
    except Exception as error:  # noqa: BLE001
        told = f"It cannot be looked at: {type(error).__name__}: {error}."
        return Part(name, "failing", told, "Look at what it runs on.")
    return part


async def _seen(name: str, look: Look) -> Part:
    seen = await look()
    return Part(name, seen.state, seen.told, seen.remedy)


async def _database(overview: Overview, now: Clock) -> Part:
    began = now.now()
    backlog = await overview.read_backlog()
    took = (now.now() - began) / SECOND
    unread = f"{MOST_COUNTED:,} or more" if backlog.unread_events >= MOST_COUNTED else f"{backlog.unread_events:,}"
    waiting = f"{unread} events unread, {backlog.undone_commands:,} commands open"
    told = f"{backlog.kind} answered in {took * 1000:.0f} ms; {waiting}."
    if backlog.unread_events >= BACKLOG:
        return Part("database", "warning", told, "The engine is behind; it catches up, or the machine is too small.")
    if took > SLOW_SECONDS:
        return Part("database", "warning", told, "It is slow; look at its disk, or use PostgreSQL for many runs.")
    return Part("database", "well", told)


async def _storage(blobs: Blobs, now: Clock) -> Part:
    began = now.now()
    await blobs.stat(f"{blobs.root}/health")
    took = (now.now() - began) / SECOND
    kind = blobs.root.partition("://")[0] if "://" in blobs.root else "file"
    told = f"Files lie in {'a folder' if kind == 'file' else kind}; it answered in {took * 1000:.0f} ms."
    if took > SLOW_SECONDS:
        return Part("storage", "warning", told, "It is slow; look at the network, or at the disk.")
    return Part("storage", "well", told)


def _disk(folder: Path) -> Part:
    try:
        usage = shutil.disk_usage(folder)
    except OSError as error:
        return Part("disk", "failing", f"The data folder cannot be read: {error}.", "Make it readable, then restart.")
    told = f"{usage.free / GIB:.1f} GiB of {usage.total / GIB:.1f} GiB are free."
    if usage.free < FREE_BYTES:
        return Part("disk", "failing", told, "Free some space: evict cached outputs, remove old logs.")
    if usage.free < FREE_SHARE * usage.total:
        return Part("disk", "warning", told, "Free some space: evict cached outputs, remove old logs.")
    return Part("disk", "well", told)


def _memory() -> Part:
    seen = psutil.virtual_memory()
    told = f"{seen.available / GIB:.1f} GiB of {seen.total / GIB:.1f} GiB are available."
    if seen.available < MEMORY_SHARE * seen.total:
        return Part("memory", "warning", told, "Let fewer tasks run at a time, or give them smaller requests.")
    return Part("memory", "well", told)
