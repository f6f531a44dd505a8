"""What a group that stands by makes of an order that comes too late, and what is kept of one that is taken over."""

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dayfly.executors.local import records
from dayfly.executors.local.forked import claims, standing


def supervising(folder: Path, **changes: Any) -> Any:
    spec = {name: str(folder) for name in ("working_dir", "temporary_dir", "log_dir")}
    return SimpleNamespace(spec=spec, record_dir=str(folder), ending={}, **changes)


@pytest.mark.parametrize("late", ["ending", "claimed", "taken over"])
def test_one_that_is_not_free_any_more_takes_nothing(tmp_path: Path, late: str) -> None:
    record = records.Record(tmp_path, "a")
    record.folder.mkdir()
    one = standing.Standing({"standing_seconds": 60.0} if late != "taken over" else {})
    supervisor = supervising(tmp_path)
    if late == "ending":
        supervisor.ending = {"end": "stopped"}
    if late == "claimed":
        assert record.claim()
    asked = {"log_dir": str(tmp_path / "logs")}
    one.adopt(supervisor, {"spec": asked, "record_dir": str(record.folder), "socket": "s"})
    assert claims.find_claimant(str(record.folder)) == (0 if late == "claimed" else None)
    assert supervisor.record_dir == str(tmp_path)


def test_a_group_that_is_taken_over_brings_its_folders_along(tmp_path: Path) -> None:
    record = records.Record(tmp_path / "groups", "a")
    record.folder.mkdir(parents=True)
    brought = [tmp_path / "work", tmp_path / "tmp"]
    for folder in brought:
        folder.mkdir()
    assert claims.claim(str(record.folder), "s", [str(folder) for folder in brought])
    assert not claims.claim(str(record.folder), "s", ["/other"])
    assert claims.find_claimant(str(record.folder)) == os.getpid()
    started = record.find_started()
    assert started is not None
    assert started.folders == tuple(str(folder) for folder in brought)
    record.remove()
    assert [folder.exists() for folder in (*brought, record.folder)] == [False, False, False]
