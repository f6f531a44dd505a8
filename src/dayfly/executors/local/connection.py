"""The platform's end of a conversation with a fork server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

from dayfly.executors.local.forked import wire


class Connection:
    """One fork server, seen from the platform. `on_report` gets each report, `on_lost` is called when it has gone."""

    def __init__(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.path = path
        self.on_report: Callable[[Connection, dict[str, Any]], None] = _ignore
        self.on_lost: Callable[[Connection], None] = _ignore
        self.pid = 0
        self.unfit = ""
        """Why its user modules could not be loaded."""
        self.groups: dict[str, dict[str, Any]] = {}
        """The last reports of what it ran when it was reached."""
        self.lost = False
        self._reader, self._writer = reader, writer
        self._forked: dict[str, asyncio.Future[None]] = {}
        self._listening: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, path: str, options: dict[str, Any], *, timeout_seconds: float) -> Connection:
        """Reach the server at `path` and wait until it has loaded what it is to load.

        Raises `OSError` if nobody is there or it dies meanwhile, `TimeoutError` if it takes longer.
        """
        reader, writer = await asyncio.open_unix_connection(path)
        found = cls(path, reader, writer)
        try:
            found.send({"op": "hello", "options": options})
            hello = await asyncio.wait_for(found._receive_hello(), timeout_seconds)
        except asyncio.IncompleteReadError as error:
            writer.close()
            raise ConnectionResetError(f"the fork server at {path} died while it loaded") from error
        except asyncio.TimeoutError as error:
            writer.close()
            raise TimeoutError(f"the fork server at {path} has not loaded in {timeout_seconds:g} s") from error
        except BaseException:
            writer.close()
            raise
        found.pid, found.unfit = hello["pid"], hello["unfit"]
        found.groups = {report["key"]: report for report in hello["groups"]}
        return found

    def listen(self) -> None:
        """Begin to pass on what the server says."""
        self._listening = asyncio.create_task(self._listen(), name=f"fork server {self.pid}")

    def send(self, message: dict[str, Any]) -> None:
        """Send a message; one to a server that has gone is lost, and `on_lost` tells."""
        if not self._writer.is_closing():
            self._writer.write(wire.pack(message))

    async def fork(self, options: dict[str, Any]) -> None:
        """Have the server fork another, at `options["socket"]`; return when that can be reached. Raises `OSError`."""
        forked = self._forked.setdefault(options["socket"], asyncio.get_running_loop().create_future())
        self.send({"op": "fork", "options": options})
        await forked

    async def wait_until_lost(self) -> None:
        """Wait until the server has gone."""
        if self._listening is not None:
            await asyncio.wait([self._listening])

    async def close(self) -> None:
        """Let go of the server: its lease begins to run."""
        self.on_lost = _ignore
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        self._writer.close()

    async def _listen(self) -> None:
        try:
            while True:
                message = await self._receive()
                if message["op"] == "report":
                    self.on_report(self, message["report"])
                elif message["op"] == "forked":
                    forked = self._forked.pop(message["socket"], None)
                    if forked is not None and not forked.done():
                        forked.set_result(None)
        except (asyncio.IncompleteReadError, OSError):
            self._lose()

    def _lose(self) -> None:
        self.lost = True
        self._writer.close()
        for forked in self._forked.values():
            if not forked.done():
                forked.set_exception(ConnectionResetError(f"the fork server at {self.path} died"))
        self.on_lost(self)

    async def _receive_hello(self) -> dict[str, Any]:
        """Whatever the server says before, it says to earlier listeners, and tells again in its hello."""
        while (message := await self._receive())["op"] != "hello":
            pass
        return message

    async def _receive(self) -> dict[str, Any]:
        (length,) = wire.LENGTH.unpack(await self._reader.readexactly(wire.LENGTH.size))
        message: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        return message


def _ignore(*_: object) -> None:
    pass
