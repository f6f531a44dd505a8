from __future__ import annotations

from pathlib import Path

import pytest

from dayfly.base.errors import IllegalMove
from dayfly.engine import drawing, moves
from dayfly.engine.drafting import Draft
from dayfly.model import phases
from dayfly.model.run import RunState
from tests.property.arbitrary import plan_of

PAGE = Path(__file__).parents[3] / "docs" / "state-machines.md"


def test_the_page_is_in_step_with_the_tables() -> None:
    assert PAGE.read_text() == drawing.build_page(), f"write the page anew: {drawing.__doc__}"


@pytest.mark.parametrize(
    ("table", "ends"),
    [
        (moves.EXECUTION_MOVES, phases.TERMINAL_EXECUTION),
        (moves.NODE_MOVES, phases.TERMINAL_NODE),
        (moves.ATTEMPT_MOVES, phases.TERMINAL_ATTEMPT),
    ],
)
def test_nothing_leads_out_of_an_end_and_every_phase_leads_to_one(table: moves.Table, ends: frozenset) -> None:
    for before, afters in table.items():
        assert afters <= table.keys(), f"{before.name} leads to a phase without a line of its own"
        assert bool(afters) == (before not in ends)
        assert _reachable(table, before) & ends


def test_an_illegal_move_raises_with_its_story() -> None:
    draft = Draft(plan_of(), {}, RunState(recent=("Launched", "OutputsWritten")), at=0)
    with pytest.raises(IllegalMove) as raised:
        draft.move(phases.ExecutionPhase.SUCCEEDED)
    assert raised.value.story == ("Launched", "OutputsWritten")
    assert str(raised.value) == (
        "execution cannot go from UNDEFINED to SUCCEEDED; last events: Launched; OutputsWritten"
    )


def _reachable(table: moves.Table, first: object) -> set:
    found, todo = {first}, [first]
    while todo:
        for after in table[todo.pop()] - found:
            found.add(after)
            todo.append(after)
    return found
