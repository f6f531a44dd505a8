"""Dask's own dashboard of a cluster, made when somebody first looks at it.

Importing Bokeh takes a second of a core and tens of megabytes, which no start of a cluster pays here. Whoever forwards
requests to the dashboard asks for `OPEN_PATH` first, which answers once there is one.
"""

from __future__ import annotations

import asyncio
import importlib
from typing import Any

import dask
from distributed.http.utils import get_handlers
from tornado import web

OPEN_PATH = "/dayfly/open-dashboard"

MISSING = "The environment of this task has no bokeh, which Dask's dashboard is made of: pip install bokeh"


class Dashboard:
    """The dashboard of one scheduler, below `prefix` of its HTTP server."""

    def __init__(self, scheduler: Any, prefix: str) -> None:
        self._scheduler, self._prefix = scheduler, prefix
        self._opening = asyncio.Lock()
        self._open = False
        scheduler.http_application.add_handlers(".*", [(OPEN_PATH, Opener, {"dashboard": self})])

    @property
    def address(self) -> str:
        """Return `host:port` of the scheduler's HTTP server."""
        server = self._scheduler.http_server
        return f"{server.address}:{server.port}"

    async def open(self) -> None:
        """Make the dashboard, unless there is one. Raises `ImportError` where the environment has no Bokeh."""
        async with self._opening:
            if self._open:
                return
            # On a thread: meanwhile the scheduler goes on scheduling.
            pages = await asyncio.to_thread(importlib.import_module, "distributed.dashboard.scheduler")
            modules = dask.config.get("distributed.scheduler.http.routes")
            application, server = self._scheduler.http_application, self._scheduler.http_server
            application.add_handlers(".*", get_handlers(self._scheduler, modules, prefix=self._prefix))
            pages.connect(application, server, self._scheduler, prefix=self._prefix)
            self._open = True


class Opener(web.RequestHandler):
    """Answers once there is a dashboard: 204, or 501 and why there is none."""

    def initialize(self, dashboard: Dashboard) -> None:
        """Take the dashboard."""
        self._dashboard = dashboard

    async def get(self) -> None:
        """Open it."""
        try:
            await self._dashboard.open()
        except ImportError as error:
            self.set_status(501)
            self.finish(f"{MISSING} ({error})")
            return
        self.set_status(204)
