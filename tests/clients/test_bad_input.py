"""What goes wrong at the edges: each error names the thing, the place and the remedy, and the server lives on."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import sqlite3
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.service import dataproxy_pb2
from tests.platforms.server import BIN, Server

from dayfly.base import errors
from dayfly.client import connecting
from dayfly.model.identifiers import EntityId

ARTICLE = Path(__file__).parent / "article"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    with Server(tmp_path_factory.mktemp("bad") / "data") as server:
        yield server


def up(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [BIN / "dayfly", "up", *[str(word) for word in arguments]], capture_output=True, text=True, timeout=60
    )


def run(server: Server, *words: object) -> subprocess.CompletedProcess[str]:
    return server.dayfly("run", "--config", server.config, *words)


def test_a_second_platform_on_the_folder_is_refused(server: Server) -> None:
    done = up("--data", server.folder, "--port", 0)
    assert done.returncode == 1
    assert server.process is not None
    assert str(server.folder) in done.stderr
    assert f"process id {server.process.pid} at {server.address}" in done.stderr


def test_a_port_in_use_is_named(server: Server, tmp_path: Path) -> None:
    done = up("--data", tmp_path / "other", "--port", server.port)
    assert done.returncode == 1
    assert str(server.port) in done.stderr
    assert "--port" in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = up("--data", tmp_path / "file" / "data", "--port", 0)
    assert done.returncode == 1
    assert "--data" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_from_a_newer_version_is_refused(tmp_path: Path) -> None:
    other = Server(tmp_path / "data").start()
    other.stop()
    with sqlite3.connect(tmp_path / "data" / "dayfly.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'zzzz'")
    database.close()
    done = up("--data", tmp_path / "data", "--port", 0)
    assert done.returncode == 1
    assert "newer" in done.stderr
    assert str(tmp_path / "data") in done.stderr


def test_a_file_that_is_not_there(server: Server) -> None:
    done = run(server, "nowhere.py", "wf")
    assert done.returncode == 1
    assert "nowhere.py" in done.stderr


def test_a_script_that_does_not_import(server: Server, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import not_installed_anywhere\n")
    done = run(server, tmp_path / "broken.py", "wf")
    assert done.returncode == 1
    assert "not_installed_anywhere" in done.stderr


def test_inputs_that_do_not_parse(server: Server) -> None:
    done = run(server, ARTICLE / "increment_numbers.py", "increment_numbers", "--list_length", "many")
    assert done.returncode == 1
    assert "many" in done.stderr


def test_an_unknown_project_is_named(server: Server) -> None:
    done = run(
        server, "--project", "nobodys", ARTICLE / "increment_numbers.py", "increment_numbers", "--list_length", "1"
    )
    assert done.returncode == 1
    assert "nobodys" in done.stderr


def test_a_task_that_fails_shows_the_users_traceback(server: Server, tmp_path: Path) -> None:
    (tmp_path / "failing.py").write_text(
        "from flytekit import task, workflow\n\n\n@task\ndef divide(x: int) -> int:\n    return 1 // x\n\n\n"
        "@workflow\ndef wf(x: int) -> int:\n    return divide(x=x)\n"
    )
    done = run(server, tmp_path / "failing.py", "wf", "--x", "0")
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stdout
    assert "return 1 // x" in done.stdout


def create(server: Server, **given: str) -> None:
    target = EntityId(identifier_pb2.LAUNCH_PLAN, "flytesnacks", "development", "no.such", "v1")

    async def call() -> None:
        async with connecting.open(server.address) as client:
            await client.create_execution(
                given.get("project", "flytesnacks"),
                "development",
                target,
                literals_pb2.LiteralMap(),
                name=given.get("name", ""),
            )

    asyncio.run(call())


def test_malformed_names_and_unknown_things(server: Server) -> None:
    with pytest.raises(errors.NotFound, match=r"no\.such"):
        create(server)
    with pytest.raises(errors.InvalidArgument, match="Bad_Name"):
        create(server, name="Bad_Name!")
    with pytest.raises(errors.InvalidArgument, match="elsewhere"):
        create(server, project="elsewhere")


def upload_link(server: Server, data: bytes) -> tuple[str, dict[str, str]]:
    async def call():
        async with connecting.open(server.address) as client:
            request = dataproxy_pb2.CreateUploadLocationRequest(
                project="flytesnacks", domain="development", filename="f.bin", content_md5=hashlib.md5(data).digest()
            )
            return await client.call(client.dataproxy.CreateUploadLocation, request)

    answer = asyncio.run(call())
    return answer.signed_url, dict(answer.headers)


def put(url: str, data: bytes, headers: dict[str, str]) -> int:
    request = urllib.request.Request(url, data=data, method="PUT", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_an_upload_that_is_not_what_was_declared_is_not_kept(server: Server) -> None:
    data = os.urandom(100_000)
    url, headers = upload_link(server, data)
    md5 = base64.b64encode(hashlib.md5(data).digest()).decode()
    assert put(url, data[:-1], {"Content-MD5": md5}) == 400
    assert put(url, data + b"x", {"Content-MD5": md5}) == 400
    assert put(url, data, headers) in (200, 201)
    assert put(url[:-20] + "x" * 10, data, headers) in (400, 403, 404)


def test_the_server_lived_through_it(server: Server) -> None:
    done = run(server, ARTICLE / "increment_numbers.py", "increment_numbers", "--list_length", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "o0: list[int] = [1, 2, 3]" in done.stdout
