"""Where Dask's own dashboard of an attempt is reached: executors give clusters this prefix, the gateway forwards it."""

from __future__ import annotations

from urllib.parse import quote

from dayfly.model.identifiers import AttemptKey

ROOT = "/api/dayfly/v1/dashboards"

LINK_NAME = "Dask dashboard"
"""Name of the link among an attempt's logs."""

ADDRESS_FIELD = "dashboardAddress"
"""Field of an attempt's `custom_info.dask`: `host:port` that the gateway forwards to, while the cluster lives."""


def prefix_of(key: AttemptKey) -> str:
    """Return the path that all pages of one cluster's dashboard lie below."""
    return f"{ROOT}/{quote(key)}"


def link_to(public_url: str, key: AttemptKey) -> str:
    """Return the address for a browser."""
    return f"{public_url}{prefix_of(key)}/status"
