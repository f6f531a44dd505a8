"""What can be done to runs: abort, relaunch, recover, archive, bring back. Used by lists and by the run page's head.

Each is an entry in `ACTIONS`, asks first, and says of each run how it went.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from flyteidl.admin import execution_pb2
from markupsafe import Markup
from nicegui import ui

from dayfly.console import addresses, asking, markup, wording
from dayfly.console.site import View
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase

MAX_REASON = 500
"""Characters of the reason of an abort."""

RECOVERABLE = frozenset({ExecutionPhase.FAILED, ExecutionPhase.ABORTED, ExecutionPhase.TIMED_OUT})


@dataclass
class Choices:
    """What was written into the question's fields."""

    reason: str = ""
    overwrite_cache: bool = False


@dataclass(frozen=True)
class Action:
    """Something that can be done to a run."""

    name: str
    label: str
    told: str
    """What will happen, for the question."""
    fits: Callable[[Any], bool]
    """Whether it can be done to an admin.Execution, as that is now."""
    perform: Callable[[View, ExecutionId, Choices], Awaitable[Markup | str]]
    danger: bool = False
    fields: Callable[[Choices], object] = field(default=lambda _: None)


def ask(
    view: View, action: Action, executions: Sequence[Any], after: Callable[[], Awaitable[object]] | None = None
) -> None:
    """Ask whether it shall be done to these runs, and do it. What it does not fit is left out, and said so."""
    fitting = [one for one in executions if action.fits(one)]
    choices = Choices()
    jobs = [asking.Job(one.id.name, identifiers.from_execution_identifier(one.id)) for one in fitting]
    left = len(executions) - len(fitting)
    told = f"{action.told}" + (
        f" {wording.count(left, 'run')} of those chosen cannot be, and will be left." if left else ""
    )
    if not jobs:
        with asking.dialog(f"{action.label} nothing") as shown:
            markup.show(Markup("<p>None of the chosen runs can be: {}</p>").format(action.told))
            asking.button("Close", shown.close, classes="main-one")
        return
    what = jobs[0].name if len(jobs) == 1 else wording.count(len(jobs), "run")
    asking.question(
        f"{action.label} {what}?",
        told,
        jobs,
        lambda id: action.perform(view, id, choices),
        confirm=f"{action.label} {what if len(jobs) > 1 else 'run'}",
        danger=action.danger,
        more=lambda: action.fields(choices),
        named=len(jobs) > 1,
        after=after,
    )


class Buttons:
    """The actions that fit one run, in the head of its page."""

    def __init__(self, view: View, execution: Any) -> None:
        self._view, self._execution = view, execution
        self._row = ui.element("div").classes("row-of actions").props('role="group" aria-label="Actions"')
        self._offered: tuple[str, ...] = ()
        self.refresh(execution)

    def refresh(self, execution: Any) -> None:
        """Offer what fits the run as it is now."""
        self._execution = execution
        fitting = tuple(one for one in ACTIONS if one.fits(execution))
        if tuple(one.name for one in fitting) == self._offered:
            return
        self._offered = tuple(one.name for one in fitting)
        self._row.clear()
        with self._row:
            for one in fitting:
                asking.button(one.label, self._asker(one), classes="danger" if one.danger else "")

    def _asker(self, action: Action) -> Callable[[], None]:
        run = identifiers.from_execution_identifier(self._execution.id)

        async def again() -> None:
            self.refresh(await self._view.client.get_execution(run))

        return lambda: ask(self._view, action, [self._execution], again)


def find(name: str) -> Action:
    """Return an action by its name."""
    return next(one for one in ACTIONS if one.name == name)


def _ended(execution: Any) -> bool:
    return execution.closure.phase in TERMINAL_EXECUTION


def _archived(execution: Any) -> bool:
    return bool(execution.closure.state_change_details.state == execution_pb2.EXECUTION_ARCHIVED)


async def _abort(view: View, id: ExecutionId, choices: Choices) -> str:
    await view.client.terminate_execution(id, choices.reason.strip()[:MAX_REASON] or "aborted in the console")
    return "is ending"


async def _relaunch(view: View, id: ExecutionId, choices: Choices) -> Markup:
    request = execution_pb2.ExecutionRelaunchRequest(
        id=identifiers.to_execution_identifier(id), overwrite_cache=choices.overwrite_cache
    )
    return _launched(await view.client.call(view.client.admin.RelaunchExecution, request))


async def _recover(view: View, id: ExecutionId, _: Choices) -> Markup:
    request = execution_pb2.ExecutionRecoverRequest(id=identifiers.to_execution_identifier(id))
    return _launched(await view.client.call(view.client.admin.RecoverExecution, request))


def _launched(answer: Any) -> Markup:
    id = identifiers.from_execution_identifier(answer.id)
    return Markup("runs again as {}").format(markup.link(id.name, addresses.run(id)))


def _setting(state: Any, told: str) -> Callable[[View, ExecutionId, Choices], Awaitable[str]]:
    async def perform(view: View, id: ExecutionId, _: Choices) -> str:
        request = execution_pb2.ExecutionUpdateRequest(id=identifiers.to_execution_identifier(id), state=state)
        await view.client.call(view.client.admin.UpdateExecution, request)
        return told

    return perform


def _reason(choices: Choices) -> None:
    ui.textarea("Reason", placeholder="Others will read it on the run's page").bind_value(choices, "reason").props(
        f"outlined dense autogrow stack-label maxlength={MAX_REASON}"
    ).classes("wide")


def _overwriting(choices: Choices) -> None:
    ui.checkbox("Run cached tasks too, and keep their new outputs").bind_value(choices, "overwrite_cache").props(
        "dense"
    )


ACTIONS = (
    Action(
        "abort",
        "Abort",
        "What runs is stopped, its Dask clusters too. Recovering it later keeps what had succeeded.",
        lambda one: not _ended(one) and one.closure.phase != ExecutionPhase.ABORTING,
        _abort,
        danger=True,
        fields=_reason,
    ),
    Action(
        "relaunch",
        "Relaunch",
        "A new run is started with the same inputs, of the same version.",
        lambda _: True,
        _relaunch,
        fields=_overwriting,
    ),
    Action(
        "recover",
        "Recover",
        "A new run is started that takes over what had succeeded, and runs the rest.",
        lambda one: one.closure.phase in RECOVERABLE,
        _recover,
    ),
    Action(
        "archive",
        "Archive",
        "It leaves the lists; nothing of it is removed, and it can be brought back.",
        lambda one: _ended(one) and not _archived(one),
        _setting(execution_pb2.EXECUTION_ARCHIVED, "is archived"),
    ),
    Action(
        "restore",
        "Bring back",
        "It is in the lists again.",
        _archived,
        _setting(execution_pb2.EXECUTION_ACTIVE, "is in the lists again"),
    ),
)
