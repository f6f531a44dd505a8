"""What a run waits for people to say: a tab that tells and takes it, and a line above the run that leads there."""

from __future__ import annotations

import json
from typing import Any

from flyteidl.admin import signal_pb2
from flyteidl.core import literals_pb2, types_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.base import errors
from dayfly.console import addresses, asking, markup, wording
from dayfly.console.run.panel import Refresh, Tab
from dayfly.console.run.subject import Subject
from dayfly.model import plain_values, type_names
from dayfly.model.phases import TERMINAL_EXECUTION

HINTS = {
    types_pb2.INTEGER: "A whole number, such as 42",
    types_pb2.FLOAT: "A number, such as 0.5",
    types_pb2.STRING: "Any text",
    types_pb2.DATETIME: "A moment, such as 2026-01-31T09:30:00Z",
    types_pb2.DURATION: "A span, such as 1h30m",
}
"""Simple types whose value is written as it is; all others are written as JSON."""

JSON = "JSON, such as [1, 2]"


def is_set(signal: Any) -> bool:
    """Say whether somebody has given its value."""
    return bool(signal.HasField("value") and signal.value.WhichOneof("value"))


def is_approval(signal: Any) -> bool:
    """Say whether it is a yes or no."""
    return bool(signal.type.WhichOneof("type") == "simple" and signal.type.simple == types_pb2.BOOLEAN)


def read_value(told: str, declared: Any) -> literals_pb2.Literal:
    """Return what was written as a literal of the declared type. Pure. Raise `InvalidArgument`."""
    kind = declared.simple if declared.WhichOneof("type") == "simple" else None
    plain: Any = told
    try:
        if kind == types_pb2.INTEGER:
            plain = int(told)
        elif kind == types_pb2.FLOAT:
            plain = float(told)
        elif kind not in HINTS and declared.WhichOneof("type") != "enum_type":
            plain = json.loads(told)
    except (ValueError, RecursionError):
        wanted = HINTS.get(kind, "JSON") if kind is not None else "JSON"
        raise errors.InvalidArgument(f"{told[:60]!r} is not {wanted[0].lower()}{wanted[1:]}.") from None
    return plain_values.from_plain(plain, declared, "The value")


def banner(subject: Subject) -> Markup:
    """Return the line above a run that says for what it waits; nothing where it waits for nobody."""
    over = subject.execution.closure.phase in TERMINAL_EXECUTION
    open_ones = [] if over else [one for one in subject.signals if not is_set(one)]
    if not open_ones:
        return Markup("")
    wanted = "an approval" if all(is_approval(one) for one in open_ones) else "people"
    return Markup(
        '<div class="banner"><span><strong><i aria-hidden="true">‖</i> This run waits for {}:</strong> {}</span>'
        '<a class="button main-one" href="{}">Answer</a></div>'
    ).format(
        wanted,
        Markup(" ").join(markup.code(one.id.signal_id) for one in open_ones),
        addresses.run(subject.id, {"tab": TAB.name}),
    )


