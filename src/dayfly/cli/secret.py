"""`dayfly secret`: keep secrets for tasks in the data folder, list their names, delete them.

Works on the files themselves, with or without a running platform: no value ever leaves this host by the API. Values are
read from standard input, a prompt or a file, never from the command line, which `ps` shows.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from dayfly import secrets
from dayfly.base import errors
from dayfly.base.settings import DataSettings
from dayfly.secrets.folder import Name, Scope

_data = click.option("--data", type=click.Path(path_type=Path), help="Data folder of the platform.  [~/.dayfly]")
_project = click.option("--project", "-p", default="", help="Only for this project.")
_domain = click.option("--domain", "-d", default="", help="Only for this domain of the project.")


def _scoped(function: Callable[..., Any]) -> Callable[..., Any]:
    return _data(_project(_domain(function)))


@click.group("secret")
def command() -> None:
    """Keep secrets for tasks, in files that their owner alone can read."""


@command.command("set")
@click.argument("name")
@click.option("--from-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Read the value there.")
@_scoped
def set_(name: str, from_file: Path | None, project: str, domain: str, data: Path | None) -> None:
    """Keep the secret NAME: `group/key`, or `group/key@version`. The value comes from standard input."""
    scope = _scope(project, domain)
    _open(data).put(scope, _parse(name), _read_value(from_file))
    click.echo(f"Secret {name} is kept for {scope}.")


@command.command("list")
@_data
def list_(data: Path | None) -> None:
    """Print the names of all secrets, each with for whom it is."""
    for scope, name in _open(data).list_all():
        click.echo(f"{name}  ({scope})")


@command.command("delete")
@click.argument("name")
@_scoped
def delete(name: str, project: str, domain: str, data: Path | None) -> None:
    """Delete the secret NAME."""
    scope = _scope(project, domain)
    _open(data).delete(scope, _parse(name))
    click.echo(f"Secret {name} for {scope} is deleted.")


def _open(data: Path | None) -> secrets.folder.SecretFolder:
    return secrets.open_folder((data or DataSettings().folder).expanduser())


def _scope(project: str, domain: str) -> Scope:
    if domain and not project:
        raise errors.InvalidArgument("A domain belongs to a project.", remedy="Name it with --project.")
    return Scope(project, domain)


def _parse(name: str) -> Name:
    path, _, version = name.partition("@")
    group, _, key = path.rpartition("/")
    return Name(group, key, version)


def _read_value(file: Path | None) -> bytes:
    if file is not None:
        return file.read_bytes()
    if sys.stdin.isatty():
        return str(click.prompt("Value", hide_input=True, confirmation_prompt=True)).encode()
    return sys.stdin.buffer.read().removesuffix(b"\n")
