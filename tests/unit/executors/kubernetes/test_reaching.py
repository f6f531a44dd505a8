"""Which port of which pod an address is."""

from __future__ import annotations

import pytest

from dayfly.executors.kubernetes import reaching


def pod(name: str, address: str | None) -> dict[str, object]:
    status = {"podIP": address} if address else {}
    return {"metadata": {"namespace": "p-d", "name": name}, "status": status}


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("10.0.0.7:8787", "/api/v1/namespaces/p-d/pods/e-scheduler:8787/proxy"),
        ("10.0.0.8:80", "/api/v1/namespaces/p-d/pods/e-worker-0:80/proxy"),
        ("[fd00::7]:8787", "/api/v1/namespaces/p-d/pods/e-worker-1:8787/proxy"),
        ("10.0.0.9:8787", ""),
        ("", ""),
        (":8787", ""),
    ],
)
def test_an_address_is_that_of_a_pod(address: str, path: str) -> None:
    pods = [
        pod("e", None),
        pod("e-scheduler", "10.0.0.7"),
        pod("e-worker-0", "10.0.0.8"),
        pod("e-worker-1", "fd00::7"),
    ]
    assert reaching.path_of(pods, address) == path
