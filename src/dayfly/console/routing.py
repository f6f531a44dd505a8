"""From an address to a page: what all pages have in common, errors above all.

A page is an entry in its module's `PAGES`; `building` routes them all.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import fastapi
from nicegui import ui

from dayfly.base import errors, ids, logs
from dayfly.console import addresses, frame
from dayfly.console.addresses import Place
from dayfly.console.site import Site, View

log = logs.get("dayfly.console")

PLACE_COOKIE = "dayfly-place"
"""Set by `static/theme.js`."""

SECONDS = 30.0
"""A page that takes longer to build says so."""

STATUSES: tuple[tuple[type[errors.DayflyError], int], ...] = (
    (errors.InvalidArgument, 400),
    (errors.NotFound, 404),
    (errors.PermissionDenied, 403),
    (errors.PlatformError, 503),
    (errors.DayflyError, 500),
)
"""HTTP status of a page that cannot be shown. First match wins."""


@dataclass(frozen=True)
class Page:
    """One page: its route below the console's root, and what puts it on the screen."""

    route: str
    """With names in braces, which end up in `View.path`."""
    build: Callable[[View], Awaitable[None]]
    """Fetches first, then shows: what is raised becomes a page of its own, in place of what was shown."""


def route(site: Site, page: Page) -> None:
    """Serve a page."""

    @ui.page(page.route, response_timeout=SECONDS)
    async def shown(request: fastapi.Request) -> fastapi.Response | None:
        view = View(site, request.path_params, dict(request.query_params), _last_place(request))
        try:
            await page.build(view)
        except errors.DayflyError as error:
            return await _refused(view, error)
        except Exception:  # noqa: BLE001  A door's outermost loop reports, and the server goes on.
            return await _refused(view, _incident(request.url.path))
        return None


def route_unknown(site: Site) -> None:
    """Serve every other address, with a page that says that there is none."""

    @ui.page("/{anything:path}", response_timeout=SECONDS)
    async def unknown(request: fastapi.Request) -> fastapi.Response:
        error = errors.NotFound(
            f"There is no page at {request.url.path}.", remedy="Go home, or search for what you want: press `/`."
        )
        return await _refused(View(site, {}, {}, _last_place(request)), error)


def _last_place(request: fastapi.Request) -> Place | None:
    return addresses.read_place(request.cookies.get(PLACE_COOKIE, ""))


def report(error: Exception) -> None:
    """Note what went wrong after a page was shown: NiceGUI's handlers have nobody else to tell."""
    log.error("a page of the console failed", exc_info=error)


def _incident(path: str) -> errors.DayflyError:
    incident = ids.unique()[:12]
    log.error("a page of the console failed", path=path, incident=incident, exc_info=True)
    return errors.DayflyError(
        "The console failed to make this page.", remedy=f"The server's log has the traceback under incident {incident}."
    )


async def _refused(view: View, error: errors.DayflyError) -> fastapi.Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    client = ui.context.client
    client.content.clear()
    with frame.page(view, title="Not shown", active=""):
        frame.problem(error)
    return client.build_response(client.request, status)
