"""Which version of the platform answers."""

from __future__ import annotations

from flyteidl.admin import version_pb2

from dayfly.services.settings import ApiSettings


class Version:
    """GetVersion."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings

    async def get(self, _: version_pb2.GetVersionRequest) -> version_pb2.GetVersionResponse:
        """Return the version, with the `v` that clients look for."""
        version = version_pb2.Version(Version=f"v{self._settings.version}", Build="dayfly")
        return version_pb2.GetVersionResponse(control_plane_version=version)
