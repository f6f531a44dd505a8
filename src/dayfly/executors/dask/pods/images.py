"""Images as environments, where nobody can look into them before they run."""

from __future__ import annotations

from dayfly.ports.environments import Environment


class AnyImage:
    """Implements `ports.environments.Environments`: every image is an environment of its own, and none is compared
    beforehand. Roles with different versions are told by what Dask itself says."""

    def find(self, image: str) -> Environment:
        """Return the image's environment; all are taken for one, since none can be asked."""
        return Environment("python", image)

    async def versions(self, environment: Environment) -> dict[str, str]:
        """Return nothing: it is not known here."""
        return {}
