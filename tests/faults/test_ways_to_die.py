"""Dask tasks that die for real, each in a way of its own: what is told, whose fault it is, what follows, what is left.

`DAYFLY_WRITE_DOCS=1 pytest tests/faults/test_ways_to_die.py` writes the table of docs/ways-to-die.md anew.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import threading
import time
import venv
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from dayfly.client import connecting
from dayfly.client.watching import AttemptView, Snapshot
from dayfly.executors.local import leftovers, records
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey, ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase
from tests.faults import ways, ways_page
from tests.faults.ways import Way
from tests.platforms import launching
from tests.platforms.server import Server

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "ways-to-die.md"
PROGRAMS = Path(__file__).parent / "programs"
SYSTEM_RETRIES = 1
AT_ONCE_CPUS = 4
"""Each of these clusters counts as one. They run side by side, since much of their time is waiting."""
MEASURES = bool(os.environ.get("DAYFLY_WRITE_DOCS"))
"""Whether the page is written anew: then they run one after the other, which takes three minutes."""
ABORTED = "dying_clusters.is_aborted"
WITH_OLD_ENVIRONMENT = "dying_clusters.worker_with_another_dask"

old_environment = pytest.mark.skipif(
    not ((ROOT / ".venv-old" / "installed").exists() and list(ROOT.glob(".venv-old/lib/*/site-packages/distributed"))),
    reason="there is no environment with an older dask: `make old-client` makes it",
)


class Dying:
    """A server on which all ways are under way, and what a client sees of them."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server = server
        self.launched: dict[str, ExecutionId] = {}
        self.told_at: dict[str, float] = {}
        """By the execution's name: when a client first saw that it had ended."""
        self.seen: dict[str, ways_page.Seen] = {}
        self._marks = folder
        self._over = threading.Event()
        self._watching = threading.Thread(target=lambda: asyncio.run(self._watch()))

    def __enter__(self) -> Dying:
        self._watching.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watching.join()

    def launch(self, way: Way) -> None:
        name, _, told = way.task.partition(":")
        self.marks(way).mkdir()
        inputs = {"folder": str(self.marks(way))} | ({"way": told} if told else {})
        self.launched[way.task] = launching.launch_task(self.server, name, **inputs)

    def end(self, way: Way) -> Snapshot:
        """Return how it ended; launch it now if it was not before."""
        if way.task not in self.launched:
            self.launch(way)
        execution = self.launched[way.task]
        if way.task == ABORTED and execution.name not in self.told_at:
            launching.wait_until((self.marks(way) / "begun").exists, "the task to begin")
            (self.marks(way) / "0").touch()
            launching.abort(self.server, execution, "enough of it")
        ended, _ = launching.wait(self.server, execution)
        launching.wait_until(lambda: execution.name in self.told_at, "the end to be seen")
        return ended

    def marks(self, way: Way) -> Path:
        return self._marks / way.task.replace(":", "-")

    def seconds(self, way: Way, attempt: AttemptView, key: AttemptKey) -> float:
        """Return how long it took to tell the end: from where the task says that what is fatal begins, else from where
        the cluster did, else from the attempt's own beginning."""
        mark, log = self.marks(way) / str(attempt.number), self.server.folder / "logs" / key / "scheduler.log"
        if mark.exists():
            began = mark.stat().st_mtime
        elif log.exists():
            began = time.mktime(time.strptime(log.read_text()[:19], "%Y-%m-%d %H:%M:%S"))
        else:
            assert attempt.created_at is not None
            began = attempt.created_at / 1e6
        return self.told_at[self.launched[way.task].name] - began

    def wait_until_nothing_is_left(self, key: AttemptKey) -> tuple[str, ...]:
        """Return which processes, ports and folders of an attempt are left when they no longer go, logs apart."""
        data = self.server.folder
        record = records.Record(data / "run" / "groups", key)
        folders = (str(record.folder), record.temporary_dir, str(data / "run" / "work" / key.replace("/", ".")))
        deadline = time.monotonic() + 20
        while left := leftovers.describe(0, folders, (str(data / "logs" / key),)):
            if time.monotonic() > deadline:
                break
            time.sleep(0.1)
        return tuple(left)

    async def _watch(self) -> None:
        async with connecting.open(self.server.address) as client:
            while not self._over.is_set():
                for one in await client.list_executions(launching.PROJECT, launching.DOMAIN, limit=100):
                    if ExecutionPhase(one.closure.phase) in TERMINAL_EXECUTION:
                        self.told_at.setdefault(one.id.name, time.time())
                await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def dying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dying]:
    folder = tmp_path_factory.mktemp("dying")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_ENGINE__SYSTEM_RETRIES", str(SYSTEM_RETRIES))
        patch.setenv("DAYFLY_HOST__CPUS", str(AT_ONCE_CPUS))
        patch.setenv("DAYFLY_HOST__ENVIRONMENTS", json.dumps({"*/older-dask:*": other_environment(folder / "other")}))
        server = Server(folder / "data").start()
    (folder / "marks").mkdir()
    with server, Dying(server, folder / "marks") as dying:
        programs = [PROGRAMS / name for name in ("dying.py", "dying_clusters.py", "death_marks.py")]
        done = server.pyflyte("register", "--version", launching.VERSION, *programs, cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        for way in () if MEASURES else ways.WAYS:  # all at once: they wait for room, not for each other
            dying.launch(way)
        yield dying


def other_environment(folder: Path) -> str:
    """Make an environment that says of itself that it holds another dask; return its interpreter."""
    venv.create(folder, with_pip=False)
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    for name in ("dask", "distributed"):
        (packages / f"{name}-2024.4.2.dist-info").mkdir()
        told = f"Metadata-Version: 2.1\nName: {name}\nVersion: 2024.4.2\n"
        (packages / f"{name}-2024.4.2.dist-info" / "METADATA").write_text(told)
    return str(folder / "bin" / "python")


@pytest.mark.parametrize(
    "way",
    [
        pytest.param(way, id=way.id, marks=[old_environment] if way.task == WITH_OLD_ENVIRONMENT else [])
        for way in ways.WAYS
    ],
)
def test_a_way_to_die(dying: Dying, way: Way) -> None:
    ended = dying.end(way)
    (node,) = [node for node in ended.nodes if node.attempts]
    assert node.error is not None and (ended.error is not None or way.task == ABORTED), ended
    last = node.attempts[-1]
    assert last.error is not None
    for words in way.said:
        assert words in last.error.message
    assert {(one.error.code, one.error.kind) for one in node.attempts if one.error} == {(way.code, way.kind)}

    exhausted = node.error.code == f"RetriesExhausted|{way.code}"
    assert exhausted or node.error.code == way.code
    assert exhausted == (way.again is not ways.NEVER), "whether another attempt may help"
    assert len(node.attempts) == (1 + SYSTEM_RETRIES if way.again is ways.BY_PLATFORM else 1)

    keys = [identifiers.attempt_key(dying.launched[way.task], node.id, one.number) for one in node.attempts]
    left = tuple(name for key in keys for name in dying.wait_until_nothing_is_left(key))
    assert left == ()
    dying.seen[way.id] = ways_page.Seen(last.error.message, dying.seconds(way, last, keys[-1]), left)


def test_the_record_of_a_dead_cluster_tells_of_its_end(dying: Dying) -> None:
    way = next(way for way in ways.WAYS if way.task == "dying.on_worker:leave")
    execution, ended = dying.launched[way.task], dying.end(way)
    (node,) = [node for node in ended.nodes if node.attempts]
    root = f"http://{dying.server.address}/api/dayfly/v1/records/{execution}/{node.id}"

    record = requests.get(f"{root}/0", timeout=30).json()
    gone = [event for event in record["events"] if event["kind"] == "remove-worker"]
    assert len(gone) >= 3
    assert all(event["processing"][0].startswith("leave-") for event in gone if event["processing"])
    assert any(event["kind"] == "task-erred" and "KilledWorker" in event["error"] for event in record["events"])
    assert {worker["name"].partition("-r")[0] for worker in record["workers"]} == {"worker-0", "worker-1"}
    assert record["ended_at"] >= record["began_at"] > 0

    frames = requests.get(f"{root}/0/frames", timeout=30).json()["frames"]
    assert frames
    assert requests.get(f"{root}/0/frames", params={"since": frames[-1]["t"]}, timeout=30).json() == {"frames": []}
    assert requests.get(f"{root}/7", timeout=30).status_code == 404
    assert requests.get(f"{root}/0/frames", params={"limit": 0}, timeout=30).status_code == 400
    assert requests.get(f"{root}/0".replace(execution.name, "%2e%2e"), timeout=30).status_code in (400, 404)

    told = requests.get(
        f"http://{dying.server.address}/api/dayfly/v1/clusters/{execution}/{node.id}/0", timeout=30
    ).json()
    assert told["diagnosis"]["code"] == way.code
    assert told["diagnosis"]["sentence"].startswith("worker-")
    assert told["record"] == {name: value for name, value in record.items() if name != "idle_share"}


def test_every_code_is_explained_and_made() -> None:
    section = (ROOT / "docs" / "dask.md").read_text().partition("## Why it died\n")[2].partition("\n## ")[0]
    explained = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
    assert explained == {way.code for way in ways.WAYS} - {"NodeAborted", "USER:RuntimeError"}


def test_the_page_tells_the_same(dying: Dying) -> None:
    """Last: with `DAYFLY_WRITE_DOCS` it writes what the others have seen. Seconds are measured, and differ."""
    if MEASURES:
        head = PAGE.read_text().partition(ways_page.BEGIN)[0]
        assert dying.seen.keys() == {way.id for way in ways.WAYS}, "the page needs all ways to have been made"
        made = ways_page.made(ways.WAYS, dying.seen)
        PAGE.write_text(head + ways_page.BEGIN + made)
    told = [(row[0], *row[2:5], row[6]) for row in ways_page.read(PAGE.read_text())]
    assert told == [(way.dies, f"`{way.code}`", way.kind.lower(), way.again, "nothing") for way in ways.WAYS]
