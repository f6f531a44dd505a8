"""Examples of answers, for the document that describes the API: made from the answers' own types."""

from __future__ import annotations

from datetime import datetime, timezone

from dayfly.gateway.extras import answers

_AT = datetime(2026, 3, 14, 9, 26, 53, 589793, tzinfo=timezone.utc)
_ATTEMPT = "/api/dayfly/v1/executions/flytesnacks/development/a7x/nodes/n0/attempts/0"

PROBLEM = answers.Problem(
    "Attempt flytesnacks/development/a7x/n0/0 has no log of 'worker-9'. The list of its logs says which there are.",
    "NOT_FOUND",
    "The list of its logs says which there are.",
)

LOG_LIST = answers.LogList(
    [answers.LogSummary("worker-0", "worker", 48_213, _AT, f"{_ATTEMPT}/logs/worker-0")],
    token="",
    phase="RUNNING",
    ended=False,
    lines_url=f"{_ATTEMPT}/lines",
)

LINE_PAGE = answers.LinePage(
    [
        answers.LogLine(
            "scheduler", _AT, True, "INFO", 1204, "2026-03-14 09:26:53,589 - distributed.core - INFO - ..."
        ),
        answers.LogLine("worker-0", _AT, False, "", 311, "loading part 7"),
    ],
    token="eNoBVgCp_4KpZHJpdmVylA",
    at_end=False,
    ended=False,
)

SEARCH_PAGE = answers.SearchPage(
    [answers.LogMatch(311, 20_480, "MemoryError", ["    return numpy.empty(shape)"], [])], "", 48_213, 48_213
)
