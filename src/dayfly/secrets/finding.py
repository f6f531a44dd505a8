"""Where a secret is looked for: the data folder, then the platform's environment, then files that are mounted."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dayfly.secrets.folder import Name, SecretFolder

PREFIX = "DAYFLY_SECRET_"
"""Of variables of the platform that hold secrets: `DAYFLY_SECRET_<GROUP>_<VERSION>_<KEY>`. No task inherits them."""


class Finder:
    """All places, in their order."""

    def __init__(self, folder: SecretFolder, environment: Mapping[str, str], mounted: Path | None) -> None:
        self._folder, self._environment, self._mounted = folder, environment, mounted

    def find(self, project: str, domain: str, name: Name) -> bytes | None:
        """Return the value that holds for a domain, None where it is nowhere. Raise `InvalidArgument` for a name that
        cannot be one."""
        kept = self._folder.find(project, domain, name)
        if kept is not None:
            return kept
        told = self._environment.get(PREFIX + variable(name))
        return told.encode() if told is not None else self._read_mounted(name)

    def keys(self, project: str, domain: str, group: str, version: str = "") -> set[str]:
        """Return all keys of a group that can be listed: those in files."""
        keys = self._folder.keys(project, domain, group, version)
        if self._mounted is not None:
            folder = self._mounted.joinpath(*filter(None, (group.lower(), version.lower())))
            keys |= {file.name for file in folder.glob("[!.]*") if file.is_file()}
        return keys

    def tell(self, name: Name) -> str:
        """Say in words where the secret was looked for."""
        places = ["the data folder's secrets", f"the platform's variable {PREFIX}{variable(name)}"]
        if self._mounted is not None:
            places.append(f"files below {self._mounted}")
        return ", ".join(places)

    def _read_mounted(self, name: Name) -> bytes | None:
        if self._mounted is None:
            return None
        try:
            return self._mounted.joinpath(*path_parts(name)).read_bytes()
        except OSError:
            return None


def variable(name: Name) -> str:
    """Return the name as flytekit writes it in a variable, its prefix apart."""
    return "_".join(filter(None, (name.group, name.version, name.key))).upper()


def path_parts(name: Name) -> tuple[str, ...]:
    """Return the name as flytekit writes it in a file's path."""
    return tuple(word.lower() for word in (name.group, name.version, name.key) if word)
