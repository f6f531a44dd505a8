"""What the API counts about itself, for `/metrics`."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram


class Measures:
    """Counts and times calls, in the registry it is given."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter("dayfly_rpc_calls", "Calls by RPC and status.", ["rpc", "code"], registry=registry)
        self._seconds = Histogram("dayfly_rpc_seconds", "Seconds a call took.", ["rpc"], registry=registry)

    def answered(self, rpc: str, code: str, seconds: float) -> None:
        """Count one call."""
        self._calls.labels(rpc, code).inc()
        self._seconds.labels(rpc).observe(seconds)
