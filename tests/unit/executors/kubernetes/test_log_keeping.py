"""Logs that are followed home: over breaks, under a later platform, and past who takes lines out of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dayfly.base import errors
from dayfly.base.clock import Micros
from dayfly.executors.kubernetes import log_keeping
from dayfly.executors.kubernetes.log_keeping import LogKeeper
from dayfly.model.identifiers import AttemptKey

KEY = "p/d/e/n0/0"


class Kubelet:
    """Has lines by pod and container, each with its second; breaks off after so many of them, once for each."""

    def __init__(self) -> None:
        self.lines: dict[str, list[tuple[int, str]]] = {}
        self.breaks: list[int] = []
        self.asked: list[int] = []

    async def follow_log(self, namespace: str, pod: str, container: str, since: int = 0) -> AsyncIterator[bytes]:
        self.asked.append(since)
        if f"{pod}/{container}" not in self.lines:
            raise errors.NotFound("it is gone")
        told = [(at, text) for at, text in self.lines[f"{pod}/{container}"] if at >= since]
        until = self.breaks.pop(0) if self.breaks else len(told)
        for at, text in told[:until]:
            yield f"1970-01-01T00:{at // 60:02}:{at % 60:02}.000000000Z {text}".encode()
        if until < len(told):
            raise errors.ExecutorUnavailable("the connection broke")


def pod(role: str = "worker-0", restarts: int = 0, **containers: dict[str, Any]) -> dict[str, Any]:
    statuses = [{"name": name, "restartCount": restarts, "state": state} for name, state in containers.items()]
    return {
        "metadata": {
            "name": f"x-{role}",
            "namespace": "n",
            "uid": f"u-{role}",
            "labels": {"dayfly.dev/role": role},
            "annotations": {"primary_container_name": "main"},
        },
        "spec": {"containers": [{"name": name} for name in containers]},
        "status": {"containerStatuses": statuses},
    }


RUNNING: dict[str, Any] = {"running": {}}

ENDED: dict[str, Any] = {"terminated": {}}


@pytest.fixture
def kubelet(monkeypatch: pytest.MonkeyPatch) -> Kubelet:
    monkeypatch.setattr(log_keeping, "PAUSE_SECONDS", 0.0)
    return Kubelet()


def keeper(kubelet: Kubelet, folder: Path) -> LogKeeper:
    return LogKeeper(kubelet, lambda key: folder / key, 0)  # type: ignore[arg-type]


async def bring(kept: LogKeeper, *pods: dict[str, Any]) -> None:
    for one in pods:
        kept.look(KEY, one)
    await kept.wait(KEY, 10)


async def test_a_log_that_breaks_off_goes_on(kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.lines["x-worker-0/main"] = [(at, f"line {at}") for at in range(100, 106)]
    kubelet.breaks = [3, 2]
    kept = keeper(kubelet, tmp_path)
    await bring(kept, pod(main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text().split("\n")[:-1] == [f"line {at}" for at in range(100, 106)]
    assert kubelet.asked == [0, 102, 103]
    await kept.close()


async def test_a_later_platform_brings_nothing_twice_and_shows_a_little_again(kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.lines["x-worker-0/main"] = [(at, f"line {at}") for at in range(100, 150)]
    first = keeper(kubelet, tmp_path)
    await bring(first, pod(main=ENDED))
    await first.close()
    # The kubelet has rotated away what came first.
    kubelet.lines["x-worker-0/main"] = [(at, f"line {at}") for at in range(120, 160)]
    shown: list[bytes] = []

    def take(key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        shown.append(line)
        return line

    second = keeper(kubelet, tmp_path)
    second.taker = take
    await bring(second, pod(main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text().split("\n")[:-1] == [f"line {at}" for at in range(100, 160)]
    assert (shown[0], shown[-1]) == (b"line 134", b"line 159")
    await second.close()


async def test_no_line_is_missing_where_clocks_are_set(kubelet: Kubelet, tmp_path: Path) -> None:
    said = [(100, "a"), (100, "b"), (50, "c"), (51, "d"), (101, "e"), (101, "f")]
    kubelet.lines["x-worker-0/main"] = said
    kept = keeper(kubelet, tmp_path)
    await bring(kept, pod(main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text().split() == ["a", "b", "c", "d", "e", "f"]
    await kept.close()


async def test_what_the_kubelet_says_itself_is_none_of_the_containers_words(kubelet: Kubelet, tmp_path: Path) -> None:
    async def follow_log(*_: object) -> AsyncIterator[bytes]:
        yield b"1970-01-01T00:00:02.5Z its own"
        yield b"rpc error: code = NotFound desc = an error occurred when try to find container"

    kubelet.follow_log = follow_log  # type: ignore[assignment]
    kept = keeper(kubelet, tmp_path)
    await bring(kept, pod(main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text() == "its own\n"
    await kept.close()


async def test_a_container_that_is_started_again_writes_on(kubelet: Kubelet, tmp_path: Path) -> None:
    kept = keeper(kubelet, tmp_path)
    kubelet.lines["x-worker-0/main"] = [(100, "first")]
    await bring(kept, pod(main=ENDED))
    kubelet.lines["x-worker-0/main"] = [(101, "second")]
    await bring(kept, pod(restarts=1, main=ENDED), pod(restarts=1, main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text() == "first\nsecond\n"
    await kept.close()


async def test_lines_are_shown_of_primary_containers_alone(kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.lines["x-worker-0/main"] = [(100, "keep"), (101, "take"), (102, "change")]
    kubelet.lines["x-worker-0/side"] = [(100, "take")]
    kept = keeper(kubelet, tmp_path)
    shown: list[tuple[str, str, bytes, int]] = []

    def take(key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        shown.append((key, role, line, at))
        return None if line == b"take" else line.replace(b"change", b"changed")

    kept.taker = take
    await bring(kept, pod(main=ENDED, side={"terminated": {}}, later={"waiting": {}}))
    assert shown == [
        (KEY, "worker-0", text, at) for text, at in ((b"keep", 100e6), (b"take", 101e6), (b"change", 102e6))
    ]
    assert (tmp_path / KEY / "worker-0.log").read_text() == "keep\nchanged\n"
    assert (tmp_path / KEY / "worker-0.side.log").read_text() == "take\n"
    assert kept.tail(KEY, "worker-0") == "keep\nchanged"
    await kept.close()


async def test_a_full_disk_stops_nobody(kubelet: Kubelet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kubelet.lines["x-worker-0/main"] = [(at, f"line {at}") for at in range(100, 103)]
    kept = keeper(kubelet, tmp_path)
    shown: list[bytes] = []

    def take(key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        shown.append(line)
        return line

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    kept.taker = take
    monkeypatch.setattr(log_keeping.log_writing.TimedLog, "add", full)
    await asyncio.wait_for(bring(kept, pod(main=ENDED)), 10)
    assert len(shown) == 3
    await kept.close()


@pytest.mark.parametrize(
    "over",
    [
        pod(main=ENDED),
        pod(restarts=1, main={"waiting": {}}),
        pod() | {"status": {"phase": "Failed"}},
        pod() | {"metadata": {**pod()["metadata"], "uid": "another"}},
        None,
    ],
)
async def test_a_log_that_ends_before_its_container_goes_on(
    kubelet: Kubelet, tmp_path: Path, over: dict[str, Any] | None
) -> None:
    kept = keeper(kubelet, tmp_path)
    answers = [["its own", "100 a", "101 b"], ["its own", "101 b"], ["101 b", "102 c"]]

    async def follow_log(namespace: str, pod: str, container: str, since: int = 0) -> AsyncIterator[bytes]:
        kubelet.asked.append(since)
        for line in answers.pop(0):
            yield f"1970-01-01T00:01:{int(line[:3]) - 60}Z {line[4:]}".encode() if line[0] == "1" else line.encode()
        if answers:
            return
        if over is None:
            kept.tell_gone(KEY, "x-worker-0")
        else:
            kept.look(KEY, over)

    kubelet.follow_log = follow_log  # type: ignore[method-assign]
    kept.look(KEY, pod(main=RUNNING))
    await asyncio.wait_for(kept.wait(KEY, 10), 10)
    assert (tmp_path / KEY / "worker-0.log").read_text() == "its own\na\nb\nc\n"
    assert (kubelet.asked, answers) == ([0, 101, 101], [])
    await kept.close()


async def test_an_end_that_is_seen_late_is_waited_for(
    kubelet: Kubelet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_keeping, "PAUSE_SECONDS", 1000.0)
    kubelet.lines["x-worker-0/main"] = [(100, "a")]
    kept = keeper(kubelet, tmp_path)
    kept.look(KEY, pod(main=RUNNING))
    await asyncio.sleep(0)
    kept.look(KEY, pod(main=ENDED))
    await asyncio.wait_for(kept.wait(KEY, 10), 10)
    assert kubelet.asked == [0]
    await kept.close()


async def test_who_cannot_take_a_line_stops_no_log(kubelet: Kubelet, tmp_path: Path) -> None:
    kubelet.lines["x-worker-0/main"] = [(at, f"line {at}") for at in range(100, 103)]
    kept = keeper(kubelet, tmp_path)

    def take(key: AttemptKey, role: str, line: bytes, at: Micros) -> bytes | None:
        if line == b"line 101":
            raise TypeError("nobody has foreseen this")
        return line

    kept.taker = take
    await bring(kept, pod(main=ENDED))
    assert (tmp_path / KEY / "worker-0.log").read_text() == "line 100\nline 101\nline 102\n"
    await kept.close()
