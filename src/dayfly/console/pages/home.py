"""The first page: what runs, what failed and why, who is waited for, how the platform is. Of one place, or of all."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Callable
from typing import Any

from markupsafe import Markup
from nicegui import ui

from dayfly.console import addresses, frame, hours, live, markup, run_filters, wording
from dayfly.console.addresses import Place
from dayfly.console.routing import Page
from dayfly.console.site import View
from dayfly.model.identifiers import ExecutionId

REFRESH_SECONDS = 3.0

Draw = Callable[[dict[str, Any]], Markup]
"""Draws one part from what was read."""

HOURS = 24

SHOWN = 8
"""Rows of each card."""

HELLO = """from flytekit import task, workflow

@task
def greet(name: str) -> str:
    return f"Hello, {name}!"

@workflow
def hello(name: str = "world") -> str:
    return greet(name=name)
"""


async def build(view: View) -> None:
    """Show the page."""
    scope = {"project": view.query.get("project", ""), "domain": view.query.get("domain", "")}
    told, places = await asyncio.gather(_read(view, scope), view.client.list_places())
    with frame.page(view, title="Home", active=""):
        markup.show(_head(scope, [Place(*one) for one in places]))
        if not told["overview"]["newest"] and not any(scope.values()):
            first = markup.show(_first_screen(view, told["health"]), "home-holder")
        else:
            first = None
        parts = _show(told) if first is None else []

        async def refresh() -> None:
            later = await _read(view, scope)
            if first is not None and later["overview"]["newest"]:
                frame.go(addresses.home())
            for element, draw in parts:
                element.set_content(str(draw(later)))

        live.every(REFRESH_SECONDS, refresh)


def _show(told: dict[str, Any]) -> list[tuple[ui.html, Draw]]:
    """Put the parts on the screen: two across it, the others in two columns."""

    def put(draw: Draw) -> tuple[ui.html, Draw]:
        return markup.show(draw(told), f"home-{draw.__name__.strip('_')}"), draw

    shown = [put(draw) for draw in (_now, _waiting)]
    with ui.element("div").classes("home-grid"):
        for column in ((_failed, _newest), (_day, _health, _clusters)):
            with ui.element("div"):
                shown += [put(draw) for draw in column]
    return shown


async def _read(view: View, scope: dict[str, str]) -> dict[str, Any]:
    overview, clusters, health = await asyncio.gather(
        view.http.get("/overview", {**scope, "hours": HOURS}),
        view.http.get("/clusters", {**scope, "state": "live", "limit": SHOWN}),
        view.http.get("/health"),
    )
    return {
        "overview": overview,
        "clusters": clusters["clusters"],
        "health": health,
        "now": view.site.clock.now(),
        "scope": scope,
    }


# -- the head ---------------------------------------------------------------------------------------------------------
def _head(scope: dict[str, str], places: list[Place]) -> Markup:
    options = [("All projects", addresses.home(), not any(scope.values()))]
    for place in places:
        options.append((f"{place.project} / {place.domain}", addresses.home_of(place), scope == place._asdict()))
    choice = Markup("").join(
        Markup('<option value="{}"{}>{}</option>').format(href, Markup(" selected") if chosen else "", label)
        for label, href, chosen in options
    )
    return Markup(
        '<div class="heading row-of home-head"><h1>Home</h1><span class="spacer"></span>'
        '<select class="field" data-go-to aria-label="Of which project">{}</select></div>'
    ).format(choice)


def _first_screen(view: View, health: dict[str, Any]) -> Markup:
    config = shlex.quote(health["settings"].get("data.folder", "~/.dayfly") + "/config.yaml")
    run = f"pyflyte --config {config} run --remote hello.py hello"
    return Markup(
        """<section class="first card"><h2>Nothing has run here yet. Two commands change that.</h2>
