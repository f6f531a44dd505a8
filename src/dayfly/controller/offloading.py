"""Fetches the values of offloaded literals: those that a task wrote beside its outputs, which tell only the address.

Tasks fetch what they are given by themselves. The engine does where it looks into a value: at the end of an attribute
path, in a condition, to measure an array, and for the executions that launch plans launch.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.core import literals_pb2
from google.protobuf import message as protobuf

from dayfly.base import errors
from dayfly.model import paths

if TYPE_CHECKING:
    from dayfly.ports.blobs import Blobs

MAX_BYTES = 1000 * 1024 * 1024
"""The most that one literal may take; where Flyte has its limit for what tasks offload."""

UNREADABLE = "OffloadedLiteralError"
"""Code of a node that needs an offloaded value which is none, or too large."""


class Offloaded:
    """Offloaded literals in the store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def fetch(self, uri: str) -> literals_pb2.Literal:
        """Return the value that lies there. Raise `paths.BadPromise`, `BlobUnavailable`."""
        try:
            raw = await self._blobs.find(uri, limit_bytes=MAX_BYTES)
        except (errors.ResourceExhausted, errors.InvalidArgument) as error:
            raise paths.BadPromise(UNREADABLE, f"the offloaded value at {uri} cannot be read: {error}") from error
        if raw is None:
            raise errors.BlobUnavailable(f"the offloaded value at {uri} is gone.", remedy="Was the storage cleaned up?")
        try:
            # Millions of numbers take a second, in which everything else goes on.
            return await asyncio.to_thread(literals_pb2.Literal.FromString, raw)
        except protobuf.DecodeError as error:
            raise paths.BadPromise(UNREADABLE, f"what lies at {uri} is no literal") from error

    async def made_whole(self, values: literals_pb2.LiteralMap) -> literals_pb2.LiteralMap:
        """Return the values with those in place that are offloaded as wholes; their parts stay as they are.

        Raise `paths.BadPromise`, `BlobUnavailable`.
        """
        by_reference = sorted(
            name for name, value in values.literals.items() if value.WhichOneof("value") == "offloaded_metadata"
        )
        if not by_reference:
            return values
        made = literals_pb2.LiteralMap()
        made.CopyFrom(values)
        for name in by_reference:
            made.literals[name].CopyFrom(await self.fetch(values.literals[name].offloaded_metadata.uri))
        return made
