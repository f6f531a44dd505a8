"""Which server a command talks to: `--config`, `$FLYTECTL_CONFIG`, the one of the data folder, or the usual address."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import yaml

from dayfly.base import data_folder, errors
from dayfly.base.settings import DataSettings, ServerSettings

PROJECT, DOMAIN = "flytesnacks", "development"
"""What is meant where nobody says."""

SCHEMES = ("dns:///", "http://", "https://")

config_option: Callable[[Any], Any] = click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="Client configuration of the server.  [$FLYTECTL_CONFIG, else the one that `dayfly up` started]",
)
project_option: Callable[[Any], Any] = click.option("--project", "-p", default=PROJECT, show_default=True)
domain_option: Callable[[Any], Any] = click.option("--domain", "-d", default=DOMAIN, show_default=True)


def find_address(config: Path | None) -> str:
    """Return `host:port`. Raise `InvalidArgument` for a configuration without an endpoint."""
    named = config or (Path(os.environ["FLYTECTL_CONFIG"]) if os.environ.get("FLYTECTL_CONFIG") else None)
    if named is not None:
        return read_endpoint(named)
    usual = ServerSettings()
    return data_folder.find_address(DataSettings().folder) or f"{usual.host}:{usual.port}"


def read_endpoint(config: Path) -> str:
    """Return the admin endpoint of a Flyte client configuration. Raise `InvalidArgument`."""
    try:
        endpoint = yaml.safe_load(config.read_text())["admin"]["endpoint"]
    except OSError as error:
        raise errors.InvalidArgument(f"The client configuration {config} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise errors.InvalidArgument(
            f"The client configuration {config} has no admin.endpoint.",
            remedy="Use the config.yaml that `dayfly up` writes into its data folder.",
        ) from error
    for scheme in SCHEMES:
        endpoint = str(endpoint).removeprefix(scheme)
    return str(endpoint)
