from rich.console import Console

from dayfly.base.clock import SECOND, Micros
from dayfly.cli import tree
from dayfly.client.watching import AttemptView, ErrorView, NodeView, Snapshot
from dayfly.model.identifiers import ExecutionId, NodeId
from dayfly.model.phases import AttemptPhase, ExecutionPhase, NodePhase

START = Micros(1_700_000_000 * SECOND)


def attempt(phase: AttemptPhase, *, reason: str = "", number: int = 0, info: dict | None = None) -> AttemptView:
    return AttemptView(number, phase, "flights.prepare", START, START, None, reason, (), (), None, info or {})


def node(phase: NodePhase, *attempts: AttemptView, error: ErrorView | None = None) -> NodeView:
    return NodeView(NodeId("n0"), "n0", phase, START, START, None, error, attempts)


def test_a_dask_task_shows_workers_and_tasks() -> None:
    info = {"dask": {"workers": 3.0, "wanted": 4.0, "tasksDone": 7.0, "tasksTotal": 62.0}}
    running = node(NodePhase.RUNNING, attempt(AttemptPhase.RUNNING, info=info))
    assert tree.detail(running) == "3/4 workers · 7/62 Dask tasks"


def test_what_it_waits_for_and_which_attempt_it_is() -> None:
    waiting = node(NodePhase.QUEUED, attempt(AttemptPhase.WAITING_FOR_RESOURCES, reason="waiting for 2 CPUs", number=1))
    assert tree.detail(waiting) == "attempt 2 · waiting for 2 CPUs"


def test_an_error_is_its_first_line() -> None:
    error = ErrorView("USER:ValueError", "ValueError: no\n\nTraceback\n  ...\nValueError: no\n", "USER")
    assert tree.detail(node(NodePhase.FAILED, attempt(AttemptPhase.FAILED), error=error)) == (
        "USER:ValueError: ValueError: no"
    )


def test_the_tree_names_phase_time_and_execution() -> None:
    seen = Snapshot(
        ExecutionId("p", "d", "x"),
        ExecutionPhase.RUNNING,
        "flights.delays",
        "v1",
        START,
        START,
        None,
        None,
        "",
        (node(NodePhase.RUNNING, attempt(AttemptPhase.RUNNING)),),
    )
    console = Console(width=100, record=True, file=None, force_terminal=False)
    with console.capture() as captured:
        console.print(tree.render(seen, Micros(START + 2 * SECOND)))
    text = captured.get()
    assert "flights.delays RUNNING  2.0 s" in text
    assert "└─ prepare" in text
