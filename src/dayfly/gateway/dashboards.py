"""Dask's own dashboards of living clusters, on the platform's address: pages and websockets, forwarded as they are.

A cluster makes its dashboard when it is first asked to (`executors/dask/roles/dashboard.py`), so that the first page
takes a second or two; by which way it is asked, `dialing` finds out. The pages are made by whatever runs in a user's
environment: browsers treat them as strangers (`Content-Security-Policy: sandbox`), who may not call the API in the name
of who looks at them.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from urllib.parse import quote, unquote

import fastapi
import httpx
from flyteidl.admin import task_execution_pb2
from flyteidl.core import identifier_pb2
from google.protobuf import json_format
from starlette.websockets import WebSocketDisconnect, WebSocketState
from websockets import exceptions as websocket_errors
from websockets.asyncio import client as websockets_client
from websockets.typing import Subprotocol

from dayfly.base import errors
from dayfly.gateway import dialing, same_site
from dayfly.model import identifiers
from dayfly.ports import dashboards
from dayfly.ports.calls import Calls

PATH = "/{project}/{domain}/{execution}/{node}/{attempt}"

ATTEMPTS_READ = 100

CANNOT_SERVE = 1011
MAX_REASON = 120
"""RFC 6455: code for "something is wrong on this side", and what a reason may have at the most, in bytes."""

KEPT_FROM_CLIENT = ("accept", "accept-language", "if-modified-since", "if-none-match", "user-agent")
KEPT_FROM_CLUSTER = ("content-type", "etag", "last-modified", "location", "cache-control")

SANDBOX = {
    "Content-Security-Policy": "sandbox allow-scripts allow-popups allow-forms allow-downloads",
    "X-Content-Type-Options": "nosniff",
}


def router(calls: Calls, *, public_url: str, ways: Sequence[dashboards.Ways] = ()) -> fastapi.APIRouter:
    """Return the routes. `public_url` names the host that browsers may use, `ways` lead to clusters whose own address
    is out of reach."""
    dialer = dialing.Dialer(ways)
    served = fastapi.APIRouter(prefix=dashboards.ROOT)

    @served.get(PATH, include_in_schema=False)
    @served.get(PATH + "/", include_in_schema=False)
    async def front_page(request: fastapi.Request) -> fastapi.Response:
        return fastapi.responses.RedirectResponse(request.url.path.rstrip("/") + "/status")

    @served.api_route(PATH + "/{page:path}", methods=["GET", "HEAD"], include_in_schema=False)
    async def show(
        request: fastapi.Request, project: str, domain: str, execution: str, node: str, attempt: int
    ) -> fastapi.Response:
        same_site.check(request, public_url)
        target = _target(request)
        found = await _find(calls, identifiers.ExecutionId(project, domain, execution), node, attempt)
        return await _forward(request, await dialer.open(*found), target)

    @served.websocket(PATH + "/{page:path}")
    async def stream(
        socket: fastapi.WebSocket, project: str, domain: str, execution: str, node: str, attempt: int
    ) -> None:
        try:
            same_site.check_socket(socket, public_url)
            target = _target(socket)
            found = await _find(calls, identifiers.ExecutionId(project, domain, execution), node, attempt)
            await _join(socket, await dialer.open(*found), target)
        except errors.DayflyError as error:
            await _refuse(socket, str(error))
        except fastapi.HTTPException as error:
            await _refuse(socket, error.detail)

    return served


async def _find(
    calls: Calls, execution: identifiers.ExecutionId, node: str, attempt: int
) -> tuple[identifiers.AttemptKey, str]:
    """Return the attempt, and `host:port` of its cluster's HTTP server. Raise `NotFound` where there is none, or none
    any more."""
    request = task_execution_pb2.TaskExecutionListRequest(
        node_execution_id=identifier_pb2.NodeExecutionIdentifier(
            node_id=node, execution_id=identifiers.to_execution_identifier(execution)
        ),
        limit=ATTEMPTS_READ,
    )
    answer = await calls("flyteidl.service.AdminService", "ListTaskExecutions", request.SerializeToString())
    if answer.code != "OK":
        raise errors.NotFound(f"There is no dashboard: {answer.message}")
    for found in task_execution_pb2.TaskExecutionList.FromString(answer.body).task_executions:
        if found.id.retry_attempt == attempt:
            told = json_format.MessageToDict(found.closure.custom_info).get("dask", {})
            if address := told.get(dashboards.ADDRESS_FIELD):
                return identifiers.attempt_key(execution, identifiers.NodeId(node), attempt), str(address)
    raise errors.NotFound(
        f"Attempt {attempt} of node {node} of {execution} has no living Dask cluster.",
        remedy="A dashboard is there from the start of the cluster to its end.",
    )


async def _forward(request: fastapi.Request, way: dashboards.Way, target: str) -> fastapi.Response:
    headers = {name: value for name, value in request.headers.items() if name in KEPT_FROM_CLIENT}
    client = dialing.client(way)
    try:
        sent = client.build_request(
            request.method, way.url + target, headers=headers, extensions=dialing.extensions(way)
        )
        answer = await client.send(sent, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        raise dialing.gone(way.url, error) from error
    except BaseException:
        await client.aclose()
        raise
    kept = {name: value for name, value in answer.headers.items() if name in KEPT_FROM_CLUSTER}
    body = _body(client, answer)
    if way.put_in_front:
        if "location" in kept:
            kept["location"] = kept["location"].replace(way.put_in_front, "", 1)
        if kept.get("content-type", "").startswith("text/html"):
            body = dialing.without(body, way.put_in_front)
    return fastapi.responses.StreamingResponse(body, status_code=answer.status_code, headers=kept | SANDBOX)


async def _body(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    finally:
        await answer.aclose()
        await client.aclose()


async def _join(socket: fastapi.WebSocket, way: dashboards.Way, target: str) -> None:
    """Pass on messages both ways until either side ends."""
    offered = [Subprotocol(one) for one in socket.scope.get("subprotocols", ())]
    try:
        async with dialing.connect(way, target, offered) as cluster:
            await socket.accept(subprotocol=cluster.subprotocol)
            both = {asyncio.create_task(_pass_up(socket, cluster)), asyncio.create_task(_pass_down(socket, cluster))}
            try:
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in both:
                    one.cancel()
                await asyncio.gather(*both, return_exceptions=True)
    except (OSError, websocket_errors.WebSocketException) as error:
        raise dialing.gone(way.url, error) from error


async def _refuse(socket: fastapi.WebSocket, why: str) -> None:
    """Close; before the handshake was answered, that is a 403."""
    if socket.application_state is not WebSocketState.DISCONNECTED:
        await socket.close(code=CANNOT_SERVE, reason=why[:MAX_REASON])


async def _pass_up(socket: fastapi.WebSocket, cluster: websockets_client.ClientConnection) -> None:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        await cluster.send(message["bytes"] if text is None else text)


async def _pass_down(socket: fastapi.WebSocket, cluster: websockets_client.ClientConnection) -> None:
    try:
        async for message in cluster:
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
        await socket.close()
    except WebSocketDisconnect:
        return


def _target(request: fastapi.Request | fastapi.WebSocket) -> str:
    """Return the path as it came, for a cluster knows its pages by their encoded path. Raise `NotFound` for one that
    leads out of the dashboard: who stands between might follow it."""
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    path = str(raw.partition(b"?")[0], "ascii")
    if not {".", ".."}.isdisjoint(re.split(r"[/\\]", unquote(path))):
        raise errors.NotFound("A dashboard has no page of this name.")
    return f"{path}?{request.url.query}" if request.url.query else path
