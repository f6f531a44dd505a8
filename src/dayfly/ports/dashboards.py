"""Where Dask's own dashboard of an attempt is reached: executors give clusters this prefix, the gateway forwards it."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple, Protocol
from urllib.parse import quote

from dayfly.model.identifiers import AttemptKey

ROOT = "/api/dayfly/v1/dashboards"

LINK_NAME = "Dask dashboard"
"""Name of the link among an attempt's logs."""

ADDRESS_FIELD = "dashboardAddress"
"""Field of an attempt's `custom_info.dask`: `host:port` that the gateway forwards to, while the cluster lives."""


class Way(NamedTuple):
    """How an HTTP server is reached. Who asks it anything, for a websocket too, uses all of this."""

    url: str
    """Paths of the server follow it."""
    headers: Mapping[str, str] = {}
    """Let one in: nothing for other eyes."""
    tls: ssl.SSLContext | bool | None = None
    """None is plain HTTP to an address of the platform's own network, for which no proxy is set in the environment."""
    server_name: str = ""
    """That the certificate is of, where it is not the host."""
    proxy: str = ""
    put_in_front: str = ""
    """What is added on the way in front of paths in links of pages and in redirects."""


class Ways(Protocol):
    """Knows ways to HTTP servers of attempts whose own address may be out of reach."""

    async def find_way(self, key: AttemptKey, address: str, *, anew: bool = False) -> Way | None:
        """Return another way to `host:port`, which is a part of this attempt's; None if there is none.

        `anew` has credentials read again: those of the last way were refused. Raise `ExecutorUnavailable`.
        """
        ...


def prefix_of(key: AttemptKey) -> str:
    """Return the path that all pages of one cluster's dashboard lie below."""
    return f"{ROOT}/{quote(key)}"


def link_to(public_url: str, key: AttemptKey) -> str:
    """Return the address for a browser."""
    return f"{public_url}{prefix_of(key)}/status"
