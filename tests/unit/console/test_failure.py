"""Errors as the platform words them, taken apart."""

from __future__ import annotations

from dayfly.console.run import failure

FAILED = """[3/3] currentAttempt done. Last Error: USER::ZeroDivisionError: division by zero

Traceback (most recent call last):
  File "a.py", line 1, in f
ZeroDivisionError: division by zero

What to do: Look at a.py, line 1.
Its log: http://host/log

Failed at: budget > n0 (f)"""

MEMORY = "worker-0 ran out of memory; it held 2 GiB. Give each worker more memory. Or fewer threads.\n\nKilledWorker: x"


def test_the_parts_of_a_failed_task() -> None:
    told = failure.read(FAILED)
    assert told.sentence == "ZeroDivisionError: division by zero"
    assert told.remedy == "Look at a.py, line 1."
    assert told.where == "budget > n0 (f)"
    assert told.details.startswith("Traceback") and "Its log" not in told.details


def test_a_diagnosis_of_a_cluster_says_its_remedy_in_its_second_sentence() -> None:
    told = failure.read(MEMORY, "DaskWorkerOutOfMemory")
    assert told.sentence == "worker-0 ran out of memory; it held 2 GiB."
    assert told.remedy == "Give each worker more memory. Or fewer threads."
    assert failure.read("It broke. Badly.", "ValueError").remedy == ""


def test_a_bare_traceback_is_told_by_its_last_line() -> None:
    told = failure.read("Traceback (most recent call last):\n  File x\nKeyError: 'a'")
    assert told.sentence == "KeyError: 'a'" and told.details.startswith("Traceback")


def test_any_text_has_a_sentence() -> None:
    assert failure.read("") == ("", "", "", "")
    assert failure.read("x" * 5000).details == "x" * 5000
    assert len(failure.read("x" * 5000).sentence) < 1300
