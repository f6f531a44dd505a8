"""Images as environments, where nobody can look into them before they run."""

from __future__ import annotations

from dayfly.ports.environments import Environment


class AnyImage:
    """Implements `ports.environments.Environments`: all images are taken for one environment, since none can be asked.
    Roles with different versions are told by what Dask itself says."""

    def find(self, image: str) -> Environment:
        """Return the one environment."""
        return Environment("python", image)

    async def versions(self, environment: Environment) -> dict[str, str]:
        """Return nothing: it is not known here."""
        return {}
