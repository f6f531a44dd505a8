"""What Dayfly's own HTTP API answers. The document that describes the API is made from these types.

Times are RFC 3339 in UTC, unless a field says seconds. A new field may come at any time; none changes its meaning.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from dayfly.gateway.extras.advising import Advice, RoleUse
from dayfly.ports.records import ClusterRecord

Time = Annotated[datetime, Meta(tz=True)]

TOKEN = "Give it as `token` to get what follows; empty where nothing does."


class Problem(msgspec.Struct, frozen=True):
    """Why a request was refused, or what went wrong."""

    error: Annotated[str, Meta(description="What is wrong with which thing at which place, and what to do about it.")]
    code: Annotated[str, Meta(description="Name of the gRPC status code that stands for it.", examples=["NOT_FOUND"])]
    remedy: Annotated[str, Meta(description="What to do about it, where that is known.")] = ""


class LogSummary(msgspec.Struct, frozen=True):
    """The log of one process."""

    role: Annotated[str, Meta(description="Which process of the attempt.", examples=["driver", "worker-0"])]
    kind: Annotated[Literal["driver", "scheduler", "worker", "other"], Meta(description="What the process is.")]
    size_bytes: int
    changed_at: Annotated[Time, Meta(description="When something was written last.")]
    url: Annotated[str, Meta(description="Path of its text.")]


class LogList(msgspec.Struct, frozen=True):
    """The logs of one attempt."""

    logs: list[LogSummary]
    token: Annotated[str, Meta(description=TOKEN)]
    phase: Annotated[str, Meta(description="The attempt's phase; empty where only its logs are left.")]
    ended: Annotated[bool, Meta(description="Nothing will be written any more.")]
    lines_url: Annotated[str, Meta(description="Path of the view of all of them, merged by time.")]


class LogLine(msgspec.Struct, frozen=True):
    """One line of one log."""

    role: str
    at: Annotated[Time, Meta(description="When it was written.")]
    timed: Annotated[bool, Meta(description="The line itself says when; else it was written at `at` or later.")]
    level: Annotated[
        Literal["", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        Meta(description="Empty for what no logger wrote. Tracebacks have the level of what they belong to."),
    ]
    offset: Annotated[int, Meta(description="Of its first byte in the log.")]
    text: str


class LinePage(msgspec.Struct, frozen=True):
    """Lines of all processes, merged by time. A page may be empty or short and have a token all the same."""

    lines: list[LogLine]
    token: Annotated[str, Meta(description="Give it as `token` to get what follows, also what is yet to be written.")]
    at_end: Annotated[bool, Meta(description="Everything that was written so far has been told.")]
    ended: Annotated[bool, Meta(description="Nothing will be written any more.")]


class LogMatch(msgspec.Struct, frozen=True):
    """A line in which the text was found."""

    line: Annotated[int, Meta(description="Its number, from 1; counted from where the search began.")]
    offset: Annotated[int, Meta(description="Of its first byte.")]
    text: Annotated[str, Meta(description="The line; of a very long one the part around what was found.")]
    before: Annotated[list[str], Meta(description="Lines before it, as many as `context` asks for.")]
    after: Annotated[list[str], Meta(description="Lines behind it.")]


class SearchPage(msgspec.Struct, frozen=True):
    """Where a log has a text. A page may be empty and have a token: then a part was searched without success."""

    matches: list[LogMatch]
    token: Annotated[str, Meta(description=TOKEN)]
    scanned_bytes: Annotated[int, Meta(description="Read for this page.")]
    size_bytes: Annotated[int, Meta(description="Of the whole log.")]


class LogText(msgspec.Struct, frozen=True):
    """Event `text`: what was added to a log that is followed. The event's id is `next`."""

    start: int
    next: int
    text: str


class Ended(msgspec.Struct, frozen=True):
    """Event `end`, the last one."""

    phase: Annotated[str, Meta(description="In which what was followed has ended; empty where the platform ends.")]
    error: Annotated[str, Meta(description="Why following ends, where something went wrong.")] = ""


