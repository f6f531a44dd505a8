"""How tracebacks are read out of errors and logs."""

from __future__ import annotations

import textwrap

import pytest

from dayfly.executors.dask.diagnosis import facts

LOG = """\
2026-11-26 07:30:14,541 - distributed.worker - INFO - Starting: here
2026-11-26 07:30:14,541 - distributed.protocol.core - CRITICAL - Failed to deserialize
Traceback (most recent call last):
  File "/lib/distributed/protocol/pickle.py", line 95, in loads
    return pickle.loads(x)
           ^^^^^^^^^^^^^^^
ModuleNotFoundError: No module named 'prices'
2026-11-26 07:30:14,600 - distributed.worker - INFO - Stopping worker
Traceback (most recent call last):
  File "/lib/x.py", line 1, in f

distributed.scheduler.KilledWorker
"""


def test_all_tracebacks_of_a_log_are_found():
    first, second = facts.find_raised(LOG)
    assert first.told == "ModuleNotFoundError: No module named 'prices'"
    assert first.frames.startswith('  File "/lib/distributed/protocol/pickle.py"')
    assert (second.type, second.message, second.told) == (
        "distributed.scheduler.KilledWorker",
        "",
        "distributed.scheduler.KilledWorker",
    )


def test_tracebacks_may_be_indented_as_flytekit_does():
    told = "Trace:\n\n" + textwrap.indent(LOG.replace("\n\n", "\n"), "    ")
    assert [one.type for one in facts.find_raised(told)] == [
        "ModuleNotFoundError",
        "distributed.scheduler.KilledWorker",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ValueError: not raised here",
        "Traceback (most recent call last):",
        'Traceback (most recent call last):\n  File "x.py", line 1',
        'Traceback (most recent call last):\n  File "x.py", line 1\n2026-11-26 - the log goes on',
        '    Traceback (most recent call last):\n      File "x.py", line 1\nValueError: of another one',
    ],
)
def test_what_is_cut_off_is_left_out(text: str):
    assert list(facts.find_raised(text)) == []
