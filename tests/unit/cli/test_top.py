"""`dayfly top`: keys, what they change, and what is on the screen."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from rich.console import Console

from dayfly.base.clock import SECOND, Micros
from dayfly.cli import top_keys, top_views
from dayfly.cli.top_state import ClusterNow, Run, Seen, State, Wish
from dayfly.client.watching import ErrorView, NodeView, Snapshot
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import ExecutionPhase, NodePhase

NOW = Micros(1_700_000_000 * SECOND)
ENTRY = {
    "task": "flows.fit",
    "execution": "a",
    "figures": {"workers": 2, "wanted": 4, "tasks_done": 5, "tasks_total": 20, "memory_bytes": 300 << 20},
}


def id(name: str) -> ExecutionId:
    return ExecutionId("p", "d", name)


def run(name: str, phase: ExecutionPhase = ExecutionPhase.RUNNING, error: str = "") -> Run:
    return Run(
        id(name), phase, ".flytegen.flows.fit", Micros(NOW - 90 * SECOND), Micros(NOW - 60 * SECOND), None, error
    )


def listing(*names: str) -> State:
    return State(seen=Seen(NOW, [run(name) for name in names]))


def opened(phase: ExecutionPhase = ExecutionPhase.RUNNING, error: ErrorView | None = None) -> State:
    nodes = tuple(
        NodeView(NodeId(f"n{number}"), f"n{number}", NodePhase.RUNNING, NOW, NOW, None, None, ())
        for number in range(30)
    )
    seen = Snapshot(id("a"), phase, "flows.main", "v1", NOW, NOW, None, error, "", nodes)
    return State(seen=Seen(NOW, [run("a")], [], seen), open=id("a"))


def text(state: State, height: int = 0) -> str:
    console = Console(width=110, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(top_views.frame(state, place="p / d", now=NOW, height=height))
    return captured.get()


@pytest.mark.parametrize(
    ("sent", "keys", "rest"),
    [
        ("jk", ["down", "up"], ""),
        ("\x1b[A\x1b[Bq", ["up", "down", "q"], ""),
        ("\x1bOA", ["up"], ""),
        ("\x1b[6~", ["page down"], ""),
        ("\r", ["open"], ""),
        ("\x1b", [], "\x1b"),
        ("j\x1b[", ["down"], "\x1b["),
        ("\x1bj", ["back", "down"], ""),
        ("\x1b[1;5C\x00y", ["y"], ""),
        ("\x03", ["q"], ""),
    ],
)
def test_keys_of_a_terminal(sent: str, keys: list[str], rest: str) -> None:
    assert top_keys.split(sent) == (keys, rest)


async def test_an_arrow_in_pieces_is_an_arrow_and_an_escape_alone_is_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(top_keys, "ESCAPE_SECONDS", 0.001)
    pressed: asyncio.Queue[str] = asyncio.Queue()
    keyboard = top_keys.Keyboard(pressed.put_nowait)
    for piece in ("\x1b", "[", "A"):
        keyboard.feed(piece)
    assert await pressed.get() == "up"
    keyboard.feed("\x1b")
    assert await pressed.get() == "back"


def test_lines_are_walked_through_and_a_run_is_opened_and_left() -> None:
    state = listing("a", "b", "c")
    assert [state.press("down"), state.press("down"), state.press("down")] == [None, None, None]
    assert state.position() == 2
    assert state.press("up") is None
    assert state.press("open") == Wish.LOOK
    assert state.open == id("b")
    assert state.press("back") == Wish.LOOK
    assert state.open is None and state.position() == 1
    assert state.press("back") is None
    assert state.press("q") == Wish.QUIT


def test_what_is_chosen_stays_so_when_a_new_run_appears() -> None:
    state = listing("a", "b")
    state.press("down")
    state.seen = Seen(NOW, [run("new"), run("a"), run("b")])
    assert state.position() == 2


def test_nothing_is_aborted_without_a_second_word() -> None:
    state = listing("a", "b")
    state.press("down")
    assert state.press("a") is None
    assert state.asking == id("b")
    assert "Abort b?" in text(state, 20)
    assert state.press("j") is None
    assert (state.asking, state.note) == (None, "Nothing was aborted.")
    state.press("a")
    assert state.press("y") == Wish.ABORT


def test_what_has_ended_cannot_be_aborted() -> None:
    state = State(seen=Seen(NOW, [run("a", ExecutionPhase.SUCCEEDED)]))
    assert state.press("a") is None
    assert (state.asking, state.note) == (None, "a has ended already.")
    state = opened(ExecutionPhase.FAILED)
    state.press("a")
    assert state.asking is None
    for key in ("a", "open", "down"):
        assert State().press(key) is None


def test_runs_and_live_clusters() -> None:
    state = listing("a", "b")
    state.seen = replace(state.seen, clusters=[ENTRY])
    told = text(state)
    assert "p / d · 2 running" in told
    assert "running  a    flows.fit  1m30 ago  1m00" in told
    assert "flows.fit          a    2/4      300M    5/20   ████" in told
    assert "q quit" not in told and "q quit" in text(state, 20)
    assert "Nothing has run here yet." in text(State())


def test_of_many_runs_those_around_the_chosen_one_are_shown() -> None:
    state = listing(*(f"run-{number:03}" for number in range(200)))
    state.press("last")
    told = text(state, 20)
    assert "run-199" in told and "run-000" not in told
    assert len(told.splitlines()) <= 20
    assert list(top_views.window(5, 0, 10)) == [0, 1, 2, 3, 4]
    assert list(top_views.window(100, 50, 4)) == [48, 49, 50, 51]


def test_a_run_with_its_workers_and_progress() -> None:
    state = opened(error=ErrorView("X", "it \x1b[2J failed", "USER"))
    cluster = ClusterNow(ENTRY)
    row = {"memory": 900, "memory_limit": 1000, "spilled": 50, "cpu": 97, "running": 1, "waiting": 3}
    prefix = {"done": 3, "erred": 1, "processing": 2, "waiting": 4, "seconds": 9.0}
    cluster.take([{"t": 5.0, "workers": {"worker-0": row, "worker-1": row}, "prefixes": {"fit\x1b": prefix}}])
    state.seen = replace(state.seen, details=[cluster])
    told = text(state, 30)
    assert "900M/1.0G +50M on disk" in told
    assert "worker-0" in told and "97 %" in told and "1 running, 3 waiting" in told
    assert "3/10" in told and "1 failed" in told
    assert "\x1b" not in told
    assert len(told.splitlines()) <= 30


def test_a_worker_that_went_is_not_shown_unless_it_came_again() -> None:
    cluster = ClusterNow(ENTRY)
    cluster.take([{"t": 1.0, "workers": {"a": {}, "b": {}}}])
    gone = {"kind": "remove-worker", "worker": "a"}
    cluster.take([{"t": 2.0, "events": [gone]}])
    assert (list(cluster.workers), cluster.since) == (["b"], 2.0)
    cluster.take([{"t": 3.0, "workers": {"a": {}}, "events": [gone, {"kind": "add-worker", "worker": "a"}]}])
    assert list(cluster.workers) == ["b", "a"]


def test_spans_and_sizes() -> None:
    assert [top_views.span(one) for one in (-1, 3.21, 75, 7500)] == ["0.0 s", "3.2 s", "1m15", "2h05"]
    assert [top_views.size(one) for one in (12, 1536)] == ["12M", "1.5G"]
