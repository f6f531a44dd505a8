"""What people are told of failures: remedies, logs, and what the executor knows."""

from __future__ import annotations

import pytest

from dayfly.base.clock import Micros
from dayfly.controller import explaining, remedies, tracebacks
from dayfly.model.events import AttemptFailed, AttemptStopped
from dayfly.model.identifiers import AttemptKey, NodeId
from dayfly.model.phases import FailureKind
from dayfly.model.run import LogLink
from dayfly.ports.executors import Explanation, Observation, ObservationKind

OWN = f'KeyError: 1\n\n{tracebacks.HEADER}\n  File "train.py", line 7, in fit\n    f(x)\nKeyError: 1'
LOGS = (LogLink("scheduler", "http://x/scheduler"), LogLink("driver", "http://x/driver"))


class Plain:
    """An executor that does not look into failures."""


class Knowing:
    def __init__(self, found: Explanation | None) -> None:
        self.found, self.asked = found, ""

    async def explain(self, seen: Observation, error: str) -> Explanation | None:
        self.asked = error
        return self.found


async def explain(executor: object, message: str, kind: ObservationKind = ObservationKind.EXITED, **seen: object):
    failed = AttemptFailed(Micros(0), NodeId("n0"), 0, FailureKind.USER, "USER:RuntimeError", message, False)
    told = Observation(AttemptKey("p/d/e/n0/0"), kind, Micros(0), **seen)  # type: ignore[arg-type]
    return await explaining.explained(executor, told, failed)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("ModuleNotFoundError: No module named 'x'", "Install the module"),
        ("ImportError: cannot import name 'x'", "which version"),
        ("TypeTransformerFailedError: Failed to convert", "annotations"),
        ("MemoryError", "Resources(mem=...)"),
        ("FileNotFoundError: 'a.csv'", "FlyteFile"),
        ("OSError: [Errno 28] No space left on device", "Free some space"),
        ("ValueError: ... Unable to find secret for key x in group y", "dayfly secret set"),
        ("ConnectionResetError: [Errno 104]", "FlyteRecoverableException"),
        ("TimeoutError", "FlyteRecoverableException"),
        (OWN, "Look at train.py, line 7, in fit: the last of your own lines before the error."),
        ("KeyError: 1", ""),
        ("it broke", ""),
        ("", ""),
    ],
)
def test_remedies(message: str, said: str):
    found = remedies.find(message)
    assert said in found
    assert bool(found) == bool(said)


async def test_the_task_s_own_error_is_followed_by_a_remedy_and_its_log():
    told = await explain(Plain(), OWN, logs=LOGS)
    assert told.message == f"{OWN}\n\nWhat to do: {remedies.find(OWN)}\nIts log: http://x/driver"
    assert told.code == "USER:RuntimeError"


async def test_where_there_is_nothing_to_say_nothing_is_said():
    assert (await explain(Plain(), "it broke")).message == "it broke"
    assert (await explain(Plain(), "it broke", logs=LOGS[:1])).message == "it broke\n\nIts log: http://x/scheduler"


async def test_an_exit_without_an_error_is_not_left_unexplained():
    assert "sys.exit" in (await explain(Plain(), "ended with exit code 3", exit_code=3)).message
    assert "sys.exit" not in (await explain(Plain(), "no outputs", exit_code=0)).message
    assert "ended it from outside" in (await explain(Plain(), "killed", signal=9)).message
    assert "PYTHONFAULTHANDLER" in (await explain(Plain(), "killed", signal=11)).message


async def test_an_executor_that_knows_more_sees_the_error_as_it_was_and_comes_first():
    raw = f'{tracebacks.HEADER}\n  File "/lib/site-packages/flytekit/core/x.py", line 1, in execute\n    f(x)\nA: a'
    executor = Knowing(Explanation("The worker died. Give it more.", "DaskWorkersLost", FailureKind.SYSTEM, True))
    told = await explain(executor, raw, logs=LOGS)
    assert executor.asked == f"USER:RuntimeError: {raw}"
    assert told.message == "The worker died. Give it more.\n\nA: a\n\nIts log: http://x/driver"
    assert (told.code, told.kind, told.recoverable) == ("DaskWorkersLost", FailureKind.SYSTEM, True)


async def test_what_the_platform_says_itself_is_replaced_by_what_is_known():
    assert (await explain(Knowing(Explanation("known")), "lost", ObservationKind.FAILED, logs=LOGS)).message == "known"
    assert (await explain(Knowing(None), "lost", ObservationKind.FAILED, logs=LOGS)).message == "lost"


async def test_an_explanation_without_a_code_of_its_own_is_followed_by_a_remedy():
    told = await explain(Knowing(Explanation("Task fit-1 raised KeyError(1).")), OWN)
    assert told.message == f"Task fit-1 raised KeyError(1).\n\n{OWN}\n\nWhat to do: {remedies.find(OWN)}"


@pytest.mark.parametrize(("found", "told"), [(Explanation("It slept."), "It slept."), (None, "")])
async def test_an_executor_says_what_a_stopped_attempt_was_at(found: Explanation | None, told: str):
    stopped = AttemptStopped(Micros(0), NodeId("n0"), 0)
    seen = Observation(AttemptKey("p/d/e/n0/0"), ObservationKind.STOPPED, Micros(0))
    said = await explaining.explained_stop(Knowing(found), seen, stopped)  # type: ignore[arg-type]
    assert said == AttemptStopped(Micros(0), NodeId("n0"), 0, told)
