"""One address for gRPC and HTTP: raw sockets against a real front, a real gRPC server and a small ASGI app."""

import asyncio
import contextlib
import os

import grpc
import httpx
import pytest

from dayfly.base import errors
from dayfly.gateway import front


async def app(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": scope["path"].encode() + b" " + body})


async def echo(request, context):
    return request


@pytest.fixture
async def served(tmp_path):
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", -1)])
    methods = {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("test.Echo", methods)])
    path = str(tmp_path / "grpc.sock")
    server.add_insecure_port(f"unix:{path}")
    await server.start()
    listening = await front.serve("127.0.0.1", 0, path, app, first_bytes_seconds=0.3)
    yield listening
    await listening.close(1)
    await server.stop(None)


async def read_all(port: int, *parts: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(reader.read(), 5)
    writer.close()
    return answer


async def call(port: int, payload: bytes) -> bytes:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        return await channel.unary_unary("/test.Echo/Echo")(payload, timeout=20)


async def test_both_protocols_share_a_port(served):
    async with httpx.AsyncClient() as http:
        answers = await asyncio.gather(
            call(served.port, b"hello"), http.get(f"http://127.0.0.1:{served.port}/x"), call(served.port, b"again")
        )
    assert answers[0] == b"hello" and answers[2] == b"again"
    assert answers[1].text == "/x "


async def test_large_messages_pass_under_flow_control(served):
    payload = os.urandom(20 * 1024 * 1024)
    assert await call(served.port, payload) == payload


async def test_many_connections(served):
    answers = await asyncio.gather(*(call(served.port, b"%d" % n) for n in range(40)))
    assert answers == [b"%d" % n for n in range(40)]


async def test_http_request_split_after_a_preface_lookalike(served):
    answer = await read_all(
        served.port, b"P", b"UT /p HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"
    )
    assert answer.startswith(b"HTTP/1.1 200") and b"/p ok" in answer


async def test_preface_in_pieces_reaches_grpc(served):
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for piece in (front.PREFACE[:3], front.PREFACE[3:10], front.PREFACE[10:], b"\0\0\0\4\0\0\0\0\0"):
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.01)
    frame = await asyncio.wait_for(reader.readexactly(9), 5)
    assert frame[3] == 4  # the server's SETTINGS
    writer.close()


async def test_garbage_is_answered_with_400(served):
    answer = await read_all(served.port, b"\x16\x03\x01 not http at all\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("first", [b"", b"PRI * HT"])
async def test_silent_and_half_prefaced_connections_are_closed(served, first):
    with contextlib.suppress(ConnectionResetError):
        assert await read_all(served.port, first) == b""


async def test_silent_connection_does_not_hold_up_others(served):
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    assert await call(served.port, b"quick") == b"quick"
    writer.close()


async def test_connections_that_have_ended_leave_nothing_open(served):
    for _ in range(3):
        await call(served.port, b"hello")

    def sockets() -> int:
        links = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
        return sum(os.path.islink(link) and os.readlink(link).startswith("socket:") for link in links)

    async def settled(most: int) -> None:
        while sockets() > most:  # noqa: ASYNC110  the kernel tells nobody
            await asyncio.sleep(0.01)

    await asyncio.sleep(0)
    before = sockets()
    for _ in range(10):
        await call(served.port, b"hello")
    await asyncio.wait_for(settled(before), 5)


async def test_a_half_closed_connection_still_gets_its_answer(tmp_path):
    async def echo_all(reader, writer):
        writer.write(await reader.read())
        writer.close()

    path = str(tmp_path / "echo.sock")
    async with await asyncio.start_unix_server(echo_all, path):
        listening = await front.serve("127.0.0.1", 0, path, app)
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(front.PREFACE + b"rest")
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 5) == front.PREFACE + b"rest"
        writer.close()
        await listening.close(1)


async def test_unreachable_grpc_server_closes_the_connection(tmp_path):
    listening = await front.serve("127.0.0.1", 0, str(tmp_path / "nobody.sock"), app)
    with contextlib.suppress(ConnectionResetError):
        assert await read_all(listening.port, front.PREFACE) == b""
    await listening.close(1)


async def test_port_in_use_names_address_and_remedy(served):
    with pytest.raises(errors.UserError, match=f"Port {served.port} of 127.0.0.1 is in use.*--port"):
        front.bind("127.0.0.1", served.port)


async def test_unknown_host_is_a_user_error():
    with pytest.raises(errors.UserError, match="--host"):
        front.bind("256.256.256.256", 0)


async def test_close_lets_an_answer_finish(tmp_path):
    entered, leave = asyncio.Event(), asyncio.Event()

    async def slow(scope, receive, send):
        entered.set()
        await leave.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"done"})

    listening = await front.serve("127.0.0.1", 0, str(tmp_path / "nobody.sock"), slow)
    async with httpx.AsyncClient() as http:
        asked = asyncio.ensure_future(http.get(f"http://127.0.0.1:{listening.port}/"))
        await entered.wait()
        closing = asyncio.ensure_future(listening.close(5))
        await asyncio.sleep(0)
        leave.set()
        assert (await asked).text == "done"
        await closing
