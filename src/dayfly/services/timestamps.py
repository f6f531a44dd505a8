"""Between the platform's microseconds and protobuf's times."""

from __future__ import annotations

from google.protobuf import timestamp_pb2

from dayfly.base.clock import SECOND, Micros


def to_timestamp(at: Micros) -> timestamp_pb2.Timestamp:
    """Convert to the message."""
    return timestamp_pb2.Timestamp(seconds=at // SECOND, nanos=at % SECOND * 1000)


def from_timestamp(message: timestamp_pb2.Timestamp) -> Micros:
    """Convert from the message; finer parts are cut off."""
    return Micros(message.seconds * SECOND + message.nanos // 1000)
