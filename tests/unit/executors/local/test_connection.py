"""The platform's end of a conversation, with a server that says what a fork server may say."""

import asyncio
from pathlib import Path

import pytest

from dayfly.executors.local.connection import Connection
from dayfly.executors.local.forked import wire

REPORT = {"key": "a", "state": "running"}


async def answering(path: Path, *messages: dict[str, object]) -> asyncio.Server:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65536)
        for message in messages:
            writer.write(wire.pack(message))
        writer.close()

    return await asyncio.start_unix_server(answer, path)


async def test_reports_may_come_before_the_hello(tmp_path: Path) -> None:
    hello = {"op": "hello", "pid": 7, "unfit": "", "groups": [REPORT]}
    async with await answering(tmp_path / "s", {"op": "report", "report": REPORT}, hello):
        found = await Connection.open(str(tmp_path / "s"), {}, timeout_seconds=5)
        assert (found.pid, found.groups) == (7, {"a": REPORT})
        await found.close()


async def test_a_server_that_goes_before_it_has_loaded(tmp_path: Path) -> None:
    async with await answering(tmp_path / "s"):
        with pytest.raises(ConnectionResetError, match="died while it loaded"):
            await Connection.open(str(tmp_path / "s"), {}, timeout_seconds=5)
