"""Dask's own dashboards of living clusters, on the platform's address: pages and websockets, forwarded as they are.

A cluster makes its dashboard when it is first asked to (`executors/dask/roles/dashboard.py`), so that the first page
takes a second or two. The pages are made by whatever runs in a user's environment: browsers treat them as strangers
(`Content-Security-Policy: sandbox`), who may not call the API in the name of who looks at them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote

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
from dayfly.gateway import same_site
from dayfly.model import identifiers
from dayfly.ports import dashboards
from dayfly.ports.calls import Calls

PATH = "/{project}/{domain}/{execution}/{node}/{attempt}"

OPEN_PATH = "/dayfly/open-dashboard"
"""Asked of a scheduler before anything else; it answers once there is a dashboard."""

OPEN_SECONDS = 30.0
"""Importing Bokeh on a busy machine."""

READ_SECONDS = 30.0

MAX_MESSAGE_BYTES = 64 * 1024 * 1024
"""One message of a websocket: a plot with all its points."""

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


def router(calls: Calls, *, public_url: str) -> fastapi.APIRouter:
    """Return the routes. `public_url` names the host that browsers may use."""
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
        address = await _find(calls, identifiers.ExecutionId(project, domain, execution), node, attempt)
        return await _forward(request, address)

    @served.websocket(PATH + "/{page:path}")
    async def stream(
        socket: fastapi.WebSocket, project: str, domain: str, execution: str, node: str, attempt: int
    ) -> None:
        try:
            same_site.check_socket(socket, public_url)
            address = await _find(calls, identifiers.ExecutionId(project, domain, execution), node, attempt)
            await _join(socket, address)
        except errors.DayflyError as error:
            await _refuse(socket, str(error))
        except fastapi.HTTPException as error:
            await _refuse(socket, error.detail)

    return served


async def _find(calls: Calls, execution: identifiers.ExecutionId, node: str, attempt: int) -> str:
    """Return `host:port` of the cluster's HTTP server. Raise `NotFound` where there is none, or none any more."""
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
                return str(address)
    raise errors.NotFound(
        f"Attempt {attempt} of node {node} of {execution} has no living Dask cluster.",
        remedy="A dashboard is there from the start of the cluster to its end.",
    )


async def _forward(request: fastapi.Request, address: str) -> fastapi.Response:
    headers = {name: value for name, value in request.headers.items() if name in KEPT_FROM_CLIENT}
    client = httpx.AsyncClient(verify=False, trust_env=False, timeout=READ_SECONDS)
    try:
        await _open(client, address)
        sent = client.build_request(request.method, f"http://{address}{_target(request)}", headers=headers)
        answer = await client.send(sent, stream=True)
    except httpx.HTTPError as error:
        await client.aclose()
        raise _gone(address, error) from error
    except BaseException:
        await client.aclose()
        raise
    kept = {name: value for name, value in answer.headers.items() if name in KEPT_FROM_CLUSTER}
    return fastapi.responses.StreamingResponse(
        _body(client, answer), status_code=answer.status_code, headers=kept | SANDBOX
    )


async def _open(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(f"http://{address}{OPEN_PATH}", timeout=OPEN_SECONDS)
    if answer.status_code != 204:
        raise errors.FailedPrecondition(f"The cluster cannot show its dashboard: {answer.text}")


async def _body(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in answer.aiter_bytes():
            yield chunk
    finally:
        await answer.aclose()
        await client.aclose()


async def _join(socket: fastapi.WebSocket, address: str) -> None:
    """Pass on messages both ways until either side ends."""
    offered = [Subprotocol(one) for one in socket.scope.get("subprotocols", ())]
    try:
        async with websockets_client.connect(
            f"ws://{address}{_target(socket)}",
            subprotocols=offered or None,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
            compression=None,
        ) as cluster:
            await socket.accept(subprotocol=cluster.subprotocol)
            ways = {asyncio.create_task(_pass_up(socket, cluster)), asyncio.create_task(_pass_down(socket, cluster))}
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
    except (OSError, websocket_errors.WebSocketException) as error:
        raise _gone(address, error) from error


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
    # As it came: a cluster knows its pages by their encoded path.
    raw = request.scope.get("raw_path") or quote(request.url.path).encode()
    path = str(raw.partition(b"?")[0], "ascii")
    return f"{path}?{request.url.query}" if request.url.query else path


def _gone(address: str, error: Exception) -> errors.PlatformError:
    return errors.PlatformError(f"The dashboard at {address} does not answer: {error}.", remedy="Has the task ended?")
