import pytest

from dayfly.base.clock import Micros
from dayfly.executors.local import observing
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind
from dayfly.ports.process_groups import GroupReport

LINKS = (LogLink("driver", "http://here/driver"),)


def observe(state: str, **rest: object) -> Observation:
    return observing.observe(GroupReport("p/d/e/n0/0", Micros(7), state, **rest), LINKS, "tail")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("state", "kind", "logs"),
    [
        ("queued", ObservationKind.QUEUED, ()),
        ("starting", ObservationKind.INITIALIZING, ()),
        ("running", ObservationKind.RUNNING, LINKS),
    ],
)
def test_while_it_lives(state: str, kind: ObservationKind, logs: tuple[LogLink, ...]) -> None:
    seen = observe(state, reason="why")
    assert seen == Observation(seen.key, kind, Micros(7), "why", logs)


def test_stopped() -> None:
    assert observe("ended", end="stopped", signal=9).kind is ObservationKind.STOPPED


@pytest.mark.parametrize(
    ("exit_code", "signal", "message"),
    [
        (0, None, "ended with exit code 0"),
        (3, None, "ended with exit code 3"),
        (None, 15, "killed by SIGTERM (15)"),
        (
            None,
            9,
            "killed by SIGKILL (9), which no limit of the task's asked for: the host itself may have run out of memory",
        ),
        (None, 40, "killed by signal (40)"),
    ],
)
def test_exits_are_told_in_words(exit_code: int | None, signal: int | None, message: str) -> None:
    seen = observe("ended", end="exited", role="driver", exit_code=exit_code, signal=signal)
    assert (seen.kind, seen.exit_code, seen.signal) == (ObservationKind.EXITED, exit_code, signal)
    assert (seen.message, seen.log_tail, seen.logs) == (message, "tail", LINKS)


@pytest.mark.parametrize(
    ("end", "kind", "code", "message"),
    [
        ("oom", FailureKind.USER, "OOMKilled", "Out of memory: why. Ask for more: Resources(mem=...)"),
        ("lost", FailureKind.SYSTEM, "ProcessLost", "The processes of this attempt were lost: why."),
        ("interrupted", FailureKind.SYSTEM, "Interrupted", "Interrupted: why."),
        ("essential_lost", FailureKind.SYSTEM, "ProcessLost", "The processes of this attempt were lost: why."),
        ("startup_timeout", FailureKind.SYSTEM, "StartupTimeout", "The processes of this attempt were lost: why."),
    ],
)
def test_ends_that_are_no_exits(end: str, kind: FailureKind, code: str, message: str) -> None:
    seen = observe("ended", end=end, message="why")
    assert (seen.kind, seen.failure_kind, seen.code) == (ObservationKind.FAILED, kind, code)
    assert seen.message.startswith(message)
    assert seen.recoverable
