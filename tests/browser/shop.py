"""The platform that is looked at: `programs/showcase.py` registered, with runs that are made when first asked for."""

from __future__ import annotations

import functools
import tempfile
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from flytekit.remote import FlyteRemote

from dayfly.model.identifiers import ExecutionId
from tests.platforms import launching, remotes
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "showcase.py"

PLACE = f"/console/projects/{launching.PROJECT}/domains/{launching.DOMAIN}"


Result = TypeVar("Result")


def aside(work: Callable[..., Result], *arguments: Any) -> Result:
    """Call something that has an event loop of its own; Playwright's runs in the tests' thread."""
    with ThreadPoolExecutor(1) as threads:
        return threads.submit(work, *arguments).result()


class Shop:
    """One server and its runs. Names of runs are what they show, so that addresses and pictures read well."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.folder = server, folder
        self._names: Counter[str] = Counter()
        self.url = f"http://{server.address}"

    @functools.cached_property
    def remote(self) -> FlyteRemote:
        """A client; the program is registered when it is first asked for."""
        return remotes.register(self.server, PROGRAM)

    def absent(self, name: str) -> Path:
        """Return where a file may be made: no other test, and no earlier try of the same one, has made it."""
        return Path(tempfile.mkdtemp(dir=self.folder)) / name

    def unused(self, name: str) -> str:
        """Return a name for what a test makes: this one, or with a number where an earlier try has had it."""
        self._names[name] += 1
        return name if self._names[name] == 1 else f"{name}-{self._names[name]}"

    def launch(self, entity: str, name: str, *, task: bool = False, **inputs: Any) -> ExecutionId:
        """Start a run of the program's workflow or task, whose name is `unused(name)`."""
        name = self.unused(name)
        found = (self.remote.fetch_task if task else self.remote.fetch_launch_plan)(
            name=f"showcase.{entity}", version=launching.VERSION
        )
        self.remote.execute(found, inputs=inputs, execution_name=name)
        return ExecutionId(launching.PROJECT, launching.DOMAIN, name)

    def wait(self, execution: ExecutionId) -> ExecutionId:
        """Return once a run has ended."""
        aside(launching.wait, self.server, execution)
        return execution

    @functools.cached_property
    def succeeded(self) -> ExecutionId:
        """A run of `forecast`, with a node of every kind and a Dask cluster, that has ended well."""
        return self.wait(self.launch("forecast", "forecast-ok"))

    @functools.cached_property
    def failed(self) -> ExecutionId:
        """A run of `budget`, which divided by zero in each attempt."""
        return self.wait(self.launch("budget", "budget-failed"))

    @functools.cached_property
    def starved(self) -> ExecutionId:
        """A Dask task that died for want of memory."""
        return self.wait(self.launch("hoard", "hoard-starved", task=True))
