"""Numbers, moments and spans as people write them in fields, and back without loss. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal

from google.protobuf import duration_pb2, timestamp_pb2

from dayfly.base import clock

NANO = 10**9

_UNITS = {"d": 86400 * NANO, "h": 3600 * NANO, "m": 60 * NANO, "s": NANO, "ms": NANO // 1000, "us": 1000, "ns": 1}
_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|us|ns|d|h|m|s)\s*")
_ISO_SPAN = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_CLOCK = re.compile(r"(?:(\d+) days?,? )?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?")

LONGEST_SECONDS = 315_576_000_000
"""What a protobuf Duration can hold: 10,000 years."""


def integer(text: str) -> int | None:
    """Read a whole number of 64 bits; None for what is none."""
    plain = text.strip().replace("_", "").replace(",", "")
    if not re.fullmatch(r"[+-]?\d{1,25}", plain, re.ASCII):
        return None
    return int(plain) if -(2**63) <= int(plain) < 2**63 else None


def number(text: str) -> float | None:
    """Read a number; None for what is none."""
    try:
        return float(text.strip().replace("_", ""))
    except ValueError:
        return None


def moment(text: str) -> timestamp_pb2.Timestamp | None:
    """Read a time in RFC 3339 or as a date, UTC where it does not say; None for what is none."""
    found = timestamp_pb2.Timestamp()
    plain = text.strip().replace(" ", "T", 1)
    try:
        found.FromJsonString(plain)
    except ValueError:
        try:
            found.FromMicroseconds(clock.from_datetime(datetime.fromisoformat(plain)))
        except (ValueError, OverflowError):
            return None
    return found


def write_moment(at: timestamp_pb2.Timestamp) -> str:
    """Return a time as `moment` reads it."""
    return str(at.ToJsonString())


def span(text: str) -> duration_pb2.Duration | None:
    """Read `1h30m`, `1 d 2 h`, `01:30:00` or `PT1H`; None for what is none of them."""
    plain = text.strip()
    negative = plain.startswith("-")
    try:
        nanos = _span_nanos(plain.removeprefix("-").strip())
    except (ValueError, ArithmeticError):  # More digits than Python reads.
        return None
    if nanos is None or nanos > LONGEST_SECONDS * NANO:
        return None
    made = duration_pb2.Duration()
    made.FromNanoseconds(-nanos if negative else nanos)
    return made


def write_span(taken: duration_pb2.Duration) -> str:
    """Return a time span as `span` reads it: `1d`, `1h30m`, `1.5s`."""
    nanos = taken.ToNanoseconds()
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    parts = []
    for unit in ("d", "h", "m"):
        count, nanos = divmod(nanos, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if nanos or not parts:
        parts.append(f"{_decimal(nanos)}s")
    return sign + "".join(parts)


def iso_span(taken: duration_pb2.Duration) -> str:
    """Return a time span in ISO 8601, as pydantic writes it."""
    nanos = taken.ToNanoseconds()
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    days, nanos = divmod(nanos, _UNITS["d"])
    hours, nanos = divmod(nanos, _UNITS["h"])
    minutes, nanos = divmod(nanos, _UNITS["m"])
    told = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M")) if count)
    told += f"{_decimal(nanos)}S" if nanos else ""
    date = f"{days}D" if days else ""
    return f"{sign}P{date}T{told}" if told else f"{sign}P{date}" if date else "PT0S"


def from_seconds(seconds: float) -> duration_pb2.Duration:
    """Return seconds as a time span, to the microsecond, which is what Python's spans hold."""
    made = duration_pb2.Duration()
    made.FromTimedelta(timedelta(seconds=seconds))
    return made


def _span_nanos(text: str) -> int | None:
    if text and not _SPAN.sub("", text):
        return int(sum(Decimal(amount) * _UNITS[unit] for amount, unit in _SPAN.findall(text)))
    if (iso := _ISO_SPAN.fullmatch(text)) and text not in ("P", "PT"):
        days, hours, minutes, seconds = iso.group(2, 3, 4, 5)
        return _nanos(days, hours, minutes, seconds)
    if written := _CLOCK.fullmatch(text):
        return _nanos(*written.groups())
    return None


def _nanos(days: str | None, hours: str | None, minutes: str | None, seconds: str | None) -> int:
    whole = (int(days or 0) * 24 + int(hours or 0)) * 60 + int(minutes or 0)
    return whole * 60 * NANO + int(Decimal(seconds or 0) * NANO)


def _decimal(nanos: int) -> str:
    whole, rest = divmod(nanos, NANO)
    return f"{whole}.{rest:09}".rstrip("0") if rest else str(whole)
