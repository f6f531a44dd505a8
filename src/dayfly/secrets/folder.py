"""Secrets in files: one file each, readable by their owner alone, by scope, group, version and key.

Written by `dayfly secret`, read when an attempt is started. Below a scope the files lie as flytekit itself looks for
them: `<group>/<version>/<key>` in lower case, so that a scope can serve as its `FLYTE_SECRETS_DEFAULT_DIR`.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from dayfly.base import data_folder, errors

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")

MAX_BYTES = 1024 * 1024
"""What Kubernetes allows a Secret to hold."""


class Scope(msgspec.Struct, frozen=True, order=True):
    """For whom a secret is: everybody, one project, or one domain of it."""

    project: str = ""
    domain: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.project, self.domain))) or "everywhere"


class Name(msgspec.Struct, frozen=True, order=True):
    """What a secret is called; names differ by more than case."""

    group: str
    key: str
    version: str = ""

    def __str__(self) -> str:
        told = f"{self.group}/{self.key}" if self.group else self.key
        return f"{told}@{self.version}" if self.version else told


class SecretFolder:
    """All secrets of one data folder."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, scope: Scope, name: Name, value: bytes) -> None:
        """Keep a value, in place of an earlier one. Raise `InvalidArgument`, or `PlatformError` for a full disk."""
        if len(value) > MAX_BYTES:
            raise errors.InvalidArgument(f"Secret {name} has {len(value)} bytes; it may have {MAX_BYTES}.")
        file = self._file(scope, name)
        made = [each for each in (file.parent, *file.parent.parents) if self._root in (each, *each.parents)]
        for folder in reversed(made):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data_folder.write_whole(file, value, mode=0o600)

    def find(self, project: str, domain: str, name: Name) -> bytes | None:
        """Return the value that holds for a domain: its own, else its project's, else everybody's. None if none."""
        for scope in (Scope(project, domain), Scope(project), Scope()):
            try:
                return self._file(scope, name).read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                continue
        return None

    def keys(self, project: str, domain: str, group: str, version: str = "") -> set[str]:
        """Return the keys of a group that hold for a domain."""
        found = set()
        for scope in (Scope(project, domain), Scope(project), Scope()):
            folder = self._file(scope, Name(group, "any", version)).parent
            found |= {file.name for file in folder.glob("*") if file.is_file() and not file.name.startswith(".")}
        return found

    def list_all(self) -> list[tuple[Scope, Name]]:
        """Return what is kept, by name alone."""
        return sorted(
            (scope, _name_of(file.relative_to(folder).parts))
            for folder, scope in self._scopes()
            for file in folder.rglob("*")
            if file.is_file() and not file.name.startswith(".")
        )

    def delete(self, scope: Scope, name: Name) -> None:
        """Remove one. Raise `NotFound`."""
        file = self._file(scope, name)
        try:
            file.unlink()
        except FileNotFoundError as error:
            raise errors.NotFound(
                f"There is no secret {name} for {scope}.", remedy="`dayfly secret list` shows what there is."
            ) from error
        for folder in file.parents:
            if folder == self._root or any(folder.iterdir()):
                break
            folder.rmdir()

    def path(self, scope: Scope) -> Path:
        """Return the folder of a scope."""
        if scope.domain:
            return self._root / "domains" / _checked(scope.project, "project") / _checked(scope.domain, "domain")
        if scope.project:
            return self._root / "projects" / _checked(scope.project, "project")
        return self._root / "everywhere"

    def _file(self, scope: Scope, name: Name) -> Path:
        parts = [(name.group, "group"), (name.version, "version"), (name.key, "key")]
        words = [_checked(value, what).lower() for value, what in parts if value or what == "key"]
        return self.path(scope).joinpath(*words)

    def _scopes(self) -> list[tuple[Path, Scope]]:
        found = [(self._root / "everywhere", Scope())]
        found += [(folder, Scope(folder.name)) for folder in (self._root / "projects").glob("*")]
        found += [(folder, Scope(folder.parent.name, folder.name)) for folder in (self._root / "domains").glob("*/*")]
        return [(folder, scope) for folder, scope in found if os.path.isdir(folder)]


def _checked(word: str, what: str) -> str:
    if not _NAME.fullmatch(word):
        raise errors.InvalidArgument(
            f"A secret's {what} cannot be {word!r}.", remedy="Use letters, digits, '_', '-' and '.', a letter first."
        )
    return word


def _name_of(parts: tuple[str, ...]) -> Name:
    if len(parts) == 1:
        return Name("", parts[0])
    return Name(parts[0], parts[-1], parts[1] if len(parts) > 2 else "")
