"""An event loop without threads and time: what would run on a thread runs at once, what would wait is skipped to.

The time is that of a `ManualClock`, which moves only when nobody has anything left to do now.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from dayfly.base.clock import ManualClock


class Stuck(AssertionError):
    """Everybody waits for somebody else."""


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs tasks in an order that is the same each time."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock, self._selector = clock, _Nobody(clock)
        self._clock_resolution = 1e-6
        # What a platform was doing when it crashed ends in any way.
        self.set_exception_handler(lambda loop, context: None)

    def time(self) -> float:
        """Return the seconds of the clock."""
        return self._clock.monotonic()

    def run_in_executor(self, executor: Executor | None, func: Callable[..., Any], *args: Any) -> Any:
        """Run it now."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  (whoever awaits it gets it)
            done.set_exception(error)
        return done

    def end(self) -> None:
        """End every task, and close."""
        while tasks := asyncio.all_tasks(self):
            for task in tasks:
                task.cancel()
            self.run_until_complete(_all(tasks))
        self.run_until_complete(self.shutdown_asyncgens())
        self.close()

    def _process_events(self, event_list: list[object]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass


async def _all(tasks: set[asyncio.Task[object]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


class _Nobody:
    """A selector that nobody outside ever wakes: to wait is to move the clock."""

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def select(self, timeout: float | None) -> list[object]:
        if timeout is None:
            raise Stuck("nobody has anything to do, now or later")
        if timeout > 0:
            self._clock.advance(timeout + 1e-6)
        return []

    def close(self) -> None:
        pass
