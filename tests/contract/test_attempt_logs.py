"""What every `AttemptLogs` does: files of this host, and the fake."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dayfly.base import errors
from dayfly.executors.local import log_reading
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.attempt_logs import AttemptLogs
from tests.fakes.attempt_logs import MemoryLogs

KEY = AttemptKey("p/d/e/n0/0")


class Written:
    """A place for logs, and the way to write there."""

    def __init__(self, logs: AttemptLogs, write: Callable[[str, bytes], None]) -> None:
        self.logs, self.write = logs, write


@pytest.fixture(params=["files", "memory"])
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Written:
    if request.param == "memory":
        memory = MemoryLogs()
        return Written(memory, lambda role, data: memory.write(KEY, role, data))

    def write(role: str, data: bytes) -> None:
        file = tmp_path / KEY / f"{role}.log"
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("ab") as opened:
            opened.write(data)

    return Written(log_reading.LogFolder(tmp_path), write)


async def test_logs_are_listed_by_role_and_number(here: Written) -> None:
    assert await here.logs.list_files(KEY) == []
    for role in ("worker-10", "scheduler", "worker-2", "driver"):
        here.write(role, role.encode())
    files = await here.logs.list_files(KEY)
    assert [file.role for file in files] == ["driver", "scheduler", "worker-2", "worker-10"]
    assert [file.size_bytes for file in files] == [6, 9, 8, 9]
    assert all(file.changed_at > 0 for file in files)


async def test_ranges(here: Written) -> None:
    here.write("driver", b"0123456789")
    for start, limit, data in ((0, 4, b"0123"), (8, 4, b"89"), (10, 4, b""), (99, 4, b"")):
        piece = await here.logs.read(KEY, "driver", start, limit)
        assert (piece.start, piece.data, piece.size_bytes) == (start, data, 10)
    here.write("driver", b"ab")
    assert (await here.logs.read(KEY, "driver", 10, 4)).data == b"ab"


async def test_what_is_not_there(here: Written) -> None:
    here.write("driver", b"x")
    with pytest.raises(errors.NotFound, match="worker-9"):
        await here.logs.read(KEY, "worker-9", 0, 1)
    with pytest.raises(errors.NotFound):
        await here.logs.read(AttemptKey("p/d/e/n0/7"), "driver", 0, 1)


async def test_files_outside_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "logs" / KEY).mkdir(parents=True)
    (tmp_path / "secret.log").write_text("secret")
    (tmp_path / "logs" / KEY / "sly.log").symlink_to(tmp_path / "secret.log")
    logs = log_reading.LogFolder(tmp_path / "logs")
    assert await logs.list_files(KEY) == []
    for key, role in ((KEY, "sly"), (KEY, "../../../../../../secret"), (AttemptKey("../a/../b/.."), "secret")):
        with pytest.raises(errors.NotFound):
            await logs.read(key, role, 0, 10)
