"""From what is told of a group to what the controller sees of an attempt. Pure, with a table test."""

from __future__ import annotations

import signal

from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.process_groups import GroupReport

ALIVE = {
    "queued": ObservationKind.QUEUED,
    "starting": ObservationKind.INITIALIZING,
    "running": ObservationKind.RUNNING,
}

MORE_MEMORY = "Ask for more: Resources(mem=...) in the task's limits."

CODES = {
    "oom": "OOMKilled",
    "lost": "ProcessLost",
    "interrupted": "Interrupted",
    "essential_lost": "ProcessLost",
    "startup_timeout": "StartupTimeout",
    "restarts_exhausted": "RestartsExhausted",
}
"""Ends that are no exit, with the code of the failure."""


def observe(report: GroupReport, logs: tuple[LogLink, ...] = (), log_tail: str = "") -> Observation:
    """Return what the report means."""
    key = AttemptKey(report.key)
    if report.state != "ended":
        kind = ALIVE[report.state]
        told = logs if kind is ObservationKind.RUNNING else ()
        return Observation(key, kind, report.at, report.reason, told)
    if report.end == "stopped":
        return Observation(key, ObservationKind.STOPPED, report.at, "stopped", logs)
    if report.end == "exited":
        return Observation(
            key,
            ObservationKind.EXITED,
            report.at,
            logs=logs,
            exit_code=report.exit_code,
            signal=report.signal,
            message=tell_exit(report.exit_code, report.signal),
            log_tail=log_tail,
        )
    return Observation(
        key,
        ObservationKind.FAILED,
        report.at,
        logs=logs,
        exit_code=report.exit_code,
        signal=report.signal,
        failure_kind=FailureKind.USER if report.end == "oom" else FailureKind.SYSTEM,
        code=CODES.get(report.end, "ProcessLost"),
        message=_tell_failure(report),
        log_tail=log_tail,
    )


def vanished(key: AttemptKey, at: int) -> Observation:
    """Return what is to be said of an attempt that this host knows nothing about."""
    return observe(
        GroupReport(key, at, "ended", end="lost", message="nothing is known of it on this host")  # type: ignore[arg-type]
    )


def tell_exit(exit_code: int | None, signum: int | None) -> str:
    """Say in words how a process ended."""
    if signum is not None:
        told = f"killed by {_signal_name(signum)} ({signum})"
        if signum == signal.SIGKILL:
            told += ", which no limit of the task's asked for: the host itself may have run out of memory"
        return told
    return f"ended with exit code {exit_code}"


def _tell_failure(report: GroupReport) -> str:
    told = report.message.rstrip(".")
    if report.end == "oom":
        return f"Out of memory: {told}. {MORE_MEMORY}"
    if report.end == "interrupted":
        return f"Interrupted: {told}."
    return f"The processes of this attempt were lost: {told}."


def _signal_name(signum: int) -> str:
    try:
        return signal.Signals(signum).name
    except ValueError:
        return "signal"  # real-time signals have no names
