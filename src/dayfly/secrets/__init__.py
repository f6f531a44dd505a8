"""Secrets of tasks: kept in files of our own, or found in the environment or in mounted files; brought to attempts.

Knows: names, scopes and values of secrets. Never knows: retries, phases, gRPC, databases: no value leaves by the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dayfly.secrets import delivering, finding, folder

__all__ = ["build", "open_folder"]


def open_folder(data: Path) -> folder.SecretFolder:
    """Return the secrets kept in a data folder."""
    return folder.SecretFolder(data / "secrets")


def build(data: Path, environment: Mapping[str, str], mounted: Path | None = None) -> delivering.Delivery:
    """Return what brings secrets to attempts: from the data folder first, then from `environment`, then from files
    below `mounted`."""
    return delivering.Delivery(finding.Finder(open_folder(data), environment, mounted), data / "run" / "secrets")
