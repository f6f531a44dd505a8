"""Inputs and outputs in answers: inline where they fit, else by signed link; unreadable ones are left out.

flytekit reads the inline map if it has anything in it, else downloads the link.
"""

from __future__ import annotations

from typing import NamedTuple

from flyteidl.admin import common_pb2
from flyteidl.core import literals_pb2
from google.protobuf.message import DecodeError

from dayfly.base import clock, errors, logs
from dayfly.ports.blobs import Blobs
from dayfly.ports.links import Grant, Links
from dayfly.services.settings import ApiSettings

log = logs.get("dayfly.services")


class Data(NamedTuple):
    """One literal map, whole or by link."""

    full: literals_pb2.LiteralMap
    blob: common_pb2.UrlBlob


class DataReader:
    """Reads literal maps for answers."""

    def __init__(self, blobs: Blobs, links: Links, now: clock.Clock, settings: ApiSettings) -> None:
        self._blobs = blobs
        self._links = links
        self._clock = now
        self._settings = settings

    async def read(self, inputs_uri: str, outputs_uri: str) -> tuple[Data, Data]:
        """Return inputs and outputs; both together stay below the inline limit. An empty address is an empty map."""
        outputs = await self._read_one(outputs_uri, self._settings.max_inline_bytes)
        inputs = await self._read_one(inputs_uri, self._settings.max_inline_bytes - outputs.full.ByteSize())
        return inputs, outputs

    async def _read_one(self, uri: str, limit_bytes: int) -> Data:
        empty = Data(literals_pb2.LiteralMap(), common_pb2.UrlBlob())
        if not uri:
            return empty
        try:
            raw = await self._blobs.find(uri, limit_bytes=limit_bytes)
            return empty if raw is None else Data(literals_pb2.LiteralMap.FromString(raw), empty.blob)
        except errors.ResourceExhausted:
            return Data(empty.full, await self._link(uri))
        except (errors.DayflyError, DecodeError) as error:
            # What cannot be read must not keep a client from seeing the rest (flyteadmin's util/data.go does the same).
            log.warning("literal map not readable", uri=uri, error=str(error))
            return empty

    async def _link(self, uri: str) -> common_pb2.UrlBlob:
        info = await self._blobs.stat(uri)
        return common_pb2.UrlBlob(url=self.sign_download(uri)[0], bytes=info.size_bytes if info else 0)

    def sign_download(self, uri: str, seconds: float | None = None) -> tuple[str, clock.Micros]:
        """Return a link to read the blob, and when it expires."""
        life = self._settings.link_seconds if seconds is None else seconds
        expires_at = clock.Micros(self._clock.now() + int(life * clock.SECOND))
        return self._links.sign(Grant("GET", uri, expires_at)), expires_at