<ol><li><p>Write a workflow. <span class="faint">Or take one of yours: whatever Flyte 1 runs, this runs.</span></p>
<pre class="block" tabindex="0" role="region" aria-label="Command that writes hello.py">{}</pre>
<button type="button" class="small" data-copy="{}" aria-label="Copy the first command">Copy</button></li>
<li><p>Run it. <span class="faint">From another machine, with a copy of that config.yaml.</span></p>
<pre class="block" tabindex="0" role="region" aria-label="Command that runs it">{}</pre>
<button type="button" class="small" data-copy="{}" aria-label="Copy the second command">Copy</button></li></ol>
<p class="first-after"><span class="first-dot" aria-hidden="true"></span>This page listens at <code>{}</code>, and shows
the run as soon as it starts.</p></section>"""
    ).format(_write(HELLO), _write(HELLO), run, run, view.site.public_url)


def _write(program: str) -> str:
    return f"cat > hello.py <<'EOF'\n{program}EOF"


# -- its parts --------------------------------------------------------------------------------------------------------
def _now(told: dict[str, Any]) -> Markup:
    active, day = told["overview"]["now"], told["overview"]["hours"]

    def under_way(phases: tuple[str, ...]) -> int:
        return sum(active.get(one, 0) for one in phases)

    def ended(*phases: str) -> int:
        return sum(hour["phases"].get(one, 0) for hour in day for one in phases)

    tiles = (
        ("Running", under_way(run_filters.RUNNING), "RUNNING", ",".join(run_filters.RUNNING), "now"),
        ("Queued", under_way(run_filters.QUEUED), "QUEUED", ",".join(run_filters.QUEUED), "now"),
        ("Failed", ended("FAILED", "TIMED_OUT"), "FAILED", "FAILED,TIMED_OUT", "in 24 h"),
        ("Succeeded", ended("SUCCEEDED"), "SUCCEEDED", "SUCCEEDED", "in 24 h"),
    )
    return Markup('<section class="tiles" aria-label="Now">{}</section>').format(
        Markup("").join(_tile(told, *one) for one in tiles)
    )


def _tile(told: dict[str, Any], label: str, count: int, tone: str, phases: str, when: str) -> Markup:
    query = {"phase": phases, "since": "" if when == "now" else "24h"}
    inside = Markup('<b class="num">{}</b><span><i class="fill-{}"></i>{}</span><small>{}</small>').format(
        f"{count:,}", tone if count else "none", label, when
    )
    scope = told["scope"]
    if not scope["domain"]:
        return Markup('<div class="tile card">{}</div>').format(inside)
    href = addresses.runs(Place(scope["project"], scope["domain"]), query)
    return Markup('<a class="tile card" href="{}">{}</a>').format(href, inside)


def _day(told: dict[str, Any]) -> Markup:
    counted = hours.counted(told["overview"]["hours"], told["now"], HOURS)
    return _card("Runs by hour", hours.chart(counted), "the last 24 hours, by when they were created")


def _waiting(told: dict[str, Any]) -> Markup:
    gates = told["overview"]["waiting"]
    if not gates:
        return Markup("")
    items = Markup("").join(
        Markup('<li><a href="{}">{}</a><span>{} <code>{}</code></span>{}</li>').format(
            addresses.run(_id(one), {"tab": "gate"}),
            one["name"],
            "wants a yes or no:" if one["kind"] == "approval" else "wants a value:",
            one["signal"],
            markup.moment(wording.read_moment(one["since"])),
        )
        for one in gates[:SHOWN]
    )
    return _card(
        "Waiting for people", Markup('<ul class="home-rows">{}</ul>').format(items), tone="warn", count=len(gates)
    )


def _failed(told: dict[str, Any]) -> Markup:
    failed = told["overview"]["failed"][:SHOWN]
    if not failed:
        return _card("Recent failures", Markup('<p class="faint">None. </p>'))
    items = Markup("").join(
        Markup(
            '<li><div class="row-line"><a href="{}">{}</a><span class="faint grow-cell">{}</span>{}</div>'
            '<p class="home-reason" title="{}">{}</p></li>'
        ).format(
            addresses.run(_id(one)),
            one["name"],
            _where(told, one),
            markup.moment(wording.read_moment(one["created_at"])),
            one["reason"],
            one["reason"] or one["code"] or "It said nothing.",
        )
        for one in failed
    )
    return _card("Recent failures", Markup('<ul class="home-rows failures">{}</ul>').format(items))


def _newest(told: dict[str, Any]) -> Markup:
    rows = Markup("").join(
        Markup('<tr><td>{}</td><td><a href="{}">{}</a></td><td class="grow">{}</td><td>{}</td><td>{}</td></tr>').format(
            markup.phase(one["phase"]),
            addresses.run(_id(one)),
            one["name"],
            _where(told, one),
            markup.moment(wording.read_moment(one["created_at"])),
            _took(one),
        )
        for one in told["overview"]["newest"][:SHOWN]
    )
    if not rows:
        return _card("Newest runs", Markup('<p class="faint">Nothing has run here yet.</p>'))
    table = Markup(
        '<div class="table-scroll"><table class="table" aria-label="Newest runs"><thead><tr><th scope="col">Phase</th>'
        '<th scope="col">Run</th><th scope="col" class="grow">Workflow</th><th scope="col">Created</th>'
        '<th scope="col">Duration</th></tr></thead><tbody>{}</tbody></table></div>'
    ).format(rows)
    return _card("Newest runs", table)


def _clusters(told: dict[str, Any]) -> Markup:
    found = told["clusters"]
    if not found:
        return _card("Dask clusters", Markup('<p class="faint">None is up now.</p>'))
    items = Markup("").join(
        Markup(
            '<li><div class="row-line"><a href="{}">{}</a><span class="faint grow-cell">{}</span>'
            '<span class="num">{} workers</span></div><small>{} tasks done, {} running, {} in memory</small></li>'
        ).format(
            addresses.run(_execution(one), {"node": one["node"], "tab": "dask"}),
            one["execution"],
            one["task"].rpartition(".")[2],
            f"{one['figures']['workers']} of {one['figures']['wanted']}",
            f"{one['figures']['tasks_done']:,}",
            f"{one['figures']['tasks_processing']:,}",
            wording.size(one["figures"]["memory_bytes"]),
        )
        for one in found
    )
    return _card("Dask clusters", Markup('<ul class="home-rows">{}</ul>').format(items), count=len(found))


def _health(told: dict[str, Any]) -> Markup:
    items = Markup("").join(part(one) for one in told["health"]["parts"])
    more = markup.link("Projects and health", addresses.health())
    return _card(
        "Health", Markup('<ul class="home-rows health-parts">{}</ul><p class="card-foot">{}</p>').format(items, more)
    )


HEALTH_SIGNS = {"well": "✓", "warning": "!", "failing": "✕"}


def _card(title: str, content: Markup, under: str = "", *, tone: str = "", count: int = 0) -> Markup:
    number = Markup(' <span class="count">{}</span>').format(count) if count else Markup("")
    small = Markup(" <small>{}</small>").format(under) if under else Markup("")
    return Markup('<section class="card home-card {}"><h2>{}{}{}</h2>{}</section>').format(
        f"tone-{tone}" if tone else "", title, number, small, content
    )


def part(one: dict[str, Any]) -> Markup:
    """Return how one part of the platform is, as a row of a list."""
    return Markup(
        '<li class="health-part health-{}"><i aria-hidden="true">{}</i><b>{}</b><span>{}{}</span></li>'
    ).format(one["state"], HEALTH_SIGNS[one["state"]], one["name"].capitalize(), one["told"], _remedy(one))


def _remedy(part: dict[str, Any]) -> Markup:
    return Markup(" <small>{}</small>").format(part["remedy"]) if part["remedy"] else Markup("")


def _where(told: dict[str, Any], one: dict[str, Any]) -> str:
    name = wording.entity(one["workflow"])
    return name if told["scope"]["domain"] else f"{name} · {one['project']} / {one['domain']}"


def _took(one: dict[str, Any]) -> Markup:
    if one["duration_seconds"] is not None:
        return Markup('<span class="num">{}</span>').format(wording.duration(one["duration_seconds"]))
    return markup.duration(wording.read_moment(one["started_at"]), None) if one["started_at"] else markup.NOTHING


def _id(one: dict[str, Any]) -> ExecutionId:
    return ExecutionId(one["project"], one["domain"], one["name"])


def _execution(one: dict[str, Any]) -> ExecutionId:
    return ExecutionId(one["project"], one["domain"], one["execution"])


PAGES = (Page("/", build),)
