"""Who calls. Nobody logs in, so everybody is the same nameless person, as in Flyte without authentication."""

from __future__ import annotations

from flyteidl.service import identity_pb2

ANONYMOUS = ""
"""The principal of callers that nobody asked for a name."""


class Identity:
    """UserInfo."""

    async def user_info(self, _: identity_pb2.UserInfoRequest) -> identity_pb2.UserInfoResponse:
        """Return what is known of the caller: nothing."""
        return identity_pb2.UserInfoResponse(subject=ANONYMOUS)
