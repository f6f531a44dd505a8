"""What a scheduler in a pod notes beside what one of one host does; and what nannies hear of their workers."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import versions
from distributed.core import Status

from dayfly.executors.dask.roles import carried, relaying, relaying_nanny, telling


class Noted:
    """A recorder that keeps what others note."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []

    def note(self, kind: str, **told: Any) -> None:
        self.notes.append({"kind": kind, **told})


class Told(telling.Teller):
    """A teller that keeps what it is to tell."""

    def __init__(self) -> None:
        self.told: list[Any] = []

    def tell(self, kind: str, make: Any) -> bool:
        self.told.append(json.loads(make()))
        return True


def scheduler(**dask: str) -> SimpleNamespace:
    """Return one whose client has other versions of these packages."""
    packages = {**versions.get_versions()["packages"], **dask}
    client = SimpleNamespace(versions={"packages": packages})
    return SimpleNamespace(clients=dict.fromkeys(("Client-1", "Client-2", "Client-worker-3"), client))


def test_a_driver_of_other_versions_is_noted_once() -> None:
    recorder, began = Noted(), list[str]()
    settling = SimpleNamespace(begin=lambda: began.append("the driver is there"))
    clients = relaying.Clients(recorder, settling)  # type: ignore[arg-type]
    clients.add_client(scheduler(dask="1999.1.0"), "Client-worker-3")
    assert began == []
    clients.add_client(scheduler(), "Client-1")
    assert began == ["the driver is there"]
    assert recorder.notes == [], "workers are told of by the recorder itself"
    for client in ("Client-1", "Client-2"):
        clients.add_client(scheduler(dask="1999.1.0"), client)
    (note,) = recorder.notes
    assert (note["kind"], note["worker"], note["differ"]["dask"][0]) == ("versions-differ", "driver", "1999.1.0")


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[relaying_nanny.Deaths, Told, Path]:
    counter = tmp_path / "memory.events"
    counter.write_text("low 0\noom 3\noom_kill 2\n")
    counters = (str(tmp_path / "missing"), str(counter))
    count = relaying_nanny.count_killed
    monkeypatch.setattr(relaying_nanny, "count_killed", lambda: count(counters))
    told = Told()
    return relaying_nanny.Deaths(told), told, counter


def log(deaths: relaying_nanny.Deaths, text: str) -> None:
    deaths.handle(logging.LogRecord("distributed.nanny", logging.INFO, "", 0, text, (), None))


def ends(told: Told) -> list[tuple[int, bool]]:
    return [(end["exit_code"], end["out_of_memory"]) for end in told.told[-1]["deaths"]]


def test_why_a_process_has_ended(heard: tuple[relaying_nanny.Deaths, Told, Path]) -> None:
    deaths, told, counter = heard
    log(deaths, "Start Nanny at: 'tcp://127.0.0.1:1'")
    assert told.told == []
    log(deaths, "Worker process 11 was killed by signal 9")
    counter.write_text("low 0\noom 4\noom_kill 3\n")
    log(deaths, "Worker process 12 was killed by signal 9")
    log(deaths, "Worker tcp://x (pid=13) exceeded 95% memory budget. Restarting...")
    log(deaths, "Worker process 13 was killed by signal 15")
    log(deaths, "Worker process 14 exited with status 7")
    log(deaths, "Worker process 15 was killed by unknown signal")
    assert ends(told) == [(-9, False), (-9, True), (-15, True), (7, False), (255, False)]
    assert told.told[-1]["ended"] == 5


def test_what_a_nanny_does_itself_is_no_death(heard: tuple[relaying_nanny.Deaths, Told, Path]) -> None:
    deaths, told, _ = heard

    def nanny(status: Status, process: Status) -> SimpleNamespace:
        return SimpleNamespace(status=status, process=SimpleNamespace(status=process, process=SimpleNamespace(pid=11)))

    for status, process in (
        (Status.closing, Status.running),
        (Status.closing_gracefully, Status.running),
        (Status.running, Status.stopping),
    ):
        deaths.nannies = [SimpleNamespace(process=None), nanny(status, process)]
        log(deaths, "Worker process 11 was killed by signal 15")
    assert told.told == []
    deaths.nannies = [nanny(Status.running, Status.running)]
    log(deaths, "Worker process 11 was killed by signal 15")
    assert ends(told) == [(-15, False)]


@pytest.mark.parametrize(
    ("preload", "words", "loaded", "given"),
    [
        ([], [], [carried.TEXT], []),
        (["a", "b"], ["--x"], ["a", "b", carried.TEXT], ["--x"]),
        ("a", None, ["a", carried.TEXT], None),
        (["a"], [["--x"]], ["a", carried.TEXT], [["--x"], []]),
    ],
)
def test_a_worker_loads_the_same_after_its_own(preload: Any, words: Any, loaded: Any, given: Any) -> None:
    nanny = SimpleNamespace(preload=preload, preload_argv=words)
    relaying_nanny._have_loaded(nanny)
    assert (nanny.preload, nanny.preload_argv) == (loaded, given)


def test_of_many_deaths_the_last_are_told(heard: tuple[relaying_nanny.Deaths, Told, Path]) -> None:
    deaths, told, _ = heard
    for number in range(30):
        log(deaths, f"Worker process {number} exited with status {number + 1}")
    assert told.told[-1]["ended"] == 30
    assert [code for code, _ in ends(told)] == list(range(11, 31))


def test_where_the_kernel_does_not_count_nothing_is_known(tmp_path: Path) -> None:
    assert relaying_nanny.count_killed((str(tmp_path / "missing"),)) == 0
    (tmp_path / "odd").write_text("oom_kill_disable 0\nunder_oom 0\n")
    assert relaying_nanny.count_killed((str(tmp_path / "odd"),)) == 0
