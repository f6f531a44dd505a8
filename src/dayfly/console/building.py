"""Makes NiceGUI's application out of the pages. Imported by `loading`, when the first page is asked for.

NiceGUI keeps one application a process; a second platform in the same process takes it over.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator
from pathlib import Path

import fastapi
from nicegui import app as nicegui_app
from nicegui import ui

from dayfly.console import pages, routing, static_files
from dayfly.console.site import Site

RECONNECT_SECONDS = 20.0
"""A page whose connection was away for less goes on as if nothing had been."""


@contextlib.asynccontextmanager
async def running(site: Site) -> AsyncIterator[fastapi.FastAPI]:
    """Yield the application, which runs for as long as the context lives."""
    # Of a platform before this one in the same process.
    nicegui_app.user_middleware.clear()
    nicegui_app.middleware_stack = None
    outer = fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    static_files.serve(nicegui_app)
    for module in pages.PAGES:
        for page in module.PAGES:
            routing.route(site, page)
    ui.run_with(
        outer,
        title="Dayfly",
        favicon=Path(static_files.FOLDER) / "favicon.svg",
        dark=None,
        language="en-US",
        tailwind=False,
        reconnect_timeout=RECONNECT_SECONDS,
        show_welcome_message=False,
    )
    # Quasar's bar for requests under way has no name that could be read out, and our pages say themselves what is late.
    nicegui_app.config.quasar_config["loadingBar"]["skipHijack"] = True
    _report_errors()
    async with outer.router.lifespan_context(outer):
        routing.route_unknown(site)  # Last: it takes every address that nothing else has, NiceGUI's own included.
        yield outer


@functools.cache
def _report_errors() -> None:
    nicegui_app.on_exception(routing.report)
