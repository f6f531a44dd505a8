"""Which packages a worker has in other versions than the scheduler: Dask itself only warns of it, in their logs.

Called by `recording` for each worker that joins.
"""

from __future__ import annotations

from typing import Any

from distributed import versions


def find(told: Any) -> dict[str, list[str]]:
    """Return the packages that differ: their version on the worker, which has `told` its own, and the one here."""
    theirs, ours = _packages(told), _packages(versions.get_versions())
    return {name: [theirs[name], ours.get(name, "")] for name in theirs if theirs[name] != ours.get(name, "")}


def _packages(told: Any) -> dict[str, str]:
    """Return the version of each package, empty for one that is not there; of Python, the minor version."""
    packages = {name: str(version or "") for name, version in ((told or {}).get("packages") or {}).items()}
    if "python" in packages:
        packages["python"] = ".".join(packages["python"].split(".")[:2])
    return packages