class EventEntry(msgspec.Struct, frozen=True):
    """Something that happened in an execution."""

    sequence: Annotated[int, Meta(description="Grows from event to event, with gaps.")]
    at: Time
    kind: Annotated[str, Meta(examples=["Launched", "AttemptProgressed", "AttemptFailed"])]
    told: Annotated[str, Meta(description="What happened, in words.")]
    node: Annotated[str, Meta(description="Id of the node it is about; empty for the whole execution.")] = ""
    attempt: Annotated[int | None, Meta(description="Number of the node's attempt it is about, from 0.")] = None
    data: Annotated[dict[str, Any], Meta(description="All fields of the event; what it has depends on its kind.")] = {}


class EventPage(msgspec.Struct, frozen=True):
    """The event log of an execution, oldest first."""

    events: list[EventEntry]
    token: Annotated[str, Meta(description=TOKEN)]


class ClusterFigures(msgspec.Struct, frozen=True):
    """What a cluster's scheduler said last."""

    workers: Annotated[int, Meta(description="Workers that were there.")] = 0
    wanted: Annotated[int, Meta(description="Workers that were asked for.")] = 0
    tasks_done: int = 0
    tasks_total: int = 0
    tasks_processing: int = 0
    memory_bytes: Annotated[int, Meta(description="Held by all workers together.")] = 0


class ClusterEntry(msgspec.Struct, frozen=True):
    """A Dask cluster, which belongs to one attempt of one node."""

    project: str
    domain: str
    execution: str
    node: str
    attempt: int
    task: Annotated[str, Meta(description="Name of the task.")]
    phase: Annotated[str, Meta(description="The attempt's phase.", examples=["RUNNING", "SUCCEEDED", "FAILED"])]
    live: Annotated[bool, Meta(description="The attempt has not ended.")]
    created_at: Time
    started_at: Time | None
    duration_seconds: Annotated[float | None, Meta(description="From its start to its end, once it has ended.")]
    figures: ClusterFigures
    error_code: Annotated[str, Meta(description="Why it failed.", examples=["DaskWorkerOutOfMemory"])]
    url: Annotated[str, Meta(description="Path of everything that is known of it.")]


class ClusterPage(msgspec.Struct, frozen=True):
    """Clusters, newest first. A page may be short and have a token all the same."""

    clusters: list[ClusterEntry]
    token: Annotated[str, Meta(description=TOKEN)]


class Diagnosis(msgspec.Struct, frozen=True):
    """Why an attempt failed."""

    code: Annotated[str, Meta(examples=["DaskWorkerOutOfMemory"])]
    kind: Annotated[str, Meta(description="Whose fault it is.", examples=["USER", "SYSTEM"])]
    sentence: Annotated[str, Meta(description="The cause, and what to do about it.")]
    message: Annotated[str, Meta(description="All that was said, with the task's own traceback.")]


class ReportEntry(msgspec.Struct, frozen=True):
    """One of Dask's own reports of a cluster, made when it ended."""

    name: Annotated[str, Meta(examples=["performance.html", "state.msgpack.gz"])]
    size_bytes: int
    url: Annotated[str, Meta(description="Path of its content.")]


class Cluster(msgspec.Struct, frozen=True):
    """Everything that is known of one cluster."""

    cluster: ClusterEntry
    record: Annotated[
        ClusterRecord | None, Meta(description="The flight record summed up; null where it never got so far.")
    ]
    idle_share: Annotated[
        float | None, Meta(description="Share of their threads' time in which the workers computed nothing, 0 to 1.")
    ]
    diagnosis: Annotated[Diagnosis | None, Meta(description="Why it failed; null where it did not.")]
    said: Annotated[str, Meta(description="What the platform said of the attempt last.")]
    dashboard_url: Annotated[
        str, Meta(description="Dask's own dashboard; empty where there is none, or none any more.")
    ]
    frames_url: Annotated[str, Meta(description="Path of its record, second by second.")]
    logs_url: Annotated[str, Meta(description="Path of the list of its logs.")]
    lines_url: Annotated[str, Meta(description="Path of the view of all its logs.")]
    reports: Annotated[list[ReportEntry], Meta(description="Dask's own reports; empty where none was made.")] = []


class Frames(msgspec.Struct, frozen=True):
    """Frames of a record. Memory is in MiB, times are seconds since the epoch."""

    frames: Annotated[
        list[dict[str, Any]],
        Meta(
            description="Each has `t`, and where something happened or changed `workers` and `prefixes` by name, "
            "`tasks` that ended, and `events`."
        ),
    ]


