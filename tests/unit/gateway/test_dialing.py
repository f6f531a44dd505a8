"""By which way a dashboard is reached: its own address, or another where nobody, or somebody else, answers there."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import fastapi
import httpx
import pytest
from starlette.types import Scope

from dayfly.base import errors
from dayfly.gateway import app, dashboards, dialing
from dayfly.model.identifiers import AttemptKey
from dayfly.ports.calls import Answer
from dayfly.ports.dashboards import Way

KEY = AttemptKey("p/d/e/n0/0")

NEW = {"Authorization": "Bearer new"}

IN_FRONT = "/api/v1/namespaces/p-d/pods/e:8787/proxy"


class Answering(http.server.ThreadingHTTPServer):
    """Answers all with one status and text, but for 401 to whom it does not know."""

    def __init__(self, status: int, text: str = "", lets_in: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status, self.text, self.lets_in = status, text, lets_in
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        known = self.headers.get("Authorization", "") == self.server.lets_in
        self.send_response(self.server.status if known else 401)
        self.send_header("Content-Length", str(len(self.server.text)))
        self.end_headers()
        self.wfile.write(self.server.text.encode())

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def answering(status: int, text: str = "", lets_in: str = "") -> Iterator[Answering]:
    with Answering(status, text, lets_in) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def closed() -> Iterator[str]:
    """An address that nobody listens at."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


class Around:
    """Knows one other way to everything, whose credentials were renewed."""

    def __init__(self, url: str) -> None:
        self.way = Way(url, put_in_front=IN_FRONT)
        self.asked: list[bool] = []

    async def find_way(self, key: AttemptKey, address: str, *, anew: bool = False) -> Way | None:
        self.asked.append(anew)
        if anew:
            self.way = self.way._replace(headers=NEW)
        return self.way if key == KEY else None


async def test_an_address_in_reach_is_asked_itself() -> None:
    with answering(204) as cluster:
        around = Around("http://nowhere")
        way = await dialing.Dialer([around]).open(KEY, cluster.address)
    assert way == Way(f"http://{cluster.address}")
    assert around.asked == []


async def test_where_nobody_answers_the_other_way_is_taken(closed: str) -> None:
    with answering(204) as door:
        dialer = dialing.Dialer([around := Around(f"http://{door.address}/pod")])
        assert await dialer.open(KEY, closed) is around.way
        assert await dialer.open(KEY, closed) is around.way
        assert door.asked == ["/pod" + dialing.OPEN_PATH] * 2
        with pytest.raises(errors.PlatformError, match="nobody knows another way"):
            await dialer.open(AttemptKey("p/d/e/n0/1"), closed)


async def test_a_stranger_at_the_address_is_passed_over() -> None:
    with answering(404, "another's") as stranger, answering(204) as door:
        dialer = dialing.Dialer([around := Around(f"http://{door.address}")])
        assert await dialer.open(KEY, stranger.address) is around.way
        assert await dialer.open(KEY, stranger.address) is around.way
        assert len(stranger.asked) == 1, "it is not asked again"


async def test_credentials_that_have_expired_are_renewed(closed: str) -> None:
    with answering(204, lets_in=NEW["Authorization"]) as door:
        around = Around(f"http://{door.address}")
        way = await dialing.Dialer([around]).open(KEY, closed)
    assert way.headers == NEW
    assert around.asked == [False, True]


async def test_its_own_address_is_tried_again_when_the_other_way_is_lost(closed: str) -> None:
    with answering(204) as door:
        dialer = dialing.Dialer([around := Around(f"http://{door.address}")])
        await dialer.open(KEY, closed)
    with pytest.raises(errors.PlatformError, match="does not answer"):
        await dialer.open(KEY, closed)
    with answering(503, json.dumps({"message": "dial tcp: connection refused"})) as door:
        around.way = Way(f"http://{door.address}")
        with pytest.raises(errors.PlatformError, match="does not answer: dial tcp: connection refused"):
            await dialer.open(KEY, closed)
    assert not dialer._around
    with answering(204) as door:
        around.way = Way(f"http://{door.address}")
        assert await dialer.open(KEY, closed) is around.way


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (501, "The environment of this task has no bokeh", "has no bokeh"),
        (403, json.dumps({"message": 'cannot get resource "pods/proxy"'}), 'cannot get resource "pods/proxy"'),
    ],
)
async def test_why_there_is_no_dashboard_is_told(status: int, text: str, told: str, closed: str) -> None:
    with answering(status, text) as door:
        with pytest.raises(errors.FailedPrecondition, match=told):
            await dialing.Dialer([Around(f"http://{door.address}")]).open(KEY, closed)
        with pytest.raises(errors.FailedPrecondition, match=told):
            await dialing.Dialer().open(KEY, door.address)


async def test_a_cluster_in_reach_that_has_no_dashboard_is_believed() -> None:
    with answering(501, "has no bokeh") as cluster:
        around = Around("http://nowhere")
        with pytest.raises(errors.FailedPrecondition, match="has no bokeh"):
            await dialing.Dialer([around]).open(KEY, cluster.address)
    assert around.asked == []


async def test_without_another_way_nobody_answers(closed: str) -> None:
    with pytest.raises(errors.PlatformError, match=f"at {closed} does not answer"):
        await dialing.Dialer().open(KEY, closed)


@pytest.mark.parametrize("size", [1, 2, 7, 40, 1000])
async def test_links_of_pages_are_again_what_they_were(size: int) -> None:
    page = f'<a href="{IN_FRONT}/status"><img src="{IN_FRONT}/{IN_FRONT[:9]}.png">{IN_FRONT[:-1]} {IN_FRONT}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(page), size):
            yield page[start : start + size].encode()

    read = b"".join([part async for part in dialing.without(chunks(), IN_FRONT)])
    assert read.decode() == page.replace(IN_FRONT, "")


@pytest.mark.parametrize("page", ["../secrets", "a/../b", "%2e%2E/b", "..%2Fb", "./b", "..%5Cb", ".."])
async def test_no_page_is_asked_for_that_leads_elsewhere(page: str) -> None:
    async def calls(*_: object) -> Answer:
        raise AssertionError("it is refused before")

    served = fastapi.FastAPI()
    served.include_router(dashboards.router(calls, public_url=""))
    app._answer_errors(served)

    async def raw(scope: Scope, *others: object) -> None:
        path = f"/api/dayfly/v1/dashboards/p/d/e/n0/0/{page}"  # as it came, which clients would tidy up
        await served({**scope, "raw_path": path.encode()}, *others)  # type: ignore[arg-type]

    async with httpx.AsyncClient(transport=httpx.ASGITransport(raw), base_url="http://platform") as browser:
        answer = await browser.get("/api/dayfly/v1/dashboards/p/d/e/n0/0/page")
    assert answer.status_code == 404
    assert "no page of this name" in answer.json()["error"]
