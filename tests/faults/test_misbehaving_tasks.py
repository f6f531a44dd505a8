"""Tasks that misbehave, for real: each comes to a clear end, the platform goes on, and nothing of them is left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "misbehaving.py"
MAX_LOG_BYTES = 2 * 2**20

WELL = [
    ("prints_much", "printed"),
    ("loses_its_folder", "went on"),
    ("goes_elsewhere", "went on"),
    ("leaves_daemons", "left them"),
    ("kills_its_supervisor", "once more"),
]

BADLY = [
    # task, code, what the error says
    ("prints_much_and_leaves", "RetriesExhausted|Interrupted", ("exit code 3", "the very last line")),
    ("fills_the_disk", "USER:RuntimeError", ("No space left on device", "Free some space")),
    ("crashes", "RetriesExhausted|Interrupted", ("killed by SIGSEGV (11)",)),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_HOST__MAX_LOG_BYTES", str(MAX_LOG_BYTES))
        patch.setenv("DAYFLY_HOST__GRACE_SECONDS", "0.5")
        running = Server(tmp_path_factory.mktemp("misbehaving") / "data").start()
    with running:
        done = running.pyflyte("register", "--version", launching.VERSION, PROGRAM, cwd=PROGRAM.parent)
        assert done.returncode == 0, done.stdout + done.stderr
        yield running


@pytest.fixture(scope="module")
def launched(server: Server, tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExecutionId]:
    """All at once: they wait for room, not for each other."""
    folder = tmp_path_factory.mktemp("theirs")
    return {name: launch(server, name, folder) for name in [one[0] for one in [*WELL, *BADLY]]}


def launch(server: Server, name: str, folder: Path) -> ExecutionId:
    return launching.launch_task(server, f"misbehaving.{name}", folder=str(folder))


def logs_of(server: Server, execution: ExecutionId) -> list[Path]:
    return sorted((server.folder / "logs" / str(execution)).rglob("driver.log"))


@pytest.mark.parametrize(("name", "gives"), WELL, ids=[one[0] for one in WELL])
def test_it_ends_well(server: Server, launched: dict[str, ExecutionId], name: str, gives: str) -> None:
    ended, outputs = launching.wait(server, launched[name])
    assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
    assert outputs == {"o0": gives}


@pytest.mark.parametrize(("name", "code", "said"), BADLY, ids=[one[0] for one in BADLY])
def test_its_end_is_clear(
    server: Server, launched: dict[str, ExecutionId], name: str, code: str, said: tuple[str, ...]
) -> None:
    ended, _ = launching.wait(server, launched[name])
    assert ended.error is not None, ended
    assert ended.error.code == code
    for words in said:
        assert words in ended.error.message


@pytest.mark.parametrize("name", ["prints_much", "prints_much_and_leaves"])
def test_a_log_keeps_its_limit_and_says_so(server: Server, launched: dict[str, ExecutionId], name: str) -> None:
    launching.wait(server, launched[name])
    for log in logs_of(server, launched[name]):
        launching.wait_until(lambda log=log: log.stat().st_blocks * 512 <= MAX_LOG_BYTES, "the log's middle to go")
    uri = f"http://{server.address}/api/dayfly/v1/logs/{launched[name]}"
    node = logs_of(server, launched[name])[0].parts[-3]
    text = requests.get(f"{uri}/{node}/0/driver", timeout=30).text
    assert "[This log has outgrown 2 MiB: what comes here is left out." in text
    assert text.endswith("the very last line\n")
    assert len(text) <= MAX_LOG_BYTES


@pytest.mark.parametrize("name", ["ignores_the_end", "closes_everything"])
def test_one_that_does_not_end_by_itself_is_killed(server: Server, tmp_path: Path, name: str) -> None:
    execution = launch(server, name, tmp_path)
    launching.wait_until((tmp_path / "begun").exists, "the task to begin")
    launching.abort(server, execution, "enough")
    ended, _ = launching.wait(server, execution)
    assert (ended.phase, ended.abort_cause) == (ExecutionPhase.ABORTED, "enough")


def test_nothing_is_left(server: Server, launched: dict[str, ExecutionId]) -> None:
    for execution in launched.values():
        launching.wait(server, execution)
    for folder in ("run/groups", "run/work"):
        place = server.folder / folder
        launching.wait_until(
            lambda place=place: not (place.exists() and list(place.iterdir())), f"{folder} to be empty"
        )
    launching.wait_until(lambda: not [one for one in server.leftovers() if "sleep" in one], "the daemons to go")
