"""The HTTP application over real files: links, logs, health, and errors that are always JSON."""

import asyncio
import base64
import hashlib

import httpx
import pytest
from prometheus_client import CollectorRegistry

import dayfly.blobs
from dayfly.base import clock, errors
from dayfly.gateway import app, front, log_files
from dayfly.ports.links import Grant


class PlainLinks:
    """Links whose token is the blob's name: signatures are `services.signing`'s to test."""

    def __init__(self, root):
        self.root = root
        self.md5 = b""

    def sign(self, grant):
        raise AssertionError("the gateway signs nothing")

    def read(self, token, method):
        if token == "denied":
            raise errors.PermissionDenied("The link's signature does not hold.")
        if token == "broken":
            raise ZeroDivisionError
        return Grant(method, f"{self.root}/{token}", clock.Micros(0), self.md5)


@pytest.fixture
def blobs(tmp_path):
    return dayfly.blobs.open(f"file://{tmp_path}/storage")


@pytest.fixture
def links(blobs):
    return PlainLinks(blobs.root)


@pytest.fixture
async def served(tmp_path, blobs, links):
    built = app.build(
        blobs=blobs,
        links=links,
        logs_of=log_files.below(tmp_path / "logs"),
        registry=CollectorRegistry(),
        version="1.2.3",
    )
    listening = await front.serve("127.0.0.1", 0, str(tmp_path / "none.sock"), built)
    yield listening
    await listening.close(1)


@pytest.fixture
async def http(served):
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}") as opened:
        yield opened


def data(name):
    return f"/api/dayfly/v1/data/{name}/{name}"


def md5_header(body):
    return {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()}


class TestLinks:
    async def test_up_and_down(self, http):
        body = b"some bytes" * 1000
        assert (await http.put(data("a.bin"), content=body)).json()["sizeBytes"] == len(body)
        answer = await http.get(data("a.bin"))
        assert answer.content == body and answer.headers["content-length"] == str(len(body))
        assert (await http.head(data("a.bin"))).headers["content-length"] == str(len(body))

    async def test_with_matching_headers(self, http, links):
        links.md5 = hashlib.md5(b"body").digest()
        assert (await http.put(data("a"), content=b"body", headers=md5_header(b"body"))).status_code == 200
        assert (await http.put(data("a"), content=b"body")).status_code == 200

    async def test_other_content_than_the_link_is_for(self, http, links, blobs):
        links.md5 = hashlib.md5(b"body").digest()
        answer = await http.put(data("a"), content=b"evil")
        assert answer.status_code == 400 and "error" in answer.json()
        answer = await http.put(data("a"), content=b"evil", headers=md5_header(b"evil"))
        assert answer.status_code == 400
        assert await blobs.stat(f"{blobs.root}/a") is None

    async def test_md5_header_alone_is_checked(self, http, blobs):
        assert (await http.put(data("a"), content=b"evil", headers=md5_header(b"body"))).status_code == 400
        assert (await http.put(data("a"), content=b"x", headers={"Content-MD5": "%%%"})).status_code == 400
        assert (await http.put(data("a"), content=b"x", headers={"Content-MD5": "eA=="})).status_code == 400
        assert await blobs.stat(f"{blobs.root}/a") is None

    async def test_chunked_upload(self, http, blobs):
        async def chunks():
            for _ in range(5):
                yield b"x" * 1000

        assert (await http.put(data("a"), content=chunks())).json()["sizeBytes"] == 5000

    async def test_cut_off_upload_keeps_nothing(self, served, http, blobs, tmp_path):
        _, writer = await asyncio.open_connection("127.0.0.1", served.port)
        writer.write(f"PUT {data('cut')} HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".encode() + b"x" * 500)
        await writer.drain()
        stored = tmp_path / "storage"
        while not any(one.is_file() for one in stored.rglob("*")):  # noqa: ASYNC110  files tell nobody
            await asyncio.sleep(0.001)
        writer.close()
        await writer.wait_closed()
        assert (await http.get("/healthcheck")).status_code == 200
        for _ in range(100):
            files = [one for one in (tmp_path / "storage").rglob("*") if one.is_file()]
            if not files:
                break
            await asyncio.sleep(0.02)
        assert files == [] and await blobs.stat(f"{blobs.root}/cut") is None

    async def test_longer_than_declared(self, served, blobs):
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = f"PUT {data('long')} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n".encode()
        writer.write(head + b"abcdefgh\r\n\r\n")
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 5)
        assert b"400" in answer
        writer.close()
        stored = await blobs.find(f"{blobs.root}/long")
        assert stored in (None, b"abc")

    async def test_refusals(self, http):
        assert (await http.get(data("missing"))).status_code == 404
        assert (await http.get(data("denied"))).status_code == 403
        assert (await http.post(data("a"))).status_code == 405

    async def test_a_bug_is_told_as_an_incident(self, http):
        answer = await http.get(data("broken"))
        assert answer.status_code == 500 and "incident" in answer.json()["error"]


