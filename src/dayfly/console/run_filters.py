"""Filters of the list of runs: from the address to Flyte's filter language, and to words. Pure.

    ?phase=FAILED,RUNNING&workflow=flows.train&since=24h&label=team=red;size=big&input=days=30&text=nightly

Called by `pages/runs`. Several labels or inputs are told apart by `;`: theirs are the values that cannot have one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dayfly.base import clock, errors
from dayfly.base.clock import SECOND, Micros
from dayfly.client import filters
from dayfly.model.phases import ExecutionPhase

Query = Mapping[str, str]

SORTS = {"created": "created_at", "duration": "duration"}
"""Columns that the list can be sorted by, as the address names them, and as the API does: those with an index."""

QUEUED = ("UNDEFINED", "QUEUED")
RUNNING = ("RUNNING", "SUCCEEDING", "FAILING", "ABORTING")

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_AGO = re.compile(r"(\d{1,5})([mhd])")
_SPAN = re.compile(r"(\d+(\.\d+)?(h|ms|m|s)?)+")


@dataclass(frozen=True)
class Filter:
    """One filter that the list offers."""

    key: str
    """In the address."""
    label: str
    hint: str
    """What is written into its field, as an example."""
    to_api: Callable[[str, Micros], list[str]]
    """From its text to expressions of the API; raises ValueError, which says what is wanted."""


def read(query: Query, now: Micros) -> str:
    """Return the API's filter string. Raise `InvalidArgument`, which names the filter and says what it wants."""
    expressions: list[str] = []
    for one in FILTERS:
        text = query.get(one.key, "").strip()
        if not text:
            continue
        try:
            expressions += one.to_api(text, now)
        except ValueError as error:
            raise errors.InvalidArgument(
                f"The filter {one.label.lower()} cannot be {text!r}: {error}.", remedy="Change or remove it above."
            ) from None
    return "+".join(expressions)


def sort(query: Query) -> tuple[str, bool]:
    """Return the column that the list is sorted by, and whether it falls."""
    told = query.get("sort", "")
    key = told.removeprefix("-")
    return (key, told.startswith("-")) if key in SORTS else ("created", True)


def is_filtered(query: Query) -> bool:
    """Say whether anything is filtered."""
    return any(query.get(one.key, "").strip() for one in FILTERS)


def kept(query: Query) -> dict[str, str]:
    """Return what of an address belongs to this list."""
    known = [*(one.key for one in FILTERS), "sort"]
    return {key: query[key].strip() for key in known if query.get(key, "").strip()}


def _equal(field: str) -> Callable[[str, Micros], list[str]]:
    return lambda text, _: [filters.equal(field, text)]


def _each(field: str) -> Callable[[str, Micros], list[str]]:
    return lambda text, _: [filters.equal(field, one.strip()) for one in text.split(";") if one.strip()]


def _phases(text: str, _: Micros) -> list[str]:
    known = ExecutionPhase.__members__
    wanted = [one.strip().upper() for one in text.split(",") if one.strip()]
    unknown = [one for one in wanted if one not in known]
    if unknown:
        raise ValueError(f"phases are {', '.join(known)}")
    return [f"value_in(phase,{';'.join(wanted)})"]


def _since(text: str, now: Micros) -> list[str]:
    return [f"gte(created_at,{_moment(text, now)})"]


def _until(text: str, now: Micros) -> list[str]:
    return [f"lt(created_at,{_moment(text, now)})"]


def _moment(text: str, now: Micros) -> str:
    ago = _AGO.fullmatch(text)
    if ago is not None:
        at = clock.to_datetime(Micros(now - int(ago[1]) * _UNITS[ago[2]] * SECOND))
    else:
        try:
            at = datetime.datetime.fromisoformat(text.replace("Z", "+00:00").replace(" ", "T"))
        except ValueError:
            raise ValueError("a time is 90m, 24h or 7d ago, or 2026-01-31T09:30") from None
        at = at if at.tzinfo is not None else at.replace(tzinfo=datetime.timezone.utc)
    try:
        at = at.astimezone(datetime.timezone.utc)
    except OverflowError:
        raise ValueError("a time is of the years 1 to 9999, in UTC") from None
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _span(function: str) -> Callable[[str, Micros], list[str]]:
    def read_span(text: str, _: Micros) -> list[str]:
        if not _SPAN.fullmatch(text):
            raise ValueError("a duration is 90, 90s, 5m or 1h30m")
        return [f"{function}(duration,{text})"]

    return read_span


def _text(text: str, _: Micros) -> list[str]:
    return [f"contains(text,{filters.escape(text)})"]


def _archived(text: str, _: Micros) -> list[str]:
    wanted = {"only": ["eq(state,1)"], "also": ["value_in(state,0;1)"]}.get(text)
    if wanted is None:
        raise ValueError("it is `only` or `also`")
    return wanted


FILTERS = (
    Filter("phase", "Phase", "FAILED,ABORTED", _phases),
    Filter("text", "Name has", "train", _text),
    Filter("workflow", "Workflow", "flows.train", _equal("workflow.name")),
    Filter("version", "Version", "v1", _equal("workflow.version")),
    Filter("launch_plan", "Launch plan", "flows.nightly", _equal("launch_plan.name")),
    Filter("user", "User", "ann", _equal("user")),
    Filter("label", "Label", "team=red; size", _each("label")),
    Filter("input", "Input", "region=north; days=30", _each("input")),
    Filter("since", "Since", "24h, 7d or 2026-01-31T09:30", _since),
    Filter("until", "Until", "1h or 2026-02-01", _until),
    Filter("longer", "Took at least", "5m", _span("gte")),
    Filter("shorter", "Took less than", "1h", _span("lt")),
    Filter("archived", "Archived", "only, also", _archived),
)
"""In the order in which they are offered."""

QUICK = (
    ("All", ""),
    ("Queued", ",".join(QUEUED)),
    ("Running", ",".join(RUNNING)),
    ("Failed", "FAILED,TIMED_OUT"),
    ("Succeeded", "SUCCEEDED"),
    ("Aborted", "ABORTED"),
)
"""Label and value of `phase`, each one press away."""
