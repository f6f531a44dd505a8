"""The tab of inputs and outputs of what still runs: drawn again where something changed, and there alone."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as phases_pb2
from flyteidl.core import interface_pb2, literals_pb2

from dayfly.console import markup
from dayfly.console.run import data, declared, picking
from dayfly.console.run.panel import Refresh
from dayfly.console.run.subject import Subject
from dayfly.model.identifiers import ExecutionId

RUNNING, SUCCEEDED = phases_pb2.WorkflowExecution.RUNNING, phases_pb2.WorkflowExecution.SUCCEEDED


def answer(**outputs: int) -> Any:
    def side(values: dict[str, int]) -> Any:
        return {"literals": {name: {"scalar": {"primitive": {"integer": told}}} for name, told in values.items()}}

    literal_map = literals_pb2.LiteralMap
    return execution_pb2.WorkflowExecutionGetDataResponse(
        full_inputs=literal_map(**side({"day": 7})), full_outputs=literal_map(**side(outputs))
    )


class Tab:
    """The tab on a page, with what was put on it and how often was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn: list[str] = []
        self.asked = 0
        self.answers = answer()
        monkeypatch.setattr(data, "_read", self._read)
        monkeypatch.setattr(declared, "find_interface", self._interface)
        monkeypatch.setattr(picking, "show", lambda *_: self._choice)
        monkeypatch.setattr(markup, "show", lambda content: SimpleNamespace(set_content=self.drawn.append))
        for side in ("_inputs", "_outputs"):
            made = getattr(data, side)
            monkeypatch.setattr(data, side, lambda *told, made=made: self._count(made(*told)))
        self.made = 0

    def _count(self, made: Any) -> Any:
        self.made += 1
        return made

    async def _read(self, _: Subject) -> Any:
        self.asked += 1
        return self.answers

    async def _interface(self, _: Subject) -> Any:
        return interface_pb2.TypedInterface()

    async def _choice(self, _: Subject) -> None:
        return None


def subject(phase: Any) -> Subject:
    view: Any = SimpleNamespace(site=SimpleNamespace(public_url="http://here:1"))
    execution = execution_pb2.Execution(closure=execution_pb2.ExecutionClosure(phase=phase))
    return Subject(view, ExecutionId("p", "d", "run"), execution)


async def refresh_often(refresh: Refresh | None, phase: Any) -> None:
    assert refresh is not None
    for _ in range(3):
        await refresh(subject(phase))


def test_what_did_not_change_is_not_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    tab = Tab(monkeypatch)

    async def look() -> None:
        refresh = await data.build(subject(RUNNING))
        await refresh_often(refresh, RUNNING)
        assert (tab.made, tab.asked) == (2, 4)
        tab.answers = answer(total=8)
        await refresh_often(refresh, SUCCEEDED)
        assert tab.made == 3
        assert [">8<" in one for one in tab.drawn] == [True]
        assert tab.asked == 5

    asyncio.run(look())
