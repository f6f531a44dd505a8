"""Brings secrets to an attempt, as Flyte's webhook does: files below a folder of its own, and variables.

A variable's value goes into a file too, which the attempt's process reads as it begins: so no value is in a spec, a
record, or a command line. The folder goes when the attempt is over. Contract: flytepropeller/pkg/webhook in
flyteorg/flyte, and `SecretsManager` in flytekit/core/context_manager.py.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from dayfly.base import data_folder, errors
from dayfly.model import identifiers
from dayfly.secrets import finding
from dayfly.secrets.folder import Name

if TYPE_CHECKING:
    from dayfly.model.identifiers import AttemptKey
    from dayfly.ports.executors import AttemptSpec
    from dayfly.ports.secrets import SecretRequest

ENV_PREFIX = "_FSEC_"
"""Of the variables in which flytekit looks for secrets."""


ALL = "*"
"""Stands for the keys of a group that has none, where it is told."""


class SecretNotFound(errors.NotFound):
    """A task asks for a secret that is nowhere."""

    code = "SecretNotFound"


class Delivery:
    """Implements `ports.secrets.Secrets` on this host; `root` is private to it."""

    def __init__(self, finder: finding.Finder, root: Path) -> None:
        self._finder, self._root = finder, root

    async def deliver(self, spec: AttemptSpec) -> AttemptSpec:
        """Write what the spec asks for and say where it lies. Raise `SecretNotFound`."""
        if not spec.secrets:
            return spec
        execution, _, _ = identifiers.parse_attempt_key(spec.key)
        found = {}
        missing = []
        for request in spec.secrets:
            for name in self._names(execution.project, execution.domain, request):
                value = None
                if name.key != ALL:
                    value = self._finder.find(execution.project, execution.domain, name)
                if value is None:
                    missing.append(name)
                else:
                    found[request, name] = value
        if missing:
            raise _missing(spec, missing, self._finder)
        return await asyncio.to_thread(self._write, spec, found)

    async def withdraw(self, key: AttemptKey) -> None:
        """Remove the attempt's folder."""
        await asyncio.to_thread(shutil.rmtree, self._folder(key), ignore_errors=True)

    def sweep(self, kept: Iterable[AttemptKey]) -> None:
        """Remove what earlier platforms have delivered to attempts that nobody keeps any more."""
        wanted = {self._folder(key).name for key in kept}
        for folder in self._root.glob("*"):
            if folder.name not in wanted:
                shutil.rmtree(folder, ignore_errors=True)

    def _names(self, project: str, domain: str, request: SecretRequest) -> list[Name]:
        if request.key:
            return [Name(request.group, request.key, request.version)]
        keys = sorted(self._finder.keys(project, domain, request.group, request.version))
        return [Name(request.group, key, request.version) for key in keys or (ALL,)]

    def _write(self, spec: AttemptSpec, found: dict[tuple[SecretRequest, Name], bytes]) -> AttemptSpec:
        folder = self._folder(spec.key)
        files, variables = folder / "files", folder / "variables"
        for each in (self._root, folder, files, variables):
            each.mkdir(mode=0o700, parents=True, exist_ok=True)
        env = {
            "FLYTE_SECRETS_DEFAULT_DIR": str(files),
            "FLYTE_SECRETS_FILE_PREFIX": "",
            "FLYTE_SECRETS_ENV_PREFIX": ENV_PREFIX,
        }
        env_files = {}
        for (request, name), value in found.items():
            if request.as_variable:
                written = _put(variables / finding.variable(name), value)
                env_files[ENV_PREFIX + finding.variable(name)] = str(written)
                if request.variable:
                    env_files[request.variable] = str(written)
                continue
            written = _put(files.joinpath(*finding.path_parts(name)), value)
            if request.variable:
                env[request.variable] = str(written)
        return msgspec.structs.replace(spec, env={**spec.env, **env}, env_files=env_files)

    def _folder(self, key: AttemptKey) -> Path:
        return self._root / key.replace("/", ".")


def _put(file: Path, value: bytes) -> Path:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    data_folder.write_whole(file, value, mode=0o600)
    return file


def _missing(spec: AttemptSpec, names: list[Name], finder: finding.Finder) -> SecretNotFound:
    execution, _, _ = identifiers.parse_attempt_key(spec.key)
    told = ", ".join(map(str, names))
    return SecretNotFound(
        f"{spec.task} asks for the secret {told}, which is in none of: {finder.tell(names[0])}.",
        remedy=f"dayfly secret set {names[0]} --project {execution.project} --domain {execution.domain}",
    )
