"""Draw the state machines from their tables: the page `docs/state-machines.md` is this and nothing else.

A test compares the two. To write the page anew:
`python -c "from dayfly.engine import drawing; print(drawing.build_page(), end='')" > docs/state-machines.md`
"""

from __future__ import annotations

from dayfly.engine import moves

_OPENING = """\
# State machines

Drawn from the tables in `src/dayfly/engine/moves.py`; a test fails when they differ. Phases carry Flyte's own names
and numbers. A move that is not drawn here cannot happen: events that would ask for one are late or repeated and change
nothing, and a rule of the engine that asks for one raises `IllegalMove` with the last events of the execution.
"""

_EXECUTION = """\
UNDEFINED is an execution that was created and not looked at yet. SUCCEEDING means that all nodes are done and the
outputs are being written; FAILING and ABORTING, that live attempts are being stopped: either lasts until none is left.
An abort is heard in every phase but the last ones. With the policy FAIL_AFTER_EXECUTABLE_NODES_COMPLETE an execution
stays RUNNING after a node failed, for as long as other nodes can.
"""

_NODE = """\
A node is UNDEFINED, and no client sees it, until everything it waits for has succeeded. It stays RUNNING while one
attempt follows another, and ends only when its last attempt has. TIMED_OUT is the deadline of the whole node; a
timeout of an attempt fails that attempt.
"""

_ATTEMPT = """\
The three ways of waiting may follow each other in any order. An attempt that was told to stop keeps its phase until
the world says that nothing of it is left: then it is FAILED if it was stopped for a timeout, ABORTED if for an abort
or for another node's failure. An attempt that succeeds while being stopped for a timeout has SUCCEEDED; while being
aborted, it is ABORTED all the same.
"""


def build_page() -> str:
    """Return the page, in Markdown with Mermaid diagrams."""
    sections = (
        _section("Execution", _EXECUTION, moves.EXECUTION_MOVES),
        _section("Node", _NODE, moves.NODE_MOVES),
        _section("Attempt", _ATTEMPT, moves.ATTEMPT_MOVES),
    )
    return "\n".join((_OPENING, *sections))


def _section(title: str, prose: str, table: moves.Table[moves.Phase]) -> str:
    first = next(iter(table))
    lines = [f"## {title}", "", prose, "```mermaid", "stateDiagram-v2", f"    [*] --> {first.name}"]
    for before, afters in table.items():
        lines += [f"    {before.name} --> {after.name}" for after in sorted(afters)]
        lines += [] if afters else [f"    {before.name} --> [*]"]
    return "\n".join([*lines, "```", ""])
