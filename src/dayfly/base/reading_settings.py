"""Reads the settings from the environment: `DAYFLY_<THEME>__<FIELD>`. Called once, by the command line."""

from __future__ import annotations

import json
from typing import Any

import pydantic
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from dayfly.base import errors
from dayfly.base import settings as themes


class _Environment(BaseSettings):
    """Reads `DAYFLY_<THEME>__<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="DAYFLY_", env_nested_delimiter="__")

    server: themes.ServerSettings = themes.ServerSettings()
    data: themes.DataSettings = themes.DataSettings()
    engine: themes.EngineSettings = themes.EngineSettings()
    lease: themes.LeaseSettings = themes.LeaseSettings()
    host: themes.HostSettings = themes.HostSettings()
    tasks: themes.TasksSettings = themes.TasksSettings()
    notifications: themes.NotificationsSettings = themes.NotificationsSettings()
    connectors: themes.ConnectorsSettings = themes.ConnectorsSettings()
    dask: themes.DaskSettings = themes.DaskSettings()
    kubernetes: themes.KubernetesSettings = themes.KubernetesSettings()

    @pydantic.field_validator("host", "notifications", "dask", "kubernetes", mode="before")
    @classmethod
    def _read_mappings(cls, told: Any) -> Any:
        """Read the mappings inside a theme from their JSON."""
        if not isinstance(told, dict):
            return told
        try:
            read = {name: json.loads(told[name]) for name in _MAPPINGS if isinstance(told.get(name), str)}
        except json.JSONDecodeError as error:
            names = " and ".join(name for name in _MAPPINGS if name in told)
            raise ValueError(f"{names} are no JSON: {error}") from error
        return told | read


_MAPPINGS = (
    "environments",
    "webhooks",
    "cluster_arguments",
    "pod_template",
    "environment",
    "interruptible",
    "safe",
)
"""Settings whose value is a mapping."""


def read() -> themes.Settings:
    """Return the settings that the environment says, defaults for the rest. Raise `InvalidArgument`, naming what does
    not make sense."""
    try:
        told = _Environment()
    except pydantic.ValidationError as error:
        wrong = [f"DAYFLY_{'__'.join(map(str, one['loc'])).upper()}: {one['msg']}" for one in error.errors()]
        raise _unreadable("; ".join(wrong)) from error
    except SettingsError as error:
        raise _unreadable(str(error)) from error
    return themes.Settings(
        told.server,
        told.data,
        told.engine,
        told.lease,
        told.host,
        told.tasks,
        told.notifications,
        told.connectors,
        told.dask,
        told.kubernetes,
    )


def _unreadable(why: str) -> errors.InvalidArgument:
    return errors.InvalidArgument(
        f"The settings in the environment cannot be used. {why}.",
        remedy="See docs/settings.md for names and values; a mapping is written as JSON.",
    )
