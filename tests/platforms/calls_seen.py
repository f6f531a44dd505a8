"""Which RPCs the client tests have made, by test module: read from each server's own counters as it ends.

Tests run in several processes, so that what each has seen is kept as a file where `DAYFLY_CALLS_SEEN` names a folder.
"""

from __future__ import annotations

import json
import os
import re
import urllib.request
from pathlib import Path

FOLDER = "DAYFLY_CALLS_SEEN"
"""Environment variable that names the folder."""

_seen: dict[str, set[str]] = {}

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
    _seen.setdefault(module, set()).update(_COUNTED.findall(told))
    if os.environ.get(FOLDER):
        folder = Path(os.environ[FOLDER])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{os.getpid()}.json").write_text(json.dumps({name: sorted(rpcs) for name, rpcs in _seen.items()}))


def by_module() -> dict[str, set[str]]:
    """Return the names of RPCs that a server answered with OK, by the module whose tests ran meanwhile: those of this
    process, and of all that kept theirs."""
    found = {name: set(rpcs) for name, rpcs in _seen.items()}
    if os.environ.get(FOLDER):
        for path in Path(os.environ[FOLDER]).glob("*.json"):
            for name, rpcs in json.loads(path.read_text()).items():
                found.setdefault(name, set()).update(rpcs)
    return found