class TestLogs:
    @pytest.fixture
    def log(self, tmp_path):
        file = tmp_path / "logs" / "p" / "d" / "e" / "n0" / "0" / "task.log"
        file.parent.mkdir(parents=True)
        file.write_text("".join(f"line {n}\n" for n in range(30_000)))
        (tmp_path / "logs" / "secret.log").write_text("secret")
        return "/api/dayfly/v1/logs/p/d/e/n0/0/task"

    async def test_whole(self, http, log):
        answer = await http.get(log)
        assert answer.text.startswith("line 0\n") and answer.text.endswith("line 29999\n")
        assert answer.headers["content-type"].startswith("text/plain")

    @pytest.mark.parametrize("tail", [1, 2, 29_999, 30_000, 30_001, 100_000])
    async def test_tail(self, http, log, tail):
        lines = (await http.get(log, params={"tail": tail})).text.splitlines()
        assert len(lines) == min(tail, 30_000) and lines[-1] == "line 29999"

    async def test_of_an_element_of_an_array(self, http, log, tmp_path):
        (tmp_path / "logs/p/d/e/n0#7/0").mkdir(parents=True)
        (tmp_path / "logs/p/d/e/n0#7/0/driver.log").write_text("seventh")
        assert (await http.get("/api/dayfly/v1/logs/p/d/e/n0%237/0/driver")).text == "seventh"

    @pytest.mark.parametrize("path", ["p/d/e/n0/0/worker", "p/d/e/n0/1/task"])
    async def test_missing(self, http, log, path):
        assert (await http.get(f"/api/dayfly/v1/logs/{path}")).status_code == 404

    @pytest.mark.parametrize(
        "path", ["p/d/e/n0/%2e%2e/task", "p/d/e/n0/0/..%2fx", "..%2f/d/e/n0/0/task", "p/d/e/n0/0/a%20b"]
    )
    async def test_nothing_outside_the_folder(self, http, log, path):
        answer = await http.get(f"/api/dayfly/v1/logs/{path}")
        assert answer.status_code in (400, 404) and "error" in answer.json()

    async def test_links_out_of_the_folder_are_not_followed(self, http, log, tmp_path):
        (tmp_path / "outside.log").write_text("secret")
        (tmp_path / "logs/p/d/e/n0/0/sly.log").symlink_to(tmp_path / "outside.log")
        assert (await http.get("/api/dayfly/v1/logs/p/d/e/n0/0/sly")).status_code == 404

    @pytest.mark.parametrize("tail", ["0", "-1", "x", "1000000000"])
    async def test_bad_tail(self, http, log, tail):
        answer = await http.get(log, params={"tail": tail})
        assert answer.status_code == 400 and "error" in answer.json()


async def test_health_version_metrics(http):
    assert (await http.get("/healthcheck")).json() == {"ready": True}
    assert (await http.get("/metrics")).status_code == 200


async def test_unknown_paths_are_json_too(http):
    answer = await http.get("/nowhere")
    assert answer.status_code == 404 and "/nowhere" in answer.json()["error"]
