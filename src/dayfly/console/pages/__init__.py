"""One file a page, or pages that are one thing. Each has its entries in a tuple `PAGES`; this is the list of them all.

Every page shows what the API says and no more; what several pages share is one folder up.
"""

from __future__ import annotations

from dayfly.console.pages import cache, compare, execution, health, home, runs, versions

PAGES = (home, runs, execution, versions, cache, compare, health)
"""Modules; the order does not matter, for no two routes are the same."""