class TaskAdvice(msgspec.Struct, frozen=True):
    """What a Dask task should ask for."""

    project: str
    domain: str
    task: str
    runs: Annotated[int, Meta(description="Runs that were looked at.")]
    uses: Annotated[
        list[RoleUse],
        Meta(
            description="What driver, scheduler and workers had in the newest run, and most that they needed in any. "
            "Memory is in MiB."
        ),
    ]
    advice: Annotated[
        list[Advice],
        Meta(description="What to ask for instead, and why; empty where what the newest run had is right."),
    ]


class PreviewColumn(msgspec.Struct, frozen=True):
    """A column of a table."""

    name: str
    type: Annotated[str, Meta(description="As the file says; empty where it does not.", examples=["int64"])] = ""


class PreviewFile(msgspec.Struct, frozen=True):
    """A file of a folder."""

    uri: str
    size_bytes: int


class Preview(msgspec.Struct, frozen=True):
    """How a stored file, folder or dataset begins."""

    uri: str
    kind: Annotated[
        Literal["table", "text", "image", "folder", "binary"],
        Meta(description="By its first bytes. A folder whose first file is a table is one."),
    ]
    media_type: str = ""
    size_bytes: Annotated[int | None, Meta(description="Of the file; of a folder's first file; null otherwise.")] = None
    text: Annotated[str, Meta(description="The first characters of a text.")] = ""
    cut: Annotated[bool, Meta(description="The text goes on.")] = False
    columns: Annotated[list[PreviewColumn], Meta(description="Of a table, the first ones.")] = []
    rows: Annotated[list[list[str]], Meta(description="Of a table, the first ones; long cells are cut.")] = []
    total_rows: Annotated[int | None, Meta(description="Of the whole table, where that is known.")] = None
    files: Annotated[list[PreviewFile], Meta(description="Of a folder, the first ones by name.")] = []
    total_files: Annotated[int | None, Meta(description="Of a folder.")] = None
    told: Annotated[str, Meta(description="Why there is less to see than there might be.")] = ""


class CacheSource(msgspec.Struct, frozen=True):
    """The attempt that made an entry of the cache."""

    project: str
    domain: str
    name: Annotated[str, Meta(description="Name of the execution.", examples=["a7x"])]
    node: str
    attempt: int


class CacheEntry(msgspec.Struct, frozen=True):
    """Outputs of a task that are kept for the next who asks for the same."""

    project: str
    domain: str
    task: str
    cache_version: Annotated[str, Meta(description="As the task was registered with.")]
    task_version: Annotated[str, Meta(description="Version of the task that made it.")]
    execution: Annotated[CacheSource, Meta(description="What made it; `unknown` where that is not told.")]
    made_at: Time
    size_bytes: Annotated[
        int, Meta(description="Of the outputs as they are kept; files that they point to not counted.")
    ]
    artifact: Annotated[str, Meta(description="Id of the artifact, for the DataCatalog API.")]
    dataset_version: Annotated[str, Meta(description="Version of its dataset, for the DataCatalog API.")]
    tags: Annotated[list[str], Meta(description="Its tags; one is made of the hash of the inputs.")]


class CachePage(msgspec.Struct, frozen=True):
    """Entries of the cache, newest first."""

    entries: list[CacheEntry]
    token: Annotated[str, Meta(description=TOKEN)]


class CacheUsage(msgspec.Struct, frozen=True):
    """What the cached outputs of one task take."""

    project: str
    domain: str
    task: str
    entries: int
    size_bytes: Annotated[int, Meta(description="As in `CacheEntry`.")]
    oldest: Time
    newest: Time


class CacheSizes(msgspec.Struct, frozen=True):
    """What cached outputs take."""

    tasks: Annotated[list[CacheUsage], Meta(description="The largest first.")]
    entries: Annotated[int, Meta(description="Of all these tasks.")]
    size_bytes: Annotated[int, Meta(description="Of all these tasks.")]


class CacheEvicted(msgspec.Struct, frozen=True):
    """What was removed from the cache."""

    entries: int
    size_bytes: int
