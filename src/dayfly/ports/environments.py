"""From an image's name to a Python environment on this host."""

from __future__ import annotations

from typing import Protocol

import msgspec


class Environment(msgspec.Struct, frozen=True):
    """A Python environment."""

    python: str
    """Path of its interpreter."""
    name: str
    """What people call it."""


class Environments(Protocol):
    """Which environment stands for which image."""

    def find(self, image: str) -> Environment:
        """Return the environment for an image; the platform's own where no rule names the image."""
        ...

    async def versions(self, environment: Environment) -> dict[str, str]:
        """Return the versions of python, dask and distributed there ("" where absent). Raise `InvalidArgument` if it
        cannot be run."""
        ...
