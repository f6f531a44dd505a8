"""One file a page, or pages that are one thing. Each has its entries in a tuple `PAGES`; this is the list of them all.

Every page shows what the API says and no more; what several pages share is one folder up.
"""

from __future__ import annotations

from dayfly.console.pages import (
    cache,
    clusters,
    compare,
    execution,
    health,
    home,
    launch,
    runs,
    schedules,
    task,
    tasks,
    versions,
    workflow,
    workflows,
)

PAGES = (
    home,
    runs,
    execution,
    compare,
    clusters,
    workflows,
    workflow,
    tasks,
    task,
    schedules,
    launch,
    versions,
    cache,
    health,
)
"""Modules; the order does not matter, for no two routes are the same."""
