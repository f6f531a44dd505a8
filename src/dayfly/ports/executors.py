"""What runs attempts. An executor reports and never decides: retries, phases and policies are the engine's.

Five verbs, all repeatable, and handles are taken back after a restart of the platform.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from enum import Enum
from typing import Protocol

import msgspec

from dayfly.base.clock import Micros
from dayfly.model.identifiers import AttemptKey, EntityId
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.secrets import SecretRequest


class AttemptSpec(msgspec.Struct, frozen=True):
    """One attempt, ready to run: everything is filled in, nothing is left to look up."""

    key: AttemptKey
    generated_name: str
    """DNS-safe, at most 50 characters; names whatever is made."""
    task: EntityId
    task_type: str
    template: bytes
    """The flyteidl.core.TaskTemplate with its node's overrides, a pod as its primary container."""
    argv: tuple[str, ...]
    """Command and arguments with all templates filled."""
    env: dict[str, str]
    """What the task must find in its environment beside the executor's own defaults; the last word on each name."""
    volatile_env: frozenset[str] = frozenset()
    """Names in `env` that this execution alone sets, Flyte's own apart: where there are any, user modules must be
    imported after they are set, never before the fork."""
    inputs_uri: str = ""
    """Address of inputs.pb."""
    output_prefix: str = ""
    """The folder for outputs.pb and error.pb, without a trailing slash."""
    raw_output_prefix: str = ""
    """The folder for the attempt's own data."""
    image: str = ""
    cpu_request: float = 0.0
    """Cores; 0 is not said."""
    memory_request_bytes: int = 0
    cpu_limit: float = 0.0
    memory_limit_bytes: int = 0
    """0 is no limit."""
    assumed_cpu: float = 0.0
    """What it counts for where it asks for no CPU; it is not held to it."""
    assumed_memory_bytes: int = 0
    """The same for memory."""
    memory_factor: float = 1.0
    """By how much the memory above was raised after attempts that ran out of it; roles with sizes of their own raise
    theirs."""
    interruptible: bool = False
    secrets: tuple[SecretRequest, ...] = ()
    """What it asks for; executors deliver it."""
    env_files: dict[str, str] = {}
    """Variables whose values its processes read from files as they begin: secrets that were delivered."""
    notes: tuple[str, ...] = ()
    """What was changed about it or left out, for people to read."""
    pods: tuple[bytes, ...] = ()
    """The flyteidl.core.K8sPods that the task brings and its node lays over it, for executors that make pods. What they
    say of their primary containers, `template` and the rest of this say too, as the node has it."""
    labels: dict[str, str] = {}
    """The execution's, for whatever is made."""
    annotations: dict[str, str] = {}
    service_account: str = ""
    """Of Kubernetes, that the execution runs as; empty is the platform's choice."""


class ObservationKind(Enum):
    """What was seen."""

    QUEUED = "queued"
    """Waiting for room on the host; `reason` says for what."""
    INITIALIZING = "initializing"
    RUNNING = "running"
    EXITED = "exited"
    """Ended by itself. `exit_code` or `signal` say how; outputs.pb or error.pb say what: the observer reads them."""
    FAILED = "failed"
    """Ended by the platform or the world, with kind, code and message; output files do not matter."""
    STOPPED = "stopped"
    """Ended because `stop` was called; nothing of it is left."""


TERMINAL = frozenset({ObservationKind.EXITED, ObservationKind.FAILED, ObservationKind.STOPPED})


class Observation(msgspec.Struct, frozen=True):
    """What an executor saw of one attempt. Repeating one is harmless."""

    key: AttemptKey
    kind: ObservationKind
    at: Micros
    reason: str = ""
    logs: tuple[LogLink, ...] = ()
    custom_info: bytes = b""
    """A serialized google.protobuf.Struct."""
    exit_code: int | None = None
    signal: int | None = None
    failure_kind: FailureKind = FailureKind.UNKNOWN
    code: str = ""
    message: str = ""
    recoverable: bool = True
    log_tail: str = ""
    """The last lines of the driver's log, for EXITED with neither outputs nor error."""


class Explanation(msgspec.Struct, frozen=True):
    """Why an attempt failed, as far as its executor knows more than the error says."""

    sentence: str
    """What happened and what to do, for people."""
    code: str = ""
    """Empty leaves the failure's own."""
    kind: FailureKind = FailureKind.UNKNOWN
    """UNKNOWN leaves the failure's own."""
    recoverable: bool | None = None
    """Whether a new attempt may help; None leaves the failure's own."""


class Explains(Protocol):
    """An executor that looks into failures. Not every kind can."""

    async def explain(self, seen: Observation, error: str) -> Explanation | None:
        """Explain the end that `seen` tells; `error` is what the task left or what was said of its process."""
        ...


class Keeps(Protocol):
    """An executor whose attempts go on while no platform runs. Not every kind's do."""

    async def list_kept(self) -> list[AttemptKey]:
        """Return the attempts of an earlier platform of which something is there. Raise `ExecutorUnavailable`."""
        ...


class Executor(Protocol):
    """Runs attempts. Raises `InvalidArgument` for a spec it cannot run, `ExecutorUnavailable`."""

    async def start(self, spec: AttemptSpec) -> bytes:
        """Start the attempt, or find it started; return the handle, which outlives the platform."""
        ...

    async def recover(self, key: AttemptKey, handle: bytes) -> Observation:
        """Say how an attempt is that an earlier platform started, and watch it from now on."""
        ...

    def watch(self) -> AsyncIterator[Observation]:
        """Yield what happens to all attempts started or recovered here; each end exactly once, at least."""
        ...

    async def stop(self, key: AttemptKey, handle: bytes, *, grace_seconds: float) -> None:
        """Ask it to end: SIGTERM, SIGKILL after the grace. Returns at once; STOPPED follows. Ended already is fine."""
        ...

    async def forget(self, key: AttemptKey, handle: bytes) -> None:
        """The end is committed: drop what is kept of it, logs apart. Unknown is fine."""
        ...

    async def close(self, *, grace_seconds: float) -> None:
        """The platform ends gracefully: end all running attempts within the grace; each is yielded as FAILED
        (SYSTEM, code `Interrupted`, recoverable) by `watch`, which then finishes."""
        ...
