"""Loaded by Python itself, where `PYTHONPATH` names this folder: no dashboard of a pod can be reached from here.

So it is on a laptop that has a kubeconfig and nothing else. The API server is asked at another port.
"""

from __future__ import annotations

import sys
from typing import Any

OUT_OF_REACH = 8787


def refuse(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse connections to the port, as a firewall would."""
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][1] == OUT_OF_REACH:
        raise ConnectionRefusedError(f"{arguments[1][0]} is out of reach")


sys.addaudithook(refuse)
