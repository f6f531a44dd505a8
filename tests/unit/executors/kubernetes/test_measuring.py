from __future__ import annotations

import prometheus_client

from dayfly.executors.kubernetes import measuring


def test_calls_are_counted_by_method_and_kind() -> None:
    registry = prometheus_client.CollectorRegistry()
    calls = measuring.Calls(registry)
    for method, kind in (("GET", "pods"), ("GET", "pods"), ("DELETE", "services")):
        calls.count(method, kind)

    def counted(method: str, kind: str) -> float | None:
        return registry.get_sample_value("dayfly_kubernetes_calls_total", {"method": method, "kind": kind})

    assert (counted("GET", "pods"), counted("DELETE", "services"), counted("POST", "pods")) == (2, 1, None)
