"""Examples of answers, for the document that describes the API: made from the answers' own types."""

from __future__ import annotations

from datetime import datetime, timezone

from dayfly.gateway.extras import advising, answers, overview_answers
from dayfly.ports.records import ClusterRecord, RecordedPrefix, RecordedWorker

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

EVENT_PAGE = answers.EventPage(
    [
        answers.EventEntry(
            17,
            _AT,
            "AttemptProgressed",
            "Attempt 0 of node n0 is RUNNING.",
            "n0",
            0,
            {"attempt": 0, "phase": "RUNNING", "reason": "", "logs": [], "custom_info": {"dask": {"workers": 2}}},
        )
    ],
    token="17",
)

_SECONDS = _AT.timestamp()

_ENTRY = answers.ClusterEntry(
    project="flytesnacks",
    domain="development",
    execution="a7x",
    node="n0",
    attempt=0,
    task="flows.fit",
    phase="FAILED",
    live=False,
    created_at=_AT,
    started_at=_AT,
    duration_seconds=12.5,
    figures=answers.ClusterFigures(2, 2, 311, 400, 0, 1_610_612_736),
    error_code="DaskWorkerOutOfMemory",
    url="/api/dayfly/v1/clusters/flytesnacks/development/a7x/n0/0",
)

CLUSTER_PAGE = answers.ClusterPage([_ENTRY], token="")

_RECORD = ClusterRecord(
    began_at=_SECONDS,
    ended_at=_SECONDS + 12,
    workers=(
        RecordedWorker(
            "worker-0", _SECONDS, _SECONDS + 12, threads=1, memory_limit=1024, memory_peak=993, busy_seconds=9.0
        ),
    ),
    prefixes=(RecordedPrefix("read_csv", done=311, seconds=9.0),),
    events=({"t": _SECONDS, "kind": "add-worker", "worker": "worker-0"},),
    memory_peak=993,
)

CLUSTER = answers.Cluster(
    _ENTRY,
    _RECORD,
    _RECORD.idle_share,
    answers.Diagnosis(
        "DaskWorkerOutOfMemory",
        "USER",
        "worker-0 ran out of memory while computing read_csv-7: it held 993 MiB, its limit is 972.8 MiB.",
        "worker-0 ran out of memory while computing read_csv-7: it held 993 MiB, its limit is 972.8 MiB."
        "\n\nTraceback ...",
    ),
    said="",
    dashboard_url="",
    frames_url=f"{_ENTRY.url}/frames",
    logs_url=f"{_ATTEMPT}/logs",
    lines_url=f"{_ATTEMPT}/lines",
    reports=[answers.ReportEntry("performance.html", 2_631_808, f"{_ENTRY.url}/reports/performance.html")],
)

FRAMES = answers.Frames([{"t": _SECONDS, "workers": {"worker-0": {"memory": 210, "cpu": 96.0}}}])

TASK_ADVICE = answers.TaskAdvice(
    "flytesnacks",
    "development",
    "flows.fit",
    12,
    [advising.RoleUse("worker", 2, 1, 8192, 3113, 0, 5_870, 1.7)],
    [advising.Advice("worker", "memory", "8Gi", "4Gi", "memory peaked at 38 % of 8Gi in 12 runs")],
)

CACHE_PAGE = answers.CachePage(
    [
        answers.CacheEntry(
            project="flytesnacks",
            domain="development",
            task="flows.fit",
            cache_version="1.0",
            task_version="v7",
            execution=answers.CacheSource("flytesnacks", "development", "a7x", "n0", 0),
            made_at=_AT,
            size_bytes=311,
            artifact="5f1c0a6c8a5a4a1f9f4b8f7a3c2d1e0b",
            dataset_version="1.0-UxVtPm0k-GKw-c0Pw",
            tags=["flyte_cached-GQid5LjHbakcW68DS3P2jp80QLbiF0olFHF2hTh5bg8"],
        )
    ],
    token="",
)

CACHE_SIZES = answers.CacheSizes(
    [answers.CacheUsage("flytesnacks", "development", "flows.fit", 12, 3_732, _AT, _AT)], 12, 3_732
)

CACHE_EVICTED = answers.CacheEvicted(12, 3_732)

PREVIEW = answers.Preview(
    "s3://data/flyte/ab/a7x-n0-0/0/00000",
    "table",
    "application/vnd.apache.parquet",
    2_173,
    columns=[answers.PreviewColumn("day", "date32[day]"), answers.PreviewColumn("sold", "int64")],
    rows=[["2026-01-01", "40"], ["2026-01-02", "47"]],
    total_rows=60,
)

_RUN = overview_answers.RunEntry(
    "flytesnacks",
    "development",
    "a7x",
    "flows.train",
    "v1",
    "FAILED",
    _AT,
    _AT,
    12.5,
    "USER:ValueError",
    "ValueError: no rows",
)

OVERVIEW = overview_answers.Overview(
    {"RUNNING": 3, "QUEUED": 1},
    [overview_answers.PhaseHour(_AT.replace(minute=0, second=0, microsecond=0), {"SUCCEEDED": 12, "FAILED": 1})],
    [_RUN],
    [_RUN],
    [overview_answers.WaitingGate("flytesnacks", "development", "b9k", "good-price", "approval", _AT)],
)

PLACES = overview_answers.Places([overview_answers.PlaceRuns("flytesnacks", "development", 1_204)])

HEALTH = overview_answers.Health(
    "0.7.0",
    "warning",
    [
        overview_answers.Part("database", "well", "SQLite answered in 1 ms; 0 events unread, 0 commands open."),
        overview_answers.Part("disk", "warning", "3.1 GiB of 80.0 GiB are free.", "Free some space."),
    ],
    ["local", "dask"],
    "local",
    {"server.port": "30080", "data.database": "not set"},
)
