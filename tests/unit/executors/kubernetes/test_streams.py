"""Answers line by line: as many at once as are asked for, with credentials that expire."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from dayfly.executors.kubernetes import api, ongoing, streams

MANY = 150
"""More than kr8s has connections."""


class ApiServer:
    """Answers every request with lines, the last of which it holds back until so many have asked."""

    def __init__(self) -> None:
        self.open = 0
        self.all_there = asyncio.Event()
        self.token = "first"
        self.asked: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked.append(head.split()[1])
        if f"Bearer {self.token}" not in head:
            writer.write(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno")
        elif "/refused" in head:
            told = b'{"message": "pods are forbidden"}'
            writer.write(
                b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(told) + told
            )
        else:
            writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst\r\x85 line\nsec")
            await writer.drain()
            self.open += 1
            if self.open == MANY:
                self.all_there.set()
            if "/held" in head:
                await self.all_there.wait()
            writer.write(b"ond\n\nlast")
        writer.close()


@pytest.fixture
async def served() -> AsyncIterator[tuple[ApiServer, Any]]:
    serving = ApiServer()
    server = await asyncio.start_server(serving.answer, "127.0.0.1", 0)
    auth = SimpleNamespace(
        server=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", token="first", tls_server_name=None, proxy=None
    )

    async def ssl_context() -> bool:
        return False

    async def reauthenticate() -> None:
        auth.token = serving.token

    auth.ssl_context, auth.reauthenticate = ssl_context, reauthenticate
    yield serving, auth
    server.close()
    await server.wait_closed()


async def read(all_of: streams.Streams, auth: Any, path: str = "/held") -> list[bytes]:
    return [line async for line in all_of.lines(auth, path, {"follow": "true"})]


async def test_lines_end_where_the_kubelet_ends_them(served: tuple[ApiServer, Any]) -> None:
    serving, auth = served
    all_of = streams.Streams(ongoing.Ongoing())
    assert await read(all_of, auth, "/api/v1/pods") == [b"first\r\x85 line", b"second", b"", b"last"]
    assert serving.asked == ["/api/v1/pods?follow=true"]
    await all_of.close()


async def test_there_are_as_many_as_are_asked_for(served: tuple[ApiServer, Any]) -> None:
    _, auth = served
    all_of = streams.Streams(ongoing.Ongoing())
    read_all = asyncio.gather(*(read(all_of, auth) for _ in range(MANY)))
    assert {len(lines) for lines in await asyncio.wait_for(read_all, 30)} == {4}
    await all_of.close()


async def test_credentials_that_have_expired_are_renewed(served: tuple[ApiServer, Any]) -> None:
    serving, auth = served
    all_of = streams.Streams(ongoing.Ongoing())
    await read(all_of, auth, "/pods")
    serving.token = "second"
    assert len(await read(all_of, auth, "/pods")) == 4
    serving.token = "third"
    auth.reauthenticate = served[1].ssl_context  # which has no effect
    with pytest.raises(streams.Answered) as refused:
        await read(all_of, auth, "/pods")
    assert refused.value.status == 401
    await all_of.close()


async def test_a_refusal_says_why(served: tuple[ApiServer, Any]) -> None:
    _, auth = served
    all_of = streams.Streams(ongoing.Ongoing())
    with pytest.raises(streams.Answered) as refused:
        await read(all_of, auth, "/refused")
    assert (refused.value.status, refused.value.message) == (403, "pods are forbidden")
    await all_of.close()


@pytest.mark.parametrize("step", [1, 3, 1000])
async def test_of_a_line_without_end_only_so_much_is_held(step: int) -> None:
    told = b"12345678\n123456789\n\n" + b"x" * 100 + b"\nlast" + b"y" * 20

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(told), step):
            yield told[start : start + step]

    assert [line async for line in streams.split(chunks(), 8)] == [
        b"12345678",
        b"12345678 [1 bytes of this line are left out]",
        b"",
        b"xxxxxxxx [92 bytes of this line are left out]",
        b"lastyyyy [16 bytes of this line are left out]",
    ]
    assert [line async for line in streams.split(chunks())] == told.split(b"\n")


async def test_lines_of_logs_have_a_limit_and_those_of_watches_none(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[int] = []

    async def lines(*_: object, most_bytes: int = 0) -> AsyncIterator[bytes]:
        limits.append(most_bytes)
        yield b'{"type": "ADDED", "object": {}}'

    asked = api.Api()
    monkeypatch.setattr(asked, "_lines", lines)
    assert [line async for line in asked.follow_log("n", "x", "main")]
    assert [happened async for happened in asked.watch("Pod", "n", "", "1", seconds=1)] == [("ADDED", {})]
    assert limits == [api.MAX_LOG_LINE_BYTES, 0]


class LoggingIn:
    """kr8s' credentials while somebody logs in with them: the address is gone until the lock is free."""

    token, tls_server_name, proxy = "t", None, None

    def __init__(self) -> None:
        self.server = ""

    async def ssl_context(self) -> bool:
        self.server = "https://cluster:6443"
        return True


async def test_who_connects_while_another_logs_in_waits_for_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    made = streams.Streams(ongoing.Ongoing())
    client = await made._open(LoggingIn())
    assert str(client.base_url) == "https://cluster:6443"
    await made.close()

    async def opened(_: object) -> SimpleNamespace:
        return SimpleNamespace(auth=LoggingIn())

    monkeypatch.setattr(api.Api, "_open", opened)
    assert (await api.Api().door()).url == "https://cluster:6443"
