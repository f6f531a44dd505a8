"""Clusters of pods whose making was never recorded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dayfly.base.clock import ManualClock
from dayfly.executors.dask.pods import provider
from dayfly.model.identifiers import AttemptKey

KEY = AttemptKey("p/d/x/n0/0")


class FakeGroups:
    def __init__(self) -> None:
        self.forgotten: list[tuple[str, bytes]] = []

    def listen(self, taker: Any) -> None:
        pass

    async def forget(self, key: str, handle: bytes) -> None:
        self.forgotten.append((key, handle))


async def test_without_a_handle_there_is_nothing_and_it_is_forgotten(tmp_path: Path) -> None:
    groups = FakeGroups()
    shape: Any = None
    clusters = provider.PodClusters(
        groups,  # type: ignore[arg-type]
        ManualClock(),
        shape,
        log_uri=lambda key, role: "",
        dashboard_uri=lambda key: "",
        report_uri=lambda key, name: f"http://report/{key}/{name}",
        log_folder=tmp_path,
    )
    assert await clusters.recover(KEY, b"") is None
    await clusters.forget(KEY, b"")
    assert groups.forgotten == [(KEY, b"")]
