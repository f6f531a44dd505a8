"""Our own connectors' process: started at first need, again when it has died, and ended with the platform."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import grpc

from dayfly.base import errors

START_SECONDS = 120.0
"""How long loading all connectors may take."""

END_SECONDS = 5.0
"""What the process gets to end by itself."""

ROUND_SECONDS = 0.05
"""How often is looked whether it listens already, or has ended."""

_PROGRAM = Path(__file__).with_name("host.py")


class Host:
    """One process with all connectors that are installed in `python`'s environment, and those in `modules`."""

    def __init__(self, python: str, modules: tuple[str, ...], log: Path, environment: Mapping[str, str]) -> None:
        self._command = [python, "-W", "ignore", str(_PROGRAM)]
        self._modules, self._log, self._environment = modules, log, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._folder = ""
        self._channel: grpc.aio.Channel | None = None
        self._starting = asyncio.Lock()

    @property
    def pid(self) -> int:
        """Return the process, 0 if there is none."""
        return self._process.pid if self._process is not None and self._process.poll() is None else 0

    async def channel(self) -> grpc.aio.Channel:
        """Return a channel to the process, started where it does not run. Raise `ExecutorUnavailable`."""
        async with self._starting:
            if self._channel is None or not self.pid:
                await self._drop()
                await self._start()
            assert self._channel is not None
            return self._channel

    async def close(self) -> None:
        """End the process."""
        async with self._starting:
            await self._drop()

    async def _start(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="dayfly-connectors-")
        socket = f"{self._folder}/s"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: ASYNC220 - forks at once, and waits for nothing
                [*self._command, socket, *self._modules],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(self._environment),
                start_new_session=True,
            )
        for _ in range(int(START_SECONDS / ROUND_SECONDS)):
            if await asyncio.to_thread(os.path.exists, socket):
                self._channel = grpc.aio.insecure_channel(f"unix:{socket}")
                return
            if not self.pid:
                break
            await asyncio.sleep(ROUND_SECONDS)
        await self._drop()
        raise errors.ExecutorUnavailable(
            f"The connectors' process did not start; {self._log} says why.",
            remedy="Is every module of DAYFLY_CONNECTORS__MODULES, and every flytekitplugins-* package, sound?",
        )

    async def _drop(self) -> None:
        if self._channel is not None:
            await self._channel.close(None)
            self._channel = None
        process, self._process = self._process, None
        if process is not None:
            assert process.stdin is not None
            with contextlib.suppress(OSError):
                process.stdin.close()
            try:
                await asyncio.to_thread(process.wait, END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                await asyncio.to_thread(process.wait)
        shutil.rmtree(self._folder, ignore_errors=True)
