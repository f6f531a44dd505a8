"""The driver's wait for its cluster, in front of the task's own command and in its container.

A container of its own would cost a second. The scheduler is asked over HTTP, which needs no library, so that whoever
waits is there within milliseconds; the provider ends the cluster where it takes too long.
"""

from __future__ import annotations

PROGRAM = """
import json, os, sys, time, urllib.request
where, wanted, argv = os.environ["DAYFLY_SCHEDULER_COUNTS"], int(sys.argv[1]), sys.argv[2:]
while True:
    try:
        with urllib.request.urlopen(where, timeout=5) as answer:
            if json.load(answer)["workers"] >= wanted:
                break
    except (OSError, ValueError, KeyError):
        pass
    time.sleep(0.1)
os.execvp(argv[0], argv)
"""

COUNTS_VARIABLE = "DAYFLY_SCHEDULER_COUNTS"

COUNTS_PATH = "/json/counts.json"
"""Of the scheduler's HTTP server (distributed/http/scheduler/json.py)."""


def before(argv: tuple[str, ...], workers: int) -> tuple[str, ...]:
    """Return a command that waits for so many workers, and then becomes `argv`."""
    return ("python", "-c", PROGRAM, str(workers), *argv)
