"""Small pieces of HTML that many pages show. All text is escaped: `Markup.format` escapes whatever is not Markup.

Times and running durations are kept up by `static/console.js`, in the reader's own time zone, with no traffic.
"""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup
from nicegui import ui

from dayfly.base.clock import SECOND, Micros
from dayfly.console import wording

NOTHING = Markup('<span class="faint">–</span>')


def show(content: Markup, classes: str = "") -> ui.html:
    """Put HTML on the page."""
    return ui.html(str(content), sanitize=False).classes(classes)


def heading(text: str, below: Markup | str = "") -> Markup:
    """Return a page's own heading, with a line below it."""
    under = Markup('<p class="under">{}</p>').format(below) if below else Markup("")
    return Markup('<div class="heading"><h1>{}</h1>{}</div>').format(text, under)


def phase(name: str) -> Markup:
    """Return a phase as a coloured sign and word."""
    return Markup('<span class="phase phase-{}"><i aria-hidden="true">{}</i>{}</span>').format(
        name, wording.MARKS.get(name, wording.WAITING), wording.phase(name)
    )


def moment(at: Micros | None) -> Markup:
    """Return a time, shown as long ago as it was."""
    if at is None:
        return NOTHING
    told = wording.moment(at)
    return Markup('<time datetime="{}" data-ago>{}</time>').format(told, told[:19].replace("T", " "))


def duration(started: Micros | None, ended: Micros | None) -> Markup:
    """Return how long something took, or a clock that runs while it has not ended."""
    if started is None:
        return NOTHING
    if ended is None:
        return Markup('<span class="num" data-since="{}">…</span>').format(wording.milliseconds(started))
    return Markup('<span class="num">{}</span>').format(wording.duration((ended - started) / SECOND))


def link(text: str, href: str, classes: str = "") -> Markup:
    """Return a link within the console or to a page of the platform."""
    return Markup('<a href="{}" class="{}">{}</a>').format(href, classes, text)


def code(text: str) -> Markup:
    """Return text as programs have it."""
    return Markup("<code>{}</code>").format(text)


def block(text: str, label: str) -> Markup:
    """Return lines of code or of a log; `label` names them for those who cannot see them."""
    return Markup('<pre class="block" tabindex="0" role="region" aria-label="{}">{}</pre>').format(label, text)


def facts(pairs: Iterable[tuple[str, Markup | str]]) -> Markup:
    """Return names with what they stand for, as a table without lines."""
    rows = Markup("").join(Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name, value) for name, value in pairs)
    return Markup('<dl class="facts">{}</dl>').format(rows)


def empty(told: str, hint: Markup | str = "") -> Markup:
    """Return what a list says that has nothing in it."""
    return Markup('<div class="empty"><p>{}</p><p class="faint">{}</p></div>').format(told, hint)


def problem(told: str, remedy: str = "") -> Markup:
    """Return why something cannot be shown, and what to do about it."""
    hint = Markup('<p class="remedy">{}</p>').format(remedy) if remedy else Markup("")
    return Markup('<div class="problem" role="alert"><p>{}</p>{}</div>').format(told, hint)
