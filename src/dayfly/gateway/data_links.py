"""Uploads and downloads by signed link: the body streams between the client and the store, never whole in memory.

The link alone decides; headers are believed only where they say more (a length, an MD5), because flytekit's two
uploaders differ in what they send.
"""

from __future__ import annotations

import base64
import binascii
import mimetypes
from collections.abc import AsyncIterator

import fastapi
from starlette.requests import ClientDisconnect

from dayfly.base import errors
from dayfly.ports.blobs import Blobs
from dayfly.ports.links import Links

MD5_BYTES = 16

DOWNLOAD_HEADERS = {
    # Decks are users' HTML: they may run their scripts, but not as this site.
    "Content-Security-Policy": "sandbox allow-scripts allow-popups",
    "X-Content-Type-Options": "nosniff",
    "Accept-Ranges": "none",
    "Cache-Control": "private, no-store",
}


def router(blobs: Blobs, links: Links) -> fastapi.APIRouter:
    """Return the routes."""
    routes = fastapi.APIRouter(prefix="/api/dayfly/v1/data", include_in_schema=False)

    @routes.put("/{token}/{name}")
    async def upload(token: str, request: fastapi.Request) -> fastapi.Response:
        grant = links.read(token, "PUT")
        declared = _md5_header(request.headers.get("content-md5", ""))
        if grant.md5 and declared and declared != grant.md5:
            raise errors.InvalidArgument("Content-MD5 is not the MD5 that the link was made for.")
        length = request.headers.get("content-length")
        try:
            size = await blobs.put_stream(
                grant.uri,
                request.stream(),
                size_bytes=int(length) if length is not None else None,
                md5=grant.md5 or declared or None,
            )
        except ClientDisconnect as error:
            raise errors.InvalidArgument(f"The upload to {grant.uri} was cut off; nothing was kept.") from error
        return fastapi.responses.JSONResponse({"uri": grant.uri, "sizeBytes": size})

    @routes.api_route("/{token}/{name}", methods=["GET", "HEAD"])
    async def download(token: str, name: str, request: fastapi.Request) -> fastapi.Response:
        grant = links.read(token, "GET")
        info = await blobs.stat(grant.uri)
        if info is None:
            raise errors.NotFound(f"{grant.uri} does not exist.")
        headers = {**DOWNLOAD_HEADERS, "Content-Length": str(info.size_bytes)}
        kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
        if request.method == "HEAD":
            return fastapi.Response(headers=headers, media_type=kind)
        return fastapi.responses.StreamingResponse(_chunks(blobs, grant.uri), headers=headers, media_type=kind)

    return routes


async def _chunks(blobs: Blobs, uri: str) -> AsyncIterator[bytes]:
    async for chunk in blobs.read_stream(uri):
        yield chunk


def _md5_header(text: str) -> bytes:
    """Return the 16 bytes of a Content-MD5 header, none for a missing one."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise errors.InvalidArgument(f"Content-MD5 {text!r} is not base64.") from error
    if len(raw) not in (0, MD5_BYTES):
        raise errors.InvalidArgument(f"Content-MD5 has {len(raw)} bytes.", remedy=f"An MD5 has {MD5_BYTES}.")
    return raw
