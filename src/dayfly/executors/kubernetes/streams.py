"""Answers of the cluster's API: whole ones, and such that come line by line for as long as something lasts, which are
watches, and logs that are followed.

Each of these holds a connection. kr8s opens a hundred at most, so that the logs of a few clusters of pods would leave
none for anything else; and where it is refused, it closes the connections of all who wait for an answer. So it is asked
for nothing but how to be let in.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from dayfly.executors.kubernetes.ongoing import Ongoing

CONNECT_SECONDS = 30.0

AT_ONCE = 100
"""Whole answers that are waited for side by side."""

UNAUTHORIZED = 401


class Answered(Exception):
    """The API has refused: its status, and what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Streams:
    """The answers of one cluster, with what kr8s knows of how to be let in."""

    def __init__(self, ongoing: Ongoing) -> None:
        self._ongoing = ongoing
        self._client: httpx.AsyncClient | None = None
        self._entering = asyncio.Lock()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._former: list[httpx.AsyncClient] = []
        """With credentials that have expired since; what goes on over them goes on."""

    async def whole(self, auth: Any, method: str, path: str, *, seconds: float, **more: Any) -> bytes:
        """Return an answer, which has to come within so many seconds; `more` is httpx's. Raise as `lines` does."""
        async with self._slots:
            for last in (False, True):
                client = self._client or await self._open(auth)
                answer = await client.request(method, path, timeout=seconds, extensions=_extensions(auth), **more)
                if answer.status_code == UNAUTHORIZED and not last:
                    await self._enter_again(auth, client)
                    continue
                if answer.is_error:
                    raise Answered(answer.status_code, _message(answer.content))
                break
            return answer.content

    async def lines(
        self, auth: Any, path: str, params: Mapping[str, str], *, most_bytes: int = 0
    ) -> AsyncIterator[bytes]:
        """Yield the lines of an answer, without their ends, and of each `most_bytes` at most; 0 is no limit. Raise
        `Answered`, and what httpx raises."""
        for last in (False, True):
            client = self._client or await self._open(auth)
            asked = client.send(
                client.build_request("GET", path, params=params, extensions=_extensions(auth)), stream=True
            )
            answer = await self._ongoing.do(asked, httpx.Response.aclose)
            async with contextlib.aclosing(answer):
                if answer.status_code == UNAUTHORIZED and not last:
                    await self._enter_again(auth, client)
                    continue
                if answer.is_error:
                    raise Answered(answer.status_code, _message(await answer.aread()))
                async for line in split(answer.aiter_bytes(), most_bytes):
                    yield line
            return

    async def close(self) -> None:
        """Let go of all."""
        clients, self._client, self._former = [self._client, *self._former], None, []
        for client in clients:
            if client is not None:
                await client.aclose()

    async def _open(self, auth: Any) -> httpx.AsyncClient:
        async with self._entering:
            if self._client is None:  # Else another was faster.
                tls = (
                    await auth.ssl_context()
                )  # First: it waits for whoever is logging in, who empties all else meanwhile.
                self._client = httpx.AsyncClient(
                    base_url=str(auth.server),
                    headers={"Authorization": f"Bearer {auth.token}"} if auth.token else {},
                    verify=tls,
                    timeout=httpx.Timeout(CONNECT_SECONDS, read=None),
                    limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
                    follow_redirects=True,
                    proxy=auth.proxy,
                )
            return self._client

    async def _enter_again(self, auth: Any, refused: httpx.AsyncClient) -> None:
        async with self._entering:
            if self._client is refused:
                await auth.reauthenticate()
                self._client = None
                self._former.append(refused)


def _extensions(auth: Any) -> dict[str, Any]:
    return {"sni_hostname": auth.tls_server_name} if auth.tls_server_name else {}


async def split(chunks: AsyncIterator[bytes], most_bytes: int = 0) -> AsyncIterator[bytes]:
    """Yield lines, which end where the kubelet and the API end them: what else breaks lines is in their text. Of one
    that is longer than `most_bytes` the rest is left out, with a note in its place; 0 is no limit."""
    line = _Line(most_bytes)
    async for chunk in chunks:
        first, *others = chunk.split(b"\n")
        line.add(first)
        for other in others:
            yield line.take()
            line.add(other)
    if last := line.take():
        yield last


class _Line:
    """A line of which pieces come, one after the other."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> None:
        """Keep the piece, or what of it there is room for."""
        room = self._most - self._size if self._most else len(piece)
        if room > 0:
            self._pieces.append(piece[:room])
        self._size += len(piece)

    def take(self) -> bytes:
        """Return what is kept of the line, and begin another."""
        kept = b"".join(self._pieces)
        if left_out := self._size - len(kept):
            kept += b" [%d bytes of this line are left out]" % left_out
        self._pieces, self._size = [], 0
        return kept


def _message(raw: bytes) -> str:
    """Return what the API says: a Status, or plain text."""
    try:
        told = json.loads(raw)
    except ValueError:
        return raw.decode(errors="replace")
    return str(told.get("message") or told) if isinstance(told, dict) else str(told)
