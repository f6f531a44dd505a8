"""Calls whose caller is gone: they end, what they bring is let go, and no socket is left open."""

from __future__ import annotations

import asyncio
import gc
import json
import ssl
import warnings
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dayfly.executors.kubernetes import api, ongoing, streams


class Stalling:
    """A server to which clients begin to speak TLS; it hangs up when it is told to."""

    def __init__(self) -> None:
        self.spoken_to, self.hang_up = asyncio.Event(), asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        self.spoken_to.set()
        await self.hang_up.wait()
        writer.close()


@pytest.fixture
async def stalling() -> AsyncIterator[tuple[Stalling, str]]:
    made = Stalling()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        yield made, f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def kubeconfig(folder: Path, address: str) -> str:
    cluster = {"name": "c", "cluster": {"server": address, "insecure-skip-tls-verify": True}}
    context = {"name": "x", "context": {"cluster": "c", "user": "u"}}
    user = {"name": "u", "user": {"token": "secret"}}
    told = {"clusters": [cluster], "contexts": [context], "users": [user], "current-context": "x"}
    (folder / "kubeconfig").write_text(json.dumps({"apiVersion": "v1", "kind": "Config", **told}))
    return str(folder / "kubeconfig")


async def leave_amid_a_handshake(server: Stalling, asked: Coroutine[Any, Any, Any]) -> None:
    """Ask, and be gone once the server is spoken to."""
    asking = asyncio.create_task(asked)
    await asyncio.wait_for(server.spoken_to.wait(), 10)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    server.hang_up.set()


async def read(lines: AsyncIterator[bytes]) -> None:
    async for _ in lines:
        pass


@pytest.mark.parametrize("what", ["call", "log", "stream"])
async def test_no_socket_is_left_of_who_is_gone_amid_a_handshake(
    tmp_path: Path, stalling: tuple[Stalling, str], what: str
) -> None:
    server, address = stalling
    asked = api.Api(kubeconfig(tmp_path, address))
    calls = ongoing.Ongoing()
    followed = streams.Streams(calls)
    context = ssl.create_default_context()

    async def ssl_context() -> ssl.SSLContext:
        return context

    auth = SimpleNamespace(server=address, token="", proxy=None, tls_server_name="", ssl_context=ssl_context)
    asks = {
        "call": lambda: asked.list("Pod", "ns", ""),
        "log": lambda: read(asked.follow_log("ns", "x", "main")),
        "stream": lambda: read(followed.lines(auth, "/", {})),
    }
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always", ResourceWarning)
        await leave_amid_a_handshake(server, asks[what]())
        await calls.finish()
        await followed.close()
        await asked.close()
        gc.collect()
    assert [str(one.message) for one in warned if issubclass(one.category, ResourceWarning)] == []


async def test_what_nobody_waits_for_any_more_is_let_go() -> None:
    calls, brought = ongoing.Ongoing(), asyncio.Event()
    let_go: list[str] = []

    async def call() -> str:
        await brought.wait()
        return "an answer"

    async def drop(answer: str) -> None:
        let_go.append(answer)

    asking = asyncio.create_task(calls.do(call(), drop))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    brought.set()
    await calls.finish()
    assert let_go == ["an answer"]
    assert await calls.do(call(), drop) == "an answer"
    assert let_go == ["an answer"], "that one is the caller's"


async def test_what_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ongoing, "LAST_SECONDS", 0.0)
    calls, ended = ongoing.Ongoing(), list[str]()

    async def call() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("call")

    asking = asyncio.create_task(calls.do(call()))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert ended == []
    await calls.finish()
    assert ended == ["call"]


async def test_a_call_that_fails_tells_its_caller() -> None:
    calls = ongoing.Ongoing()

    async def call() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await calls.do(call())
    await calls.finish()
