"""Finds the environment of an image by rules, the first that fits; implements `ports.environments`."""

from __future__ import annotations

import asyncio
import fnmatch
import json
import subprocess

from dayfly.base import errors
from dayfly.ports.environments import Environment

OWN = "the platform's own"

PROBE_TIMEOUT_SECONDS = 60.0
"""An interpreter that takes longer to say its version does not work."""

_PROBE = """
import importlib.metadata as metadata, json, platform
def version(name):
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
print(json.dumps({"python": platform.python_version(), "dask": version("dask"), "distributed": version("distributed")}))
"""
"""Reads metadata only: importing distributed would take a second."""


class ImageRules:
    """Rules from globs of image names to interpreters; the platform's own interpreter for everything else."""

    def __init__(self, own_python: str, rules: tuple[tuple[str, str], ...] = ()) -> None:
        self._own = Environment(own_python, OWN)
        self._rules = rules
        self._versions: dict[str, dict[str, str]] = {}

    def find(self, image: str) -> Environment:
        """Return the environment for an image."""
        for glob, python in self._rules:
            if fnmatch.fnmatchcase(image, glob):
                return Environment(python, glob)
        return self._own

    async def versions(self, environment: Environment) -> dict[str, str]:
        """Return the versions of python, dask and distributed there. Raises `InvalidArgument` if it cannot be run."""
        known = self._versions.get(environment.python)
        if known is None:
            known = await asyncio.to_thread(_probe, environment)
            self._versions[environment.python] = known
        return known


def _probe(environment: Environment) -> dict[str, str]:
    try:
        ran = subprocess.run(
            [environment.python, "-c", _PROBE],
            capture_output=True,
            check=True,
            text=True,
            timeout=PROBE_TIMEOUT_SECONDS,
        )
        found: dict[str, str] = json.loads(ran.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise errors.InvalidArgument(
            f"The interpreter {environment.python} of environment {environment.name} does not run: {error}.",
            remedy="Correct the rule for this image in the environments' settings.",
        ) from error
    return found
