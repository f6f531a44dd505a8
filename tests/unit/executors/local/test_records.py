from pathlib import Path

import pytest

from dayfly.base.clock import Micros
from dayfly.executors.local import log_files, records
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.process_groups import GroupReport, GroupSpec, Preload, Role


def make_spec(key: str, data: Path) -> GroupSpec:
    roles = (Role("driver", "argv", argv=("true",), main=True),)
    return GroupSpec(key, Preload("python", ("a",)), roles, str(data / "work"), str(data / "logs"))


def test_kept_and_read_back(tmp_path: Path) -> None:
    record = records.Record(tmp_path, "p/d/e/n0/0")
    assert (record.find_spec(), record.find_started(), record.find_end()) == (None, None, None)
    spec = make_spec("p/d/e/n0/0", tmp_path)
    record.write_spec(spec)
    assert record.find_spec() == spec
    assert record.claim()
    assert not record.claim()
    started = record.find_started()
    assert started is not None
    assert not started.alive
    record.remove()
    assert list(tmp_path.iterdir()) == []
    record.remove()


def test_the_first_end_counts(tmp_path: Path) -> None:
    record = records.Record(tmp_path, "k")
    record.write_spec(make_spec("k", tmp_path))
    first = GroupReport("k", Micros(1), "ended", end="exited", exit_code=0)
    assert record.write_end(first) == first
    assert record.write_end(GroupReport("k", Micros(2), "ended", end="lost")) == first
    assert record.find_end() == first


@pytest.mark.parametrize("other", ["p/d~e", "p~d/e", "p d e", "p/d/é", "x" * 400, "x" * 401])
def test_different_keys_have_different_folders(tmp_path: Path, other: str) -> None:
    folder = records.Record(tmp_path, other).folder
    assert folder != records.Record(tmp_path, "p/d/e").folder
    assert folder.parent == tmp_path
    assert len(folder.name) <= records.MAX_NAME
    assert folder != records.Record(tmp_path, other + "/").folder


def test_log_tails(tmp_path: Path) -> None:
    key = AttemptKey("p/d/e/n0/0")
    log = log_files.path_for(tmp_path, key, "driver")
    assert log == tmp_path / "logs/p/d/e/n0/0/driver.log"
    assert log_files.tail(log) == ""
    log.parent.mkdir(parents=True)
    log.write_bytes(b"\xff" + b"x" * 50_000 + b"\n" + b"".join(b"line %d\n" % number for number in range(30)))
    assert log_files.tail(log).splitlines() == [f"line {number}" for number in range(10, 30)]
    assert log_files.tail(Path("/proc/none/driver.log")) == (
        "The disk of /proc is full (0 bytes left): free some space on it."
    )
    assert log_files.uri_for("http://h/", key, "worker 0") == "http://h/api/dayfly/v1/logs/p/d/e/n0/0/worker%200"
