"""Which RPCs the client tests have made, by test module: read from each server's own counters as it ends."""

from __future__ import annotations

import os
import re
import urllib.request

BY_MODULE: dict[str, set[str]] = {}
"""Names of RPCs that a server answered with OK while this module's tests ran."""

_COUNTED = re.compile(r'^dayfly_rpc_calls_total\{code="OK",rpc="(\w+)"\} ', re.MULTILINE)


def note(url: str) -> None:
    """Ask the server at `url` for its counters. One that is gone has nothing to tell."""
    try:
        with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
            note_counters(answer.read().decode())
    except OSError:
        return


def note_counters(told: str) -> None:
    """Take in the counters of a server, as `/metrics` tells them."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    if not test.startswith("tests/clients/"):
        return
    module = test.partition("::")[0].removeprefix("tests/clients/")
    BY_MODULE.setdefault(module, set()).update(_COUNTED.findall(told))