class _Gates:
    """The signals of a run on the screen; those that are set are told, the others are asked for."""

    def __init__(self, subject: Subject) -> None:
        self._view = subject.view
        self._over = False
        self._drawn: dict[str, tuple[ui.element, tuple[bytes, bool]]] = {}
        self._shown = ui.element("div").classes("gates")

    async def refresh(self, subject: Subject) -> None:
        """Draw anew what has changed, and nothing else: somebody may be writing a value."""
        self._over = subject.execution.closure.phase in TERMINAL_EXECUTION
        for one in subject.signals:
            name, now = one.id.signal_id, (one.value.SerializeToString(), self._over)
            section, before = self._drawn.get(name, (None, None))
            if before == now:
                continue
            if section is None:
                with self._shown:
                    section = ui.element("section").classes("gate").props('role="group"')
                    section.props["aria-label"] = f"Signal {name}"
            self._drawn[name] = (section, now)
            section.clear()
            with section:
                self._draw(one)

    def _draw(self, signal: Any) -> None:
        kind = "approval" if is_approval(signal) else type_names.describe(signal.type)
        markup.show(Markup("<h3>{} <small>{}</small></h3>").format(signal.id.signal_id, kind))
        if is_set(signal):
            told = plain_values.to_plain(signal.value)
            said = {True: "Approved", False: "Disapproved"}.get(told) if isinstance(told, bool) else None
            shown = Markup("{}").format(said) if said else markup.code(json.dumps(told, ensure_ascii=False))
            markup.show(Markup('<p class="gate-set"><i aria-hidden="true">✓</i> {}</p>').format(shown))
        elif self._over:
            markup.show(Markup('<p class="faint">Nobody answered before the run ended.</p>'))
        elif is_approval(signal):
            self._approval(signal)
        else:
            self._value(signal)

    def _approval(self, signal: Any) -> None:
        with ui.element("div").classes("row-of"):
            asking.button("Approve", lambda: self._set(signal, _boolean(True), problem), classes="main-one")
            asking.button("Disapprove", lambda: self._ask_no(signal), classes="danger")
        problem = markup.show(Markup(""))

    def _ask_no(self, signal: Any) -> None:
        async def perform(_: None) -> str:
            await self._give(signal, _boolean(False))
            return "is disapproved"

        asking.question(
            f"Disapprove {signal.id.signal_id}?",
            "The run then fails at this gate, unless its workflow says otherwise.",
            [asking.Job(signal.id.signal_id, None)],
            perform,
            confirm="Disapprove",
            danger=True,
        )

    def _value(self, signal: Any) -> None:
        declared = signal.type
        if declared.WhichOneof("type") == "enum_type":
            field: Any = ui.select(list(declared.enum_type.values), label="Value").props("outlined dense stack-label")
        else:
            simple = declared.simple if declared.WhichOneof("type") == "simple" else None
            hint = HINTS.get(simple, JSON) if simple is not None else JSON
            field = ui.input("Value", placeholder=hint).props("outlined dense stack-label")
        field.classes("gate-field")
        problem = markup.show(Markup(""))

        async def send() -> None:
            try:
                literal = read_value(str(field.value or ""), declared)
            except errors.InvalidArgument as error:
                problem.set_content(str(markup.problem(error.message)))
                return
            await self._set(signal, literal, problem)

        field.on("keydown.enter", send)
        asking.button("Set the value", send, classes="main-one")

    async def _set(self, signal: Any, literal: literals_pb2.Literal, problem: ui.html) -> None:
        try:
            await self._give(signal, literal)
        except errors.DayflyError as error:
            problem.set_content(str(markup.problem(error.message, error.remedy)))
        else:
            problem.set_content("It is set; the run goes on.")

    async def _give(self, signal: Any, literal: literals_pb2.Literal) -> None:
        request = signal_pb2.SignalSetRequest(id=signal.id, value=literal)
        await self._view.client.call(self._view.client.signals.SetSignal, request)


def _boolean(value: bool) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": {"boolean": value}})


async def build(subject: Subject) -> Refresh:
    """Show the tab."""
    told = markup.show(_told(subject))
    gates = _Gates(subject)
    await gates.refresh(subject)

    async def refresh(later: Subject) -> None:
        told.set_content(str(_told(later)))
        await gates.refresh(later)

    return refresh


def _told(subject: Subject) -> Markup:
    count = wording.count(len(subject.signals), "answer")
    waiting = sum(not is_set(one) for one in subject.signals)
    still = f"{waiting} of them still open" if waiting else "nothing is open any more"
    return Markup('<p class="faint">{} asked of people, {}.</p>').format(count, still)


def _applies(subject: Subject) -> bool:
    alone = subject.node is None or not (subject.attempts or subject.node.metadata.is_parent_node)
    return bool(subject.signals) and alone


TAB = Tab("gate", "Gates", _applies, build)
