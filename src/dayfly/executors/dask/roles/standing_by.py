"""What a role does that stood by, when the cluster is given to an attempt.

Called by `scheduler` and `worker` where their arguments say `standing`, in the running loop.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any


def when_taken_over(channel: Any, then: Callable[[dict[str, Any]], None]) -> None:
    """Once there is an attempt, set its variables, call `then` with this role's arguments in it, and say so."""
    loop = asyncio.get_running_loop()

    def listen() -> None:
        try:
            told = channel.facts.get("taken_over")
        except ConnectionError:
            loop.remove_reader(channel.fileno())  # the supervisor is gone, and the kernel ends this process
            return
        if told is not None:
            loop.remove_reader(channel.fileno())
            os.environ.update(told["env"])
            then(told["arguments"])
            channel.publish("taken")

    loop.add_reader(channel.fileno(), listen)
