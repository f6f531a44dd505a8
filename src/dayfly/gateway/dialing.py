"""Finds the way to a cluster's dashboard: its own address, else the way that the cluster's executor knows.

Called by `dashboards` before anything is forwarded. By which way it was, is seen by asking: an address of pods may be
nowhere from here, or somebody else's. What was reached another way is asked that way from then on.
"""

from __future__ import annotations

import collections
from collections.abc import AsyncIterator, Sequence
from typing import Any

import httpx
from websockets.asyncio import client as websockets_client
from websockets.typing import Subprotocol

from dayfly.base import errors
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.dashboards import Way, Ways

OPEN_PATH = "/dayfly/open-dashboard"
"""Asked of a scheduler before anything else; it answers once there is a dashboard."""

OPEN_SECONDS = 30.0
"""Importing Bokeh on a busy machine."""

DIRECT_SECONDS = 2.0
"""Until an address counts as out of reach, where there is another way."""

READ_SECONDS = 30.0

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""One message of a websocket: a plot with all its points."""

MAX_REMEMBERED = 1000
"""Clusters that were reached another way."""

MAX_TOLD = 500
"""Characters of an answer that says why there is no dashboard."""

OPENED, NO_BOKEH, UNAUTHORIZED = 204, 501, 401

UNREACHED = (500, 502, 503, 504)
"""Told by who stands between, of a cluster that does not answer."""


class Dialer:
    """Knows by which way each cluster was reached."""

    def __init__(self, ways: Sequence[Ways] = ()) -> None:
        self._ways = ways
        self._around: collections.OrderedDict[tuple[AttemptKey, str], None] = collections.OrderedDict()

    async def open(self, key: AttemptKey, address: str) -> Way:
        """Return the way to `host:port`, once there is a dashboard. Raise `PlatformError` where nobody answers,
        `FailedPrecondition` where there can be no dashboard."""
        if (key, address) not in self._around:
            direct = Way(f"http://{address}")
            try:
                answer = await _ask(direct, DIRECT_SECONDS if self._ways else OPEN_SECONDS)
            except httpx.HTTPError as error:
                if not self._ways:
                    raise gone(address, error) from error
            else:
                if answer.status_code in (OPENED, NO_BOKEH) or not self._ways:
                    return _opened(direct, address, answer)
        try:
            found = _opened(*await self._go_around(key, address))
        except httpx.HTTPError as error:
            self._forget(key, address)
            raise gone(address, error) from error
        except errors.PlatformError:
            self._forget(key, address)
            raise
        self._around[key, address] = None
        if len(self._around) > MAX_REMEMBERED:
            self._around.popitem(last=False)
        return found

    def _forget(self, key: AttemptKey, address: str) -> None:
        """Another time its own address may be in reach."""
        self._around.pop((key, address), None)

    async def _go_around(self, key: AttemptKey, address: str) -> tuple[Way, str, httpx.Response]:
        for ways in self._ways:
            way = await ways.find_way(key, address)
            if way is None:
                continue
            answer = await _ask(way, OPEN_SECONDS)
            if answer.status_code == UNAUTHORIZED and (again := await ways.find_way(key, address, anew=True)):
                way, answer = again, await _ask(again, OPEN_SECONDS)
            return way, address, answer
        raise httpx.ConnectError("it is out of reach, and nobody knows another way")


def client(way: Way) -> httpx.AsyncClient:
    """Return a client that asks this way."""
    return httpx.AsyncClient(
        verify=way.tls if way.tls is not None else False,
        trust_env=way.tls is not None,
        proxy=way.proxy or None,
        headers=way.headers,
        timeout=READ_SECONDS,
    )


def extensions(way: Way) -> dict[str, Any]:
    """Return what each request of such a client needs beside its address."""
    return {"sni_hostname": way.server_name} if way.server_name else {}


def connect(way: Way, target: str, subprotocols: list[Subprotocol]) -> websockets_client.connect:
    """Return a websocket that goes this way, yet to be entered."""
    secure: dict[str, Any] = {} if way.tls is None else {"ssl": way.tls}
    if way.server_name:
        secure["server_hostname"] = way.server_name
    return websockets_client.connect(
        way.url.replace("http", "ws", 1) + target,
        subprotocols=subprotocols or None,
        additional_headers=way.headers,
        max_size=MAX_MESSAGE_BYTES,
        proxy=way.proxy or (True if way.tls is not None else None),
        compression=None,
        **secure,
    )


async def without(chunks: AsyncIterator[bytes], put_in_front: str) -> AsyncIterator[bytes]:
    """Yield a page whose links are again as its cluster has made them."""
    added, held = put_in_front.encode(), b""
    async for chunk in chunks:
        *before, held = (held + chunk).split(added)
        for part in before:
            yield part
        sure = max(0, len(held) - len(added) + 1)  # What follows may be the beginning of it.
        yield held[:sure]
        held = held[sure:]
    yield held


def gone(address: str, why: Exception | str) -> errors.PlatformError:
    """Return the error of a dashboard that nobody answers for."""
    told = str(why) or type(why).__name__
    return errors.PlatformError(
        f"The dashboard at {address} does not answer: {told.rstrip('.')}.", remedy="Has the task ended?"
    )


async def _ask(way: Way, connect_seconds: float) -> httpx.Response:
    async with client(way) as asking:
        timeout = httpx.Timeout(OPEN_SECONDS, connect=connect_seconds)
        return await asking.get(way.url + OPEN_PATH, timeout=timeout, extensions=extensions(way))


def _opened(way: Way, address: str, answer: httpx.Response) -> Way:
    if answer.status_code == OPENED:
        return way
    why = _why(answer)[:MAX_TOLD]
    if answer.status_code in UNREACHED:
        raise gone(address, why)
    raise errors.FailedPrecondition(f"The cluster cannot show its dashboard: {why}")


def _why(answer: httpx.Response) -> str:
    """Return what an answer says: what stands between tells it as JSON."""
    try:
        told = answer.json()
    except ValueError:
        return answer.text
    return str(told.get("message") or told) if isinstance(told, dict) else answer.text
