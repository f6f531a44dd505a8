import pytest
from flyteidl.core import errors_pb2

from dayfly.base.clock import Micros
from dayfly.controller import observing
from dayfly.model.identifiers import AttemptKey
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Observation, ObservationKind

ERROR = errors_pb2.ContainerError


def document(**fields: object) -> bytes:
    return errors_pb2.ErrorDocument(error=ERROR(**fields)).SerializeToString()


@pytest.mark.parametrize(
    ("raw", "kind", "code", "recoverable"),
    [
        (document(code="USER:ValueError", message="m", kind=0, origin=1), FailureKind.USER, "USER:ValueError", False),
        (document(code="USER:Recoverable", message="m", kind=1, origin=1), FailureKind.USER, "USER:Recoverable", True),
        (document(code="SYSTEM", message="m", kind=1, origin=2), FailureKind.SYSTEM, "SYSTEM", True),
        (document(code="X", message="m", kind=0, origin=0), FailureKind.USER, "X", False),
        (document(), FailureKind.SYSTEM, "ErrorFileBadFormat", True),
        (b"\xff not protobuf", FailureKind.SYSTEM, "ErrorFileBadFormat", True),
    ],
)
def test_an_error_file_is_read(raw: bytes, kind: FailureKind, code: str, recoverable: bool) -> None:
    told = observing.parse_error(raw, "file:///x")
    assert (told[0], told[1], told[3]) == (kind, code, recoverable)


@pytest.mark.parametrize(
    ("exit_code", "signal", "said"),
    [(3, None, "exit code 3"), (None, 9, "SIGKILL (9)"), (None, 250, "signal (250)")],
)
def test_a_crash_is_told_in_words(exit_code: int | None, signal: int | None, said: str) -> None:
    seen = Observation(
        AttemptKey("p/d/e/n/0"), ObservationKind.EXITED, Micros(0), exit_code=exit_code, signal=signal, log_tail="last"
    )
    kind, code, message, recoverable = observing.describe_crash(seen)
    assert (kind, code, recoverable) == (FailureKind.SYSTEM, "Interrupted", True)
    assert said in message
    assert message.endswith("last")


@pytest.mark.parametrize(
    ("kind", "linked", "custom_info", "told"),
    [
        (ObservationKind.EXITED, False, b"", True),
        (ObservationKind.EXITED, True, b"", False),
        (ObservationKind.EXITED, True, b"figures", True),
        (ObservationKind.RUNNING, False, b"", False),
    ],
)
def test_an_end_tells_where_the_logs_lie_if_nothing_did_before(
    kind: ObservationKind, linked: bool, custom_info: bytes, told: bool
) -> None:
    logs = (LogLink("task", "file:///log"),)
    seen = Observation(AttemptKey("p/d/e/n/0"), kind, Micros(0), logs=logs, custom_info=custom_info)
    assert [event.logs for event in observing._last_figures(seen, linked=linked)] == ([logs] if told else [])
