"""Asks before something is done that others would notice."""

from __future__ import annotations

from markupsafe import Markup
from nicegui import ui

from dayfly.console import markup


async def confirm(title: str, told: str, label: str, *, danger: bool = False) -> bool:
    """Return whether the reader wants it. `told` says what would happen, `label` is on the button that does it."""
    with ui.dialog() as dialog, ui.element("div").classes("dialog asking"):
        dialog.props(f'aria-label="{title.replace(chr(34), "")}"')
        markup.show(Markup("<h2>{}</h2><p>{}</p>").format(title, told))
        with ui.element("div").classes("row-of asking-answers"):
            ui.button("Leave it", on_click=lambda: dialog.submit(False), color=None).classes("button").props(
                "unelevated autofocus"
            )
            done = ui.button(label, on_click=lambda: dialog.submit(True), color=None).props("unelevated")
            done.classes("button danger" if danger else "button main-one")
    answer = await dialog
    dialog.delete()
    return bool(answer)


def say(told: str, *, bad: bool = False) -> None:
    """Tell in a corner that something was done, or why it was not."""
    ui.notify(told, position="bottom-right", classes="said said-bad" if bad else "said", timeout=6000)
