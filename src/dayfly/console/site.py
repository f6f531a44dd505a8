"""What every page is given: the ways to the platform, and what was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dayfly.base.clock import Clock
from dayfly.client.connecting import Client
from dayfly.client.http_api import HttpApi
from dayfly.console.addresses import Place


@dataclass(frozen=True)
class Site:
    """The console of one platform."""

    client: Client
    """Flyte's API."""
    http: HttpApi
    """Dayfly's own API."""
    clock: Clock
    public_url: str
    """Without a slash at its end; where browsers and clients reach the platform."""
    version: str


@dataclass(frozen=True)
class View:
    """One page that one person looks at."""

    site: Site
    path: Mapping[str, str]
    """Parts of the address, by the names in the page's route."""
    query: Mapping[str, str]
    """What follows `?`; of a name that is given twice the last."""
    last_place: Place | None = None
    """Where the reader was last, as their browser says; None if it says nothing."""

    @property
    def client(self) -> Client:
        """Return the way to Flyte's API."""
        return self.site.client

    @property
    def http(self) -> HttpApi:
        """Return the way to Dayfly's own API."""
        return self.site.http

    @property
    def place(self) -> Place | None:
        """Return project and domain; None on pages about all of them."""
        if "project" not in self.path:
            return None
        return Place(self.path["project"], self.path["domain"])
