"""Runs of `programs/panel.py`, made when first asked for, on the shop's platform."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any

from flyteidl.core import identifier_pb2, literals_pb2

from dayfly.client import connecting
from dayfly.model.identifiers import EntityId, ExecutionId
from tests.browser import shop as shops
from tests.browser.shop import Shop
from tests.platforms import launching, remotes

PROGRAM = Path(__file__).parent / "programs" / "panel.py"


class Panels:
    """The runs. Each of a single task, whose node's id is the task's name without dots."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @functools.cached_property
    def remote(self) -> Any:
        """A client; the program is registered when it is first asked for."""
        return remotes.register(self._shop.server, PROGRAM)

    def launch(self, entity: str, name: str, *, workflow: bool = False, **inputs: Any) -> ExecutionId:
        """Start a run of one task, or of a workflow."""
        name = self._shop.unused(name)
        fetch = self.remote.fetch_launch_plan if workflow else self.remote.fetch_task
        found = fetch(name=f"panel.{entity}", version=launching.VERSION)
        self.remote.execute(found, inputs=inputs, execution_name=name)
        return ExecutionId(launching.PROJECT, launching.DOMAIN, name)

    def run(self, task: str, name: str, **inputs: Any) -> ExecutionId:
        """Return a run once it has ended."""
        return self._shop.wait(self.launch(task, name, **inputs))

    def with_address(self, uri: str) -> ExecutionId:
        """Return a run whose input is a file with this address, which flytekit itself would refuse."""
        assert self.remote
        return self._shop.wait(shops.aside(self._launch_with, uri))

    def _launch_with(self, uri: str) -> ExecutionId:
        file = literals_pb2.Literal(scalar={"blob": {"uri": uri, "metadata": {"type": {}}}})
        place = (launching.PROJECT, launching.DOMAIN)
        task = EntityId(identifier_pb2.TASK, *place, "panel.keep", launching.VERSION)

        async def call() -> ExecutionId:
            inputs = literals_pb2.LiteralMap(literals={"file": file})
            async with connecting.open(self._shop.server.address) as client:
                return await client.create_execution(*place, task, inputs, name=self._shop.unused("address"))

        return asyncio.run(call())
