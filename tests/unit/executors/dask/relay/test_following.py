"""News of clusters of pods, from their groups and from what their roles tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from dayfly.base import errors
from dayfly.base.clock import ManualClock, Micros
from dayfly.executors.dask.relay import following
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.pod_groups import PodGroupReport

KEY, OTHER = AttemptKey("p/d/e/n0/0"), AttemptKey("p/d/e/n1/0")


class Groups:
    """Groups of pods that report what a test says; None is their end."""

    def __init__(self) -> None:
        self.reports: asyncio.Queue[PodGroupReport | Exception | None] = asyncio.Queue()

    async def watch(self) -> AsyncIterator[PodGroupReport]:
        while (report := await self.reports.get()) is not None:
            if isinstance(report, Exception):
                raise report
            yield report


def report(key: AttemptKey = KEY, at: int = 5, *, ended: bool = False) -> PodGroupReport:
    return PodGroupReport(key, Micros(at), ended=ended)


async def test_what_a_role_tells_is_news_of_its_moment() -> None:
    groups, clock = Groups(), ManualClock()
    news = following.News(groups, clock)  # type: ignore[arg-type]
    watched = news.watch()
    news.note(OTHER)  # nothing is known of it yet
    groups.reports.put_nowait(report())
    assert await anext(watched) == report()
    news.note(KEY)
    news.note(KEY)
    assert await anext(watched) == msgspec.structs.replace(report(), at=clock.now())
    groups.reports.put_nowait(report(ended=True))
    end = await anext(watched)
    assert end.ended, "twice told is once told"
    assert end.at == clock.now() + 1, "though it was seen before"
    news.note(KEY)
    groups.reports.put_nowait(report(OTHER, 7))
    assert await anext(watched) == report(OTHER, 7), "what has ended is not told again"
    groups.reports.put_nowait(None)
    assert [one async for one in watched] == []


async def test_a_cluster_that_was_taken_back_has_news() -> None:
    groups = Groups()
    news = following.News(groups, ManualClock())  # type: ignore[arg-type]
    news.begin(report())
    news.note(KEY)
    watched = news.watch()
    assert (await anext(watched)).key == KEY
    news.forget(KEY)
    news.note(KEY)
    groups.reports.put_nowait(None)
    assert [one async for one in watched] == []


async def test_what_is_wrong_with_the_groups_is_raised() -> None:
    groups = Groups()
    groups.reports.put_nowait(errors.ExecutorUnavailable("no cluster"))
    with pytest.raises(errors.ExecutorUnavailable):
        await anext(following.News(groups, ManualClock()).watch())  # type: ignore[arg-type]
