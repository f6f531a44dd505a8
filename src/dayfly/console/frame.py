"""What surrounds every page: the bar with the ways to all pages, the place one is in, theme and keyboard."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from markupsafe import Markup
from nicegui import ui

from dayfly.base import errors
from dayfly.console import addresses, markup, static_files
from dayfly.console.addresses import Place
from dayfly.console.site import View

SCRIPTS = ("console.js", "panel.js", "lists.js")

STYLES = ("console.css", "board.css", "panel.css", "dask.css", "launch.css", "registered.css", "lists.css")

NAVIGATION = (
    ("runs", "Runs", "executions", "g r"),
    ("workflows", "Workflows", "workflows", "g w"),
    ("tasks", "Tasks", "tasks", "g t"),
    ("clusters", "Clusters", "clusters", "g c"),
    ("schedules", "Schedules", "schedules", "g s"),
    ("cache", "Cache", "cache", "g e"),
)
"""Name, label, address below a place, and the keys that lead there (`static/console.js`)."""

FIRST_PLACE = Place("flytesnacks", "development")
"""Where the ways lead from pages about all places, unless the reader was somewhere before."""

Crumb = tuple[str, str]
"""Label and address."""


@contextlib.contextmanager
def page(view: View, *, title: str, active: str, crumbs: Sequence[Crumb] = ()) -> Iterator[None]:
    """Put the frame on the screen; what is shown in the context is the page's main part.

    `title` names the page in the browser; `active` is the name in `NAVIGATION` that it belongs to. `crumbs` lead from
    the place to the page, which itself is not among them.
    """
    ui.page_title(f"{title} · Dayfly")
    ui.add_head_html(_head())
    markup.show(_bar(view, active), "bar-holder")
    with ui.element("main").props('id="main" tabindex="-1"').classes("main"):
        if crumbs:
            markup.show(_crumbs(crumbs))
        yield


def go(address: str) -> None:
    """Open another page of the console in place of this one."""
    # NiceGUI puts the path before it where the console is mounted.
    ui.navigate.to(address.removeprefix(addresses.ROOT))


def heading(text: str, *, below: Markup | str = "") -> None:
    """Put the page's own heading on the screen, and a line below it."""
    markup.show(markup.heading(text, below))


def problem(error: errors.DayflyError) -> None:
    """Say on the page why something cannot be shown."""
    heading("This cannot be shown")
    markup.show(markup.problem(error.message, error.remedy))


def _head() -> str:
    base = addresses.ROOT + static_files.URL
    styles = "".join(f'<link rel="stylesheet" href="{base}/{name}">' for name in STYLES)
    # The theme first, so that no page flashes in the other one.
    return f'<script src="{base}/theme.js"></script>{styles}' + "".join(
        f'<script defer src="{base}/{name}"></script>' for name in SCRIPTS
    )


def _bar(view: View, active: str) -> Markup:
    place = view.place or view.last_place or FIRST_PLACE
    ways = Markup("").join(_way(place, *one, active=active) for one in NAVIGATION)
    return Markup(
        """<a class="skip" href="#main">Skip to content</a>
<header class="bar"><a class="brand" href="{home}"><img src="{icon}" alt="" width="22" height="22">Dayfly</a>
<button class="place" type="button" data-place="{at}" aria-haspopup="dialog"
 title="Choose another project">{at}</button>
<nav aria-label="Console">{ways}</nav>
<span class="spacer"></span>
<form class="find" role="search" action="{find}"><input type="search" name="text" data-find aria-label="Search runs"
 placeholder="Search runs  /"></form>
<a class="icon" href="{health}" title="Projects and health">Health</a>
<button class="icon" type="button" data-theme-toggle aria-label="Change between light and dark">◐</button>
<button class="icon" type="button" data-keys aria-label="Keys">?</button></header>"""
    ).format(
        home=addresses.home(),
        icon=f"{addresses.ROOT}{static_files.URL}/favicon.svg",
        at=f"{place.project} / {place.domain}",
        ways=ways,
        find=addresses.runs(place),
        health=addresses.health(),
    )


def _way(place: Place, name: str, label: str, rest: str, keys: str, *, active: str) -> Markup:
    current = Markup(' aria-current="page"') if name == active else Markup("")
    return Markup('<a href="{}" data-go="{}"{}>{}</a>').format(addresses.below(place, rest), keys, current, label)


def _crumbs(crumbs: Sequence[Crumb]) -> Markup:
    links = Markup('<span aria-hidden="true">/</span>').join(markup.link(*one) for one in crumbs)
    return Markup('<nav class="crumbs" aria-label="Where this is">{}</nav>').format(links)
