"""Web pages for people: NiceGUI, in Python, loaded when a page is first asked for.

Knows: the public API through `client`, addresses of pages. Never knows: stores, services, executors; whatever a page
shows or does, anybody could through the API.
"""

from __future__ import annotations

from dayfly.console.addresses import ROOT
from dayfly.console.loading import Console, entrance
from dayfly.console.site import Site

__all__ = ["ROOT", "Console", "Site", "build", "entrance"]


def build(site: Site) -> Console:
    """Return the console of a platform, to be mounted at `ROOT`. NiceGUI is loaded when a page is first asked for."""
    return Console(site)
