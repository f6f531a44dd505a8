"""REST of the API under `/api/v1`, at the paths that flyteidl's services name: the same methods, as JSON or protobuf.

Answers and errors have the form that grpc-gateway gives them, which flyteconsole and scripts know.
"""

from __future__ import annotations

import asyncio
import functools
import json
from urllib.parse import parse_qsl

import fastapi
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor

from dayfly.base import errors
from dayfly.gateway import routes, same_site, transcoding
from dayfly.ports.calls import Calls

CODES = ("OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
         "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
         "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED")  # fmt: skip
"""gRPC's codes by their numbers."""

PATHS = ("/api/v1/{rest:path}", "/me", "/.well-known/oauth-authorization-server", "/config/v1/flyte_client")

VERBS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"]

JSON = "application/json"

QUICK_BYTES = 256 * 1024
"""More than this is read and written as JSON on a thread: 20 MiB take seconds, and everybody else would wait."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@functools.cache
def table() -> routes.Table:
    """Return the routes, read when they are first needed."""
    return routes.Table()


def router(calls: Calls, *, max_bytes: int, public_url: str) -> fastapi.APIRouter:
    """Return the routes. Bodies over `max_bytes` are refused; `public_url` names the host that browsers may use."""
    served = fastapi.APIRouter()

    async def answer(request: fastapi.Request) -> fastapi.Response:
        same_site.check(request, public_url)
        raw_path = request.scope["raw_path"].decode("ascii", "replace").partition("?")[0]
        verb = "GET" if request.method == "HEAD" else request.method
        found = table().find(verb, raw_path)
        if found is None:
            return _not_served(request.method, raw_path)
        try:
            body = await _read(request, max_bytes) if found.route.has_body else b""
        except errors.ResourceExhausted as error:
            return _refusal("RESOURCE_EXHAUSTED", str(error), 413)
        return await _call(calls, request, found, body)

    for path in PATHS:
        served.add_api_route(path, answer, methods=VERBS, include_in_schema=False)
    return served


async def _call(calls: Calls, request: fastapi.Request, found: routes.Found, body: bytes) -> fastapi.Response:
    method: MethodDescriptor = found.route.method
    query = () if found.route.has_body else parse_qsl(request.url.query, keep_blank_values=True)
    try:
        build = functools.partial(
            transcoding.build_request,
            method.input_type,
            path=found.fields,
            query=query,
            body=body,
            binary=_is_binary(request, "content-type"),
        )
        sent = await asyncio.to_thread(build) if len(body) > QUICK_BYTES else build()
        answered = await calls(method.containing_service.full_name, method.name, sent.SerializeToString())
        if answered.code != "OK":
            return _refusal(answered.code, answered.message)
        if _is_binary(request, "accept"):
            return fastapi.Response(answered.body, media_type=transcoding.BINARY[0], headers=HEADERS)
        message = message_factory.GetMessageClass(method.output_type).FromString(answered.body)
        big = len(answered.body) > QUICK_BYTES
        told = await asyncio.to_thread(transcoding.to_json, message) if big else transcoding.to_json(message)
        return fastapi.Response(told, media_type=JSON, headers=HEADERS)
    except errors.InvalidArgument as error:
        return _refusal("INVALID_ARGUMENT", str(error))
    except errors.FailedPrecondition as error:
        return _refusal("FAILED_PRECONDITION", str(error))


def _refusal(code: str, message: str, status: int = 0) -> fastapi.Response:
    number = CODES.index(code) if code in CODES else CODES.index("UNKNOWN")
    told = json.dumps({"code": number, "message": message, "details": []})
    return fastapi.Response(
        told, status_code=status or transcoding.STATUSES.get(code, 500), media_type=JSON, headers=HEADERS
    )


def _not_served(verb: str, raw_path: str) -> fastapi.Response:
    verbs = table().verbs(raw_path)
    if not verbs:
        return _refusal("NOT_FOUND", f"There is nothing at {raw_path}.")
    answered = _refusal("UNIMPLEMENTED", f"{raw_path} is served for {', '.join(verbs)}, not for {verb}.", 405)
    answered.headers["Allow"] = ", ".join(verbs)
    return answered


async def _read(request: fastapi.Request, max_bytes: int) -> bytes:
    """Return the body. Raise `ResourceExhausted` for one that is too large, `HTTPException` 415 for another kind."""
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    if kind not in (JSON, "", *transcoding.BINARY):
        raise fastapi.HTTPException(415, f"bodies of type {kind} are not read; send {JSON} or {transcoding.BINARY[0]}")
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> errors.ResourceExhausted:
    return errors.ResourceExhausted(
        f"The body has more than {max_bytes} bytes, which is the most that this server takes.",
        remedy="Let large data travel as files, or start the server with a higher DAYFLY_SERVER__MAX_MESSAGE_BYTES.",
    )


def _is_binary(request: fastapi.Request, header: str) -> bool:
    told = request.headers.get(header, "").lower()
    return any(kind in told for kind in transcoding.BINARY)
