"""`dayfly top`: runs, their nodes, and the Dask workers of those that run, live in a terminal."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
from rich.console import Console
from rich.live import Live

from dayfly.base import errors
from dayfly.base.clock import Micros, SystemClock
from dayfly.cli import reaching, top_keys, top_views, watch
from dayfly.cli.top_state import ClusterNow, Run, Seen, State, Wish
from dayfly.client import connecting, http_api, watching
from dayfly.client.connecting import Client
from dayfly.client.http_api import HttpApi
from dayfly.model import identifiers
from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase

REFRESH_SECONDS = 1.0

LISTED = 200
"""Newest runs that are listed."""

DETAILED = 4
"""Clusters of one run that are shown worker by worker."""

A_DAY = 86_400
"""One frame for so much of a record is what there is now."""

NOTHING = ""
"""Among the keys: there is something new to show."""

WIDE = 160
"""Columns where there is no terminal."""

LAST_ERROR = re.compile(r"^\[\d+/\d+\] currentAttempt done\. Last Error: \w+::")
"""Before what went wrong."""


@click.command("top")
@click.argument("run", required=False)
@click.option("--all", "everywhere", is_flag=True, help="Runs of all projects and domains.")
@click.option("--once", is_flag=True, help="Print what there is now, and end; needs no terminal.")
@reaching.project_option
@reaching.domain_option
@reaching.config_option
def command(run: str | None, everywhere: bool, once: bool, project: str, domain: str, config: Path | None) -> None:
    """Show runs while they run, or one RUN with its nodes and Dask workers. Keys are shown at the bottom."""
    address = reaching.find_address(config)
    if not once and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("There is no terminal to show this in. Use --once to print what there is now.")
    state = State(open=ExecutionId(project, domain, run) if run else None)
    asyncio.run(_show(address, state, None if everywhere else (project, domain), once=once))


async def _show(address: str, state: State, place: tuple[str, str] | None, *, once: bool) -> None:
    async with connecting.open(address) as client, http_api.open(f"http://{address}") as http:
        await client.wait_until_connected(watch.CONNECT_SECONDS)
        looking = Looking(client, http, place)
        state.seen = await looking.look(state)
        if not once:
            await Screen(client, looking, state, " / ".join(place or ())).run()
            return
        console = Console() if sys.stdout.isatty() else Console(width=WIDE)
        console.print(top_views.frame(state, place=" / ".join(place or ()), now=state.seen.at))


class Looking:
    """Asks the platform for what is shown, and for no more."""

    def __init__(self, client: Client, http: HttpApi, place: tuple[str, str] | None) -> None:
        self._client, self._http, self._place = client, http, place
        self._clock = SystemClock()
        self._followed: dict[str, ClusterNow] = {}

    async def look(self, state: State) -> Seen:
        """Return what there is now."""
        return await (self._runs() if state.open is None else self._run(state, state.open))

    async def _runs(self) -> Seen:
        self._followed.clear()
        places = await self._client.list_places() if self._place is None else [self._place]
        query = {"state": "live"} if self._place is None else {"state": "live", **_named(*self._place)}
        clusters, *lists = await asyncio.gather(
            self._http.get("/clusters", query),
            *(self._client.list_executions(*place, limit=LISTED) for place in places),
        )
        found = sorted((_run(one) for some in lists for one in some), key=lambda run: -(run.created_at or 0))
        return Seen(self._clock.now(), found[:LISTED], clusters["clusters"])

    async def _run(self, state: State, id: ExecutionId) -> Seen:
        known = state.seen.run if state.seen.run is not None and state.seen.run.id == id else None
        query = {"state": "live", **_named(id.project, id.domain), "execution": id.name}
        run, clusters = await asyncio.gather(
            watching.snapshot(self._client, id, known), self._http.get("/clusters", query)
        )
        entries = clusters["clusters"]
        details = await asyncio.gather(*(self._follow(entry) for entry in entries[:DETAILED]))
        return Seen(self._clock.now(), state.seen.runs, entries, run, details)

    async def _follow(self, entry: dict[str, Any]) -> ClusterNow:
        """Return a cluster as it is now; what its record told before is not asked for again."""
        key = entry["url"]
        cluster = self._followed.setdefault(key, ClusterNow(entry))
        cluster.entry = entry
        names = (entry["project"], entry["domain"], entry["execution"], entry["node"], str(entry["attempt"]))
        path = "/clusters/" + "/".join(quote(name, safe="") for name in names) + "/frames"
        coarse = {"since": cluster.since} if cluster.since else {"every": A_DAY, "tasks": 1}
        cluster.take((await self._http.get(path, coarse))["frames"])
        return cluster


class Screen:
    """The terminal: shows the state, takes keys, looks each second."""

    def __init__(self, client: Client, looking: Looking, state: State, place: str) -> None:
        self._client, self._looking, self._state, self._place = client, looking, state, place
        self._keys: asyncio.Queue[str] = asyncio.Queue()
        self._clock = SystemClock()
        self._console = Console()

    async def run(self) -> None:
        """Go on until its reader has had enough."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, self._keys.put_nowait, "q")
        try:
            with (
                top_keys.reading(self._keys.put_nowait),
                Live(console=self._console, screen=True, auto_refresh=False, redirect_stdout=False) as live,
            ):
                await self._go_on(live)
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    async def _go_on(self, live: Live) -> None:
        looking: asyncio.Task[None] = asyncio.create_task(self._look())
        try:
            while True:
                self._draw(live)
                key = await self._next_key()
                wish = self._state.press(key) if key else None
                if wish == Wish.QUIT:
                    return
                if wish == Wish.ABORT:
                    await self._abort()
                if wish == Wish.LOOK:
                    looking.cancel()
                if looking.done() or wish == Wish.LOOK:
                    looking = asyncio.create_task(self._look())
        finally:
            looking.cancel()

    async def _next_key(self) -> str:
        """Return the next key, or `NOTHING` when it is time to draw again."""
        try:
            return await asyncio.wait_for(self._keys.get(), REFRESH_SECONDS)
        except (asyncio.TimeoutError, TimeoutError):
            return NOTHING

    async def _look(self) -> None:
        """Look once, then rest. A platform that does not answer is said so, and asked again."""
        asked = self._state.open
        try:
            seen = await self._looking.look(self._state)
        except errors.DayflyError as error:
            self._state.note = f"Not up to date: {error.message}"
        else:
            if asked == self._state.open:
                self._state.seen = seen
            if self._state.note.startswith("Not up to date"):
                self._state.note = ""
        self._keys.put_nowait(NOTHING)
        await asyncio.sleep(REFRESH_SECONDS)

    async def _abort(self) -> None:
        target, self._state.asking = self._state.asking, None
        assert target is not None
        try:
            await self._client.terminate_execution(target, "aborted in dayfly top")
            self._state.note = f"{target.name} was asked to end."
        except errors.DayflyError as error:
            self._state.note = error.message

    def _draw(self, live: Live) -> None:
        height = max(8, self._console.height - 1)
        shown = top_views.frame(self._state, place=self._place, now=self._clock.now(), height=height)
        live.update(shown, refresh=True)


def _named(project: str, domain: str) -> dict[str, str]:
    return {"project": project, "domain": domain}


def _run(one: Any) -> Run:
    closure = one.closure
    phase = ExecutionPhase(closure.phase)
    started, ended = watching.span(closure, phase in TERMINAL_EXECUTION)
    error = watching.error(closure)
    told = LAST_ERROR.sub("", error.message.strip()).partition("\n")[0] if error is not None else ""
    workflow = closure.workflow_id.name
    created = Micros(closure.created_at.ToMicroseconds())
    return Run(identifiers.from_execution_identifier(one.id), phase, workflow, created, started, ended, told)
