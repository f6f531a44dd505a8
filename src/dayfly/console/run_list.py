"""What a list of runs knows: the pages it has read, kept up to date, without a row twice. No page, no elements.

Called by `pages/runs`. Only the first page is read again and again; of the rows behind it, those that have not ended
are asked for one by one, as they are found by their names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin import common_pb2

from dayfly.base import errors
from dayfly.client.connecting import Client
from dayfly.console.addresses import Place
from dayfly.model import identifiers
from dayfly.model.phases import TERMINAL_EXECUTION

PAGE_ROWS = 100

KEPT_UP = 40
"""Rows behind the first page that are asked for again at a time; of more, the first."""


@dataclass
class RunList:
    """Runs of a place, as far as they were read."""

    client: Client
    place: Place
    filters: str
    sort: str
    """Field of the API."""
    falling: bool
    rows: list[Any] = field(default_factory=list)
    """admin.Execution"""
    token: str = ""
    """Of what follows; empty where nothing does."""
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One reading at a time: what one has added, another must not drop."""

    async def begin(self) -> None:
        """Read the first page."""
        answer = await self._page("")
        self.rows, self.token = list(answer.executions), answer.token

    async def more(self) -> None:
        """Read one more page."""
        async with self._reading:
            if not self.token:
                return
            answer = await self._page(self.token)
            there = {one.id.name for one in self.rows}
            self.rows += [one for one in answer.executions if one.id.name not in there]
            self.token = answer.token

    async def again(self) -> None:
        """Read what may have changed."""
        async with self._reading:
            answer = await self._page("")
            fresh = list(answer.executions)
            if not answer.token:
                self.rows, self.token = fresh, ""
                return
            behind = follow(fresh, self.rows, self.sort, falling=self.falling)
            if not self.token and not behind:
                self.token = answer.token  # The list has grown beyond its first page.
            self.rows = fresh + await self._kept_up(behind)

    async def _kept_up(self, rows: list[Any]) -> list[Any]:
        moving = [at for at, one in enumerate(rows) if one.closure.phase not in TERMINAL_EXECUTION][:KEPT_UP]
        read = await asyncio.gather(*(self._again(rows[at]) for at in moving))
        for at, one in zip(moving, read, strict=True):
            rows[at] = one
        return rows

    async def _again(self, one: Any) -> Any:
        try:
            return await self.client.get_execution(identifiers.from_execution_identifier(one.id))
        except errors.NotFound:
            return one

    async def _page(self, token: str) -> Any:
        request = common_pb2.ResourceListRequest(
            id={"project": self.place.project, "domain": self.place.domain},
            limit=PAGE_ROWS,
            token=token,
            filters=self.filters,
            sort_by={"key": self.sort, "direction": "DESCENDING" if self.falling else "ASCENDING"},
        )
        return await self.client.call(self.client.admin.ListExecutions, request)


def follow(fresh: Sequence[Any], known: Sequence[Any], sort: str, *, falling: bool) -> list[Any]:
    """Return those rows that were known and come behind the first page as it is now. Pure."""
    there = {one.id.name for one in fresh}
    last = _key(fresh[-1], sort)
    return [
        one
        for one in known
        if one.id.name not in there and (_key(one, sort) <= last if falling else _key(one, sort) >= last)
    ]


def _key(one: Any, sort: str) -> int:
    value = getattr(one.closure, sort)
    return int(value.seconds * 10**9 + value.nanos)
