"""What is left of tracebacks as flytekit and others write them."""

from __future__ import annotations

import textwrap

import pytest

from dayfly.controller import tracebacks

LIB = "/usr/lib/python3.11"
SITE = "/home/ann/.venv/lib/python3.11/site-packages"
CODE = f"/data/cache/distributions/{'0123456789abcdef' * 2}"


def frame(file: str, where: str, source: str = "f(x)") -> str:
    return f'  File "{file}", line 7, in {where}\n    {source}\n    ^^^^\n'


def traceback(*frames: str, error: str) -> str:
    return f"{tracebacks.HEADER}\n{''.join(frames)}{error}\n"


def written(trace: str, message: str) -> str:
    """As `get_traceback_str` in flytekit's entrypoint writes it."""
    return f"Trace:\n\n{textwrap.indent(trace, '    ')}\nMessage:\n\n{textwrap.indent(message, '    ')}"


FLYTEKIT = (
    frame(f"{SITE}/flytekit/core/base_task.py", "dispatch_execute", "native_outputs = self.execute(**native_inputs)"),
    frame(f"{SITE}/flytekit/core/python_function_task.py", "execute", "return self._task_function(**kwargs)"),
)


def test_the_error_comes_first_and_the_platforms_frames_go():
    trace = traceback(*FLYTEKIT, frame(f"{CODE}/pack/train.py", "fit"), error="ValueError: no\n\nnot at all")
    assert tracebacks.readable(written(trace, "ValueError: no\n\nnot at all")) == (
        "ValueError: no\n\nnot at all\n\n"
        f"{tracebacks.HEADER}\n" + frame("pack/train.py", "fit") + "ValueError: no\n\nnot at all"
    )


def test_frames_of_other_libraries_stay_and_so_does_what_they_call():
    frames = (
        frame(f"{CODE}/train.py", "fit"),
        frame(f"{SITE}/pandas/io/common.py", "get_handle"),
        frame(f"{LIB}/codecs.py", "open"),
    )
    read = tracebacks.readable(written(traceback(*FLYTEKIT, *frames, error="OSError: x"), "OSError: x"))
    assert [line.rpartition(" ")[2] for line in read.split("\n") if "File" in line] == ["fit", "get_handle", "open"]


def test_without_any_other_frame_the_error_stands_alone():
    frames = (*FLYTEKIT, frame(f"{LIB}/concurrent/futures/_base.py", "result"), FLYTEKIT[0])
    read = tracebacks.readable(written(traceback(*frames, error="TypeError: a\nb"), "TypeError: a\nb"))
    assert read == "TypeError: a\nb"


def test_each_traceback_of_a_chain_is_looked_at():
    first = traceback(frame(f"{CODE}/train.py", "fit"), frame(f"{LIB}/json/__init__.py", "loads"), error="A: a")
    second = traceback(*FLYTEKIT, frame(f"{CODE}/train.py", "again"), error="B: b")
    link = "\nThe above exception was the direct cause of the following exception:\n\n"
    read = tracebacks.readable(written(first + link + second, "B: b"))
    assert read.startswith("B: b\n\nTraceback")
    assert read.count(tracebacks.HEADER) == 2
    assert link.strip() in read
    assert "flytekit" not in read
    assert tracebacks.find_last_own(read) == "train.py, line 7, in again"


def test_groups_of_exceptions_keep_their_form():
    trace = (
        f"  + Exception Group {tracebacks.HEADER}\n"
        f'  |   File "{SITE}/flytekit/core/base_task.py", line 7, in dispatch_execute\n  |     f(x)\n'
        f'  |   File "{CODE}/train.py", line 9, in fit\n  |     g(x)\n'
        "  | ExceptionGroup: two (1 sub-exception)\n  +-+---------------- 1 ----------------\n"
        "    | ValueError: one\n    +------------------------------------\n"
    )
    read = tracebacks.readable(written(trace, "ExceptionGroup: two (1 sub-exception)"))
    assert '  |   File "train.py", line 9, in fit\n  |     g(x)\n  | ExceptionGroup' in read
    assert "flytekit" not in read


def test_a_frame_that_recurs_keeps_its_count():
    recurring = frame(f"{CODE}/train.py", "fit") + "  [Previous line repeated 990 more times]\n"
    read = tracebacks.readable(written(traceback(*FLYTEKIT, recurring, error="RecursionError: x"), "RecursionError: x"))
    assert "    ^^^^\n  [Previous line repeated 990 more times]\nRecursionError: x" in read


def test_a_folder_of_the_users_that_is_called_like_the_platform_is_his():
    trace = traceback(*FLYTEKIT, frame("/home/ann/flytekit/mine.py", "fit"), error="A: a")
    assert "/home/ann/flytekit/mine.py" in tracebacks.readable(written(trace, "A: a"))


@pytest.mark.parametrize("message", ["", "the job says no", "Trace: nothing\n\n    indented\n", "a\n\nMessage:\n\nb"])
def test_what_is_no_traceback_stays_as_it_is(message: str):
    assert tracebacks.readable(message) == message


def test_a_bare_traceback_is_told_by_its_last_line():
    trace = traceback(frame("/jobs/query.py", "run"), error="KeyError: 'x'").rstrip()
    assert tracebacks.readable(trace) == f"KeyError: 'x'\n\n{trace}"


def test_what_is_too_long_is_cut_in_the_middle():
    read = tracebacks.readable("begin" + "x" * 100_000 + "end")
    assert read.startswith("beginx")
    assert read.endswith("xend")
    assert f"[... {100_008 - tracebacks.MAX_CHARACTERS} characters are left out" in read
    assert len(read) < tracebacks.MAX_CHARACTERS + 200
