"""The button that hides a workflow or task from its list, and the one that shows it again."""

from __future__ import annotations

from typing import Any

from nicegui import ui

from dayfly.base import errors
from dayfly.console import confirming, registered
from dayfly.console.site import View


def button(view: View, entity: Any, what: str) -> None:
    """Put the button on the page; `entity` is its admin.NamedEntity, `what` a word for it."""

    def is_archived() -> bool:
        return bool(entity.metadata.state == registered.ARCHIVED)

    async def clicked() -> None:
        name, archive = entity.id.name, not is_archived()
        if archive:
            told = f"Lists do not show the {what} any more. Its runs stay, schedules go on, it can be launched."
            if not await confirming.confirm(f"Archive {name}?", told, "Archive", danger=True):
                return
        try:
            await registered.set_archived(view, entity, archive)
        except errors.DayflyError as error:
            confirming.say(error.message, bad=True)
            return
        entity.metadata.state = registered.ARCHIVED if archive else 0
        shown.set_text("Restore" if archive else "Archive")
        mark.set_visibility(archive)
        confirming.say(f"{name} is archived." if archive else f"{name} is back in the list.")

    mark = ui.label("Archived").classes("phase")
    mark.set_visibility(is_archived())
    shown = (
        ui.button("Restore" if is_archived() else "Archive", on_click=clicked, color=None)
        .classes("button")
        .props("unelevated")
    )
