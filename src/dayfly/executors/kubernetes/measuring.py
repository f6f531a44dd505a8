"""What is asked of Kubernetes, counted for `/metrics`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import prometheus_client

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry


class Calls:
    """Counts calls of Kubernetes' API, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = prometheus_client.Counter(
            "dayfly_kubernetes_calls",
            "Calls of Kubernetes' API by method and kind.",
            ["method", "kind"],
            registry=registry,
        )

    def count(self, method: str, kind: str) -> None:
        """Count one call, be it answered or not."""
        self._calls.labels(method, kind).inc()
