"""What is said of a Dask cluster once it is over: who held how much, what to ask for next, Dask's own report. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from markupsafe import Markup

from dayfly.client import extras
from dayfly.console import markup, wording

MIB = 1024 * 1024

MOST_WORKERS = 60
"""Workers listed, those that held most."""

HIGH = 0.8
"""Share of a limit above which a worker had too little memory."""

Told = dict[str, Any]


def content(told: Told, said: Sequence[Sequence[Any]]) -> Markup:
    """Return what the cluster was; nothing while it lives. `said` is what the platform said, each with when."""
    if told["cluster"]["live"]:
        return Markup("")
    parts = []
    if told["record"] is not None and told["record"]["workers"]:
        parts.append(_high_water(told["record"], told["idle_share"], said))
    parts.append(_report(told["reports"]))
    return Markup("").join(parts)


def advice(advice: Told | None) -> Markup:
    """Return what its task should ask for; nothing where that is not known."""
    if advice is None:
        return Markup("")
    runs = wording.count(advice["runs"], "run")
    heading = Markup("<h2>What to ask for next time</h2>")
    if not advice["advice"]:
        return heading + Markup("<p>What it asks for is right, by its last {}.</p>").format(runs)
    rows = [
        (
            one["role"],
            one["what"],
            one["had"] or "no limit",
            Markup("<strong>{}</strong>").format(one["ask"]),
            one["reason"],
        )
        for one in advice["advice"]
    ]
    under = Markup('<p class="faint">By its last {}. The same: {}</p>').format(
        runs, markup.code(f"dayfly advice {advice['task']}")
    )
    return heading + table("Advice", ("Role", "What", "Had", "Ask for", "Because"), rows) + under


def _high_water(record: Told, idle_share: float | None, said: Sequence[Sequence[Any]]) -> Markup:
    found = sorted(record["workers"], key=_need, reverse=True)
    rows = [_worker(one, said) for one in found[:MOST_WORKERS]]
    rows += [(one["name"], _share(one), "–", "–", "") for one in record["roles"]]
    more = len(found) - MOST_WORKERS
    under = Markup('<p class="faint">{}{}</p>').format(
        f"All workers together held {wording.size(record['memory_peak'] * MIB)} at most, and computed nothing in "
        f"{(idle_share or 0):.0%} of their threads' time.",
        f" {wording.count(more, 'other worker')} held less." if more > 0 else "",
    )
    headings = ("Process", "Most memory", "On disk", "Computed", "End")
    return Markup("<h2>Memory high-water marks</h2>{}{}").format(
        table("Memory high-water marks", headings, rows), under
    )


def _worker(one: Told, said: Sequence[Sequence[Any]]) -> tuple[Markup | str, ...]:
    spilled = wording.size(one["spilled_peak"] * MIB) if one["spilled_peak"] else "–"
    return one["name"], _share(one), spilled, wording.duration(one["busy_seconds"]), ending(one, said)


def ending(one: Told, said: Sequence[Sequence[Any]]) -> str:
    """Return how a worker ended, with the words of whoever watched its process, where it is known."""
    if one["gone_at"] is None:
        return "at the cluster's end"
    if one["expected"]:
        return one["cause"] or "retired"
    name = one["name"]
    role = name.rsplit("-r", 1)[0] if name.rsplit("-r", 1)[-1].isdigit() else name
    near = [(abs(at - one["gone_at"]), text) for at, text in said if role in text and abs(at - one["gone_at"]) < 2]
    computing = f"lost while it had {', '.join(one['processing'][:2])}" if one["processing"] else "lost"
    return f"{computing}: {min(near)[1]}" if near else computing


def _need(one: Told) -> float:
    return float(one["memory_peak"] / one["memory_limit"] if one["memory_limit"] else one["memory_peak"] * 1e-9)


def _share(one: Told) -> Markup | str:
    peak, limit = one["memory_peak"], one["memory_limit"]
    if not peak:
        return "not seen"
    told = wording.size(peak * MIB)
    if not limit:
        return told
    share = peak / limit
    return Markup('{} of {}<span class="over" aria-hidden="true"><i class="{}" style="width:{}%"></i></span>').format(
        told, wording.size(limit * MIB), "high" if share > HIGH else "", round(min(share, 1) * 100)
    )


def _report(reports: Iterable[Told]) -> Markup:
    url = next((one["url"] for one in reports if one["name"] == "performance.html"), "")
    if not url.startswith(f"{extras.PREFIX}/"):
        return Markup("")
    # Made by whatever ran in a user's environment: it may run scripts, in a place of its own.
    return Markup(
        "<h2>Dask's performance report</h2><details><summary>Show it here</summary>"
        '<iframe class="dask-report" loading="lazy" sandbox="allow-scripts" src="{}" title="Dask performance report">'
        "</iframe></details>"
    ).format(url)


def table(label: str, headings: Sequence[str], rows: Iterable[Sequence[Markup | str]]) -> Markup:
    """Return a small table with all of its rows."""
    head = Markup("").join(Markup('<th scope="col">{}</th>').format(one) for one in headings)
    body = Markup("").join(
        Markup("<tr>{}</tr>").format(Markup("").join(Markup("<td>{}</td>").format(cell) for cell in row))
        for row in rows
    )
    return Markup(
        '<div class="table-holder" tabindex="0" role="region" aria-label="{0}"><table class="table" aria-label="{0}">'
        "<thead><tr>{1}</tr></thead><tbody>{2}</tbody></table></div>"
    ).format(label, head, body)
