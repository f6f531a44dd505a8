"""Dask tasks that die for real, each in a way of its own: the cause that is told, whose fault it is, what is left."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests

from dayfly.model.identifiers import ExecutionId
from tests.platforms import launching
from tests.platforms.server import Server

PROGRAM = Path(__file__).parent / "programs" / "dying.py"

WAYS = [
    # task, way, code, attempts, what the sentence says
    (
        "on_worker",
        "bomb",
        "DaskWorkerOutOfMemory",
        1,
        ("ran out of memory while computing bomb-", "380 MiB", "4 workers"),
    ),
    ("on_worker", "leave", "DaskWorkersLost", 1, ("ended with exit code 7 while computing leave-", "os._exit")),
    ("on_worker", "crash", "DaskWorkersLost", 1, ("killed by SIGSEGV (11) (a crash in compiled code)", "crash-")),
    ("on_worker", "killed", "RetriesExhausted|DaskWorkersLost", 4, ("killed by SIGKILL (9)", "from outside")),
    ("on_worker", "import_missing", "DaskCannotImport", 1, ("cannot import 'no_such_module_at_all'", "worker-")),
    ("on_worker", "unpicklable", "DaskCannotPickle", 1, ("must be picklable", "type lock")),
    ("on_worker", "raising", "USER:RuntimeError", 1, ("raised ValueError('1 is not what was expected') on worker-",)),
    ("on_worker", "no_memory", "OOMKilled", 1, ("could not get the memory it asked for on worker-",)),
    ("on_worker", "no_disk", "RetriesExhausted|DaskDiskFull", 4, ("The disk is full on worker-", "no_disk-")),
    ("in_driver", "raise", "USER:RuntimeError", 1, ("the driver had enough",)),
    ("in_driver", "kill", "RetriesExhausted|Interrupted", 4, ("killed by SIGKILL (9)",)),
    ("in_driver", "exit", "RetriesExhausted|Interrupted", 4, ("exit code 3",)),
    ("in_driver", "unpicklable", "DaskCannotPickle", 1, ("Can't pickle local object",)),
    ("in_driver", "no such worker", "DaskNoWorkerFits", 1, ("wait for a worker with GPU=1, and none has that",)),
    ("in_driver", "scheduler", "RetriesExhausted|DaskSchedulerLost", 4, ("scheduler was killed by SIGKILL (9)",)),
    ("in_driver", "shut down", "RetriesExhausted|DaskConnectionLost", 4, ("lost its connection to the Dask cluster",)),
    ("in_driver", "data", "RetriesExhausted|DaskDataLost", 4, ("Worker worker-", "took scattered data along")),
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("dying") / "data") as server:
        registered = server.pyflyte("register", "--version", launching.VERSION, PROGRAM, cwd=PROGRAM.parent)
        assert registered.returncode == 0, registered.stdout + registered.stderr
        yield server


@pytest.fixture(scope="module")
def launched(server: Server) -> dict[tuple[str, str], ExecutionId]:
    """All at once: they wait for room, not for each other."""
    return {(task, way): launching.launch_task(server, f"dying.{task}", way=way) for task, way, *_ in WAYS}


@pytest.mark.parametrize(("task", "way", "code", "attempts", "told"), WAYS, ids=[f"{way[0]}-{way[1]}" for way in WAYS])
def test_the_cause_is_told(
    server: Server,
    launched: dict[tuple[str, str], ExecutionId],
    task: str,
    way: str,
    code: str,
    attempts: int,
    told: tuple[str, ...],
) -> None:
    ended, _ = launching.wait(server, launched[task, way])
    assert ended.error is not None, ended
    assert ended.error.code == code, ended.error
    for words in told:
        assert words in ended.error.message
    tries = [node for node in ended.nodes if node.attempts]
    assert [len(node.attempts) for node in tries] == [attempts]


def test_the_record_of_a_dead_cluster_tells_of_its_end(
    server: Server, launched: dict[tuple[str, str], ExecutionId]
) -> None:
    execution = launched["on_worker", "leave"]
    ended, _ = launching.wait(server, execution)
    (node,) = [node for node in ended.nodes if node.attempts]
    root = f"http://{server.address}/api/dayfly/v1/records/{execution}/{node.id}"

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

    told = requests.get(f"http://{server.address}/api/dayfly/v1/clusters/{execution}/{node.id}/0", timeout=30).json()
    assert told["diagnosis"]["code"] == ended.error.code == "DaskWorkersLost"
    assert told["diagnosis"]["sentence"].startswith("worker-")
    assert told["record"] == {name: value for name, value in record.items() if name != "idle_share"}
