"""Asks before something is done, does it one thing after the other, and says of each how it went.

Called by whatever destroys or starts things: `acting` for runs, pages for projects and the cache.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from markupsafe import Markup
from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement

from dayfly.base import errors
from dayfly.console import confirming, markup, wording

T = TypeVar("T")

AT_ONCE = 8
"""Calls under way at a time."""

NAMED = 8
"""Things that a question names one by one; of the others it says how many they are."""

_SIGNS = {"waits": "◌", "done": "✓", "failed": "✕"}


@dataclass
class Job(Generic[T]):
    """One of the things that are done."""

    name: str
    """For people."""
    subject: T
    state: str = "waits"
    told: Markup | str = ""


@contextlib.contextmanager
def dialog(label: str) -> Iterator[confirming.Dialog]:
    """Open a dialog with a heading, that is gone once it is closed. What is made in the context is in it."""
    # In the page itself, not in what the button that asks is in: that may be drawn anew meanwhile.
    with ui.context.client.content, confirming.Dialog(label, bare=True).classes("asking") as shown:
        yield shown


class Button(TextElement):
    """A button of a dialog or of a page's head: the browser's own, which looks as all others do."""

    def __init__(self, label: str, does: Callable[[], object], classes: str = "") -> None:
        super().__init__(tag="button", text=label)
        self.props('type="button"').classes(f"button {classes}")
        self.on("click", lambda: does())

    def allow(self, allowed: bool) -> None:
        """Let it be pressed or not."""
        if allowed:
            self.props(remove="disabled")
        else:
            self.props("disabled")


def button(label: str, does: Callable[[], object], *, classes: str = "") -> Button:
    """Put a button on the screen. `does` may be a coroutine function."""
    return Button(label, does, classes)


def question(
    label: str,
    told: Markup | str,
    jobs: Sequence[Job[T]],
    perform: Callable[[T], Awaitable[Markup | str]],
    *,
    confirm: str,
    danger: bool = False,
    more: Callable[[], object] = lambda: None,
    named: bool = True,
    after: Callable[[], Awaitable[object]] | None = None,
) -> None:
    """Ask whether something shall be done to all of `jobs`; when it is confirmed, do it, and show how each went.

    `perform` returns what to say of one that went well. `more` puts further fields into the dialog, `named` says
    whether the question names the things; `after` is called once everything was tried.
    """
    with dialog(label) as shown:
        body = ui.element("div").classes("asking-body")
        with body:
            markup.show(Markup("<p>{}</p>{}").format(told, _named(jobs) if named else ""))
            more()
        feet = ui.element("div").classes("asking-feet")

        async def confirmed() -> None:
            body.clear()
            feet.clear()
            with body:
                progress = markup.show(_progress(jobs))
            await _run(jobs, perform, lambda: progress.set_content(str(_progress(jobs))))
            with feet:
                button("Close", shown.close, classes="main-one")
            if after is not None:
                await after()

        with feet:
            button(confirm, confirmed, classes="danger" if danger else "main-one")
            button("Cancel", shown.close).props("autofocus")


async def _run(
    jobs: Sequence[Job[T]], perform: Callable[[T], Awaitable[Markup | str]], show: Callable[[], object]
) -> None:
    places = asyncio.Semaphore(AT_ONCE)

    async def one(job: Job[T]) -> None:
        async with places:
            try:
                job.told, job.state = await perform(job.subject), "done"
            except errors.DayflyError as error:
                job.told, job.state = str(error), "failed"
            show()

    await asyncio.gather(*(one(job) for job in jobs))


def _named(jobs: Sequence[Job[T]]) -> Markup:
    items = Markup("").join(Markup("<li>{}</li>").format(one.name) for one in jobs[:NAMED])
    left = len(jobs) - NAMED
    rest = Markup('<li class="faint">and {}</li>').format(wording.count(left, "other")) if left > 0 else Markup("")
    return Markup('<ul class="asking-named">{}{}</ul>').format(items, rest)


def _progress(jobs: Sequence[Job[T]]) -> Markup:
    over = [one for one in jobs if one.state != "waits"]
    bad = sum(one.state == "failed" for one in over)
    said = f"{len(over)} of {wording.count(len(jobs), 'thing')}" if len(over) < len(jobs) else "Done"
    if bad:
        said += f", {bad} failed"
    rows = Markup("").join(
        Markup(
            '<li class="job-{}"><i aria-hidden="true">{}</i><span class="job-name">{}</span><span>{}</span></li>'
        ).format(one.state, _SIGNS[one.state], one.name, one.told)
        for one in jobs
    )
    bar = Markup('<progress max="{}" value="{}" aria-label="Progress"></progress>').format(len(jobs), len(over))
    return Markup('<div role="status"><p>{}</p>{}</div><ul class="jobs">{}</ul>').format(said, bar, rows)
