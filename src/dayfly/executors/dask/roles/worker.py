"""One worker of a cluster: waits for the scheduler's address, registers, computes, ends when told to.

Called by the fork server in a process of its own. There is no nanny: the supervisor of the group makes a worker anew
when it dies and kills one that outgrows its memory; spilling and pausing are Dask's own.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

import dask
import distributed
import tornado.platform.asyncio  # noqa: F401  imported before the fork, for all workers at once
from distributed import versions

from . import collecting, ending, spilling, standing_by

# Every role tells the versions of a dozen packages when it connects, and reads them from disk: cached before the fork.
versions.get_versions()

CLOSE_SECONDS = 5
"""For a last gasp: what is being computed then is computed elsewhere."""


def run(channel: Any, arguments: dict[str, Any]) -> int:
    """Be a worker; return 0 if no signal has asked for its end. `arguments`: `name`, `threads`, `memory_limit_bytes`,
    `local_directory` for what it spills, `preload` for modules, files and addresses that it loads as it begins,
    `standing` where it stands by."""
    collecting.seldom()
    address = channel.wait("scheduler_address")
    # A folder of its own for each: a new worker then clears what the dead one of its name has spilled, and no other.
    local_directory = os.path.abspath(os.path.join(arguments.get("local_directory", "dask"), arguments["name"]))
    return asyncio.run(_work(channel, address, local_directory, arguments))


def name_of(name: str, restarted: int) -> str:
    """Return the name to register by: the scheduler may still hold the one that died, and names must not clash."""
    return f"{name}-r{restarted}" if restarted else name


async def _work(channel: Any, address: str, local_directory: str, arguments: dict[str, Any]) -> int:
    stopped = ending.on_signal()
    # Nobody has asked for these pages; the defaults import Bokeh and Prometheus, for every worker.
    with dask.config.set({"distributed.worker.http.routes": []}):
        worker = distributed.Worker(
            address,
            host="127.0.0.1",
            nthreads=int(arguments["threads"]),
            memory_limit=int(arguments["memory_limit_bytes"]) or 0,
            name=name_of(arguments["name"], channel.restarted),
            local_directory=local_directory,
            dashboard=False,
            preload=arguments.get("preload", ()) or dask.config.get("distributed.worker.preload"),
        )
        spilling.tell_failures(worker)
        await worker
    if arguments.get("standing"):
        standing_by.when_taken_over(channel, lambda _: None)
    channel.publish("ready")
    try:
        await ending.first_of(worker.finished(), stopped.wait())
    finally:
        await worker.close(timeout=CLOSE_SECONDS, reason="told to end")
    return ending.ASKED_TO_END if stopped.is_set() else 0
