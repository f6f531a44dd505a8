"""What the HTTP API answers about all runs together, and about the platform itself; described like `answers`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from dayfly.gateway.extras.answers import Time


class PhaseHour(msgspec.Struct, frozen=True):
    """Runs that were created within one hour."""

    hour: Annotated[Time, Meta(description="When the hour began, UTC.")]
    phases: Annotated[dict[str, int], Meta(description="How many of them are in each phase now.")]


class RunEntry(msgspec.Struct, frozen=True):
    """A run."""

    project: str
    domain: str
    name: str
    workflow: str
    version: str
    phase: Annotated[str, Meta(examples=["RUNNING", "FAILED"])]
    created_at: Time
    started_at: Time | None
    duration_seconds: Annotated[float | None, Meta(description="Once it has ended.")]
    code: Annotated[str, Meta(description="Of the error; empty where there is none.", examples=["USER:ValueError"])]
    reason: Annotated[str, Meta(description="The one line of the error that says most.")]


class WaitingGate(msgspec.Struct, frozen=True):
    """A run that waits for a person."""

    project: str
    domain: str
    name: str
    signal: Annotated[str, Meta(description="Id of the signal, for SetSignal.")]
    kind: Annotated[Literal["approval", "value"], Meta(description="Yes or no is wanted, or a value.")]
    since: Time


class Overview(msgspec.Struct, frozen=True):
    """How runs are."""

    now: Annotated[dict[str, int], Meta(description="Runs under way, by phase.")]
    hours: Annotated[list[PhaseHour], Meta(description="The oldest first; hours without runs are left out.")]
    newest: Annotated[list[RunEntry], Meta(description="Runs, those created last first.")]
    failed: Annotated[list[RunEntry], Meta(description="Runs that failed, those created last first.")]
    waiting: Annotated[list[WaitingGate], Meta(description="The one that has waited longest first.")]


class PlaceRuns(msgspec.Struct, frozen=True):
    """Runs of one project and domain."""

    project: str
    domain: str
    runs: Annotated[int, Meta(description="Without archived ones.")]


class Places(msgspec.Struct, frozen=True):
    """Projects and domains that have runs."""

    places: list[PlaceRuns]


class Part(msgspec.Struct, frozen=True):
    """A part of the platform."""

    name: Annotated[str, Meta(examples=["database", "storage", "disk", "memory", "executors"])]
    state: Annotated[Literal["well", "warning", "failing"], Meta(description="How it is.")]
    told: Annotated[str, Meta(description="What was seen, in words.")]
    remedy: Annotated[str, Meta(description="What to do about it; empty where it is well.")] = ""


class Health(msgspec.Struct, frozen=True):
    """How the platform is."""

    version: str
    state: Annotated[Literal["well", "warning", "failing"], Meta(description="Of the part that is worst off.")]
    parts: list[Part]
    executors: Annotated[list[str], Meta(description="Names of the executors that tasks are run by.")]
    backend: Annotated[str, Meta(description="Where tasks run.", examples=["local", "kubernetes"])]
    settings: Annotated[
        dict[str, str],
        Meta(description="Settings by name. Of texts that may be secret only whether they are set."),
    ]
