"""What clients ask before they log in. Nobody needs to here: the answers say so, and name no server to go to."""

from __future__ import annotations

from flyteidl.service import auth_pb2

from dayfly.services.settings import ApiSettings


class AuthMetadata:
    """GetOAuth2Metadata, GetPublicClientConfig."""

    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings

    async def get_oauth2_metadata(self, _: auth_pb2.OAuth2MetadataRequest) -> auth_pb2.OAuth2MetadataResponse:
        """Return an issuer without endpoints."""
        return auth_pb2.OAuth2MetadataResponse(issuer=self._settings.public_url)

    async def get_public_client_config(
        self, _: auth_pb2.PublicClientAuthConfigRequest
    ) -> auth_pb2.PublicClientAuthConfigResponse:
        """Return the header that tokens of an external command would travel in."""
        return auth_pb2.PublicClientAuthConfigResponse(
            authorization_metadata_key="flyte-authorization",
            service_http_endpoint=self._settings.public_url,
        )
