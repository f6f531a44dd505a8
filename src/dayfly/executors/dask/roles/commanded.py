"""A worker that a command of the user's starts: waits for the scheduler's address, runs it, says when it is there.

Called by the fork server in a process of its own, which the command's process belongs to. The command gets what
`dask worker` would get; whether it has become a worker, the scheduler is asked.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from typing import Any

from distributed.core import rpc

from . import ending, worker

LOOK_SECONDS = 0.2
"""How often the scheduler is asked whether the worker is there."""


def run(channel: Any, arguments: dict[str, Any]) -> int:
    """Run the command; return its exit code. `arguments`: as for `worker`, and `command`, its words."""
    return asyncio.run(_run(channel, channel.wait("scheduler_address"), arguments))


def words(command: list[str], address: str, name: str, arguments: dict[str, Any]) -> list[str]:
    """Return the whole command line, with the options of `dask worker`."""
    line = [*command, address, "--name", name, "--nthreads", str(arguments["threads"])]
    line += ["--memory-limit", str(arguments["memory_limit_bytes"]), "--no-dashboard"]
    for module in arguments.get("preload", ()):
        line += ["--preload", module]
    # Not every such command knows this option; who does not say it does not need it.
    return [*line, "--no-nanny"] if arguments.get("nanny") is False else line


async def _run(channel: Any, address: str, arguments: dict[str, Any]) -> int:
    name = worker.name_of(arguments["name"], channel.restarted)
    stopped = ending.on_signal()
    process = await asyncio.create_subprocess_exec(*words(arguments["command"], address, name, arguments))
    looking = asyncio.create_task(_tell_when_there(channel, address, name))
    try:
        await ending.first_of(process.wait(), stopped.wait())
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        code = await process.wait()
        return ending.ASKED_TO_END if stopped.is_set() else code
    finally:
        looking.cancel()


async def _tell_when_there(channel: Any, address: str, name: str) -> None:
    async with rpc(address) as scheduler:
        while True:
            with contextlib.suppress(OSError):
                known = [str(each["name"]) for each in (await scheduler.identity())["workers"].values()]
                # Commands may start several workers, and number them.
                if any(each == name or each.startswith(f"{name}-") for each in known):
                    channel.publish("ready")
                    return
            await asyncio.sleep(LOOK_SECONDS)
