"""What the cluster's API answers, read as our own errors: also by a server that is only just starting."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from dayfly.base import errors
from dayfly.executors.kubernetes import api as apis
from dayfly.executors.kubernetes.api import Api, Forbidden, NotNow, Refused

FORBIDDEN = (403, 'pods is forbidden: User "u" cannot list resource "pods"')
STARTING = (500, "[-]poststarthook/rbac/bootstrap-roles failed")
READY = (200, "ok")
UNKNOWN = (404, "404 page not found")
NO_SUCH_KIND = (404, "the server could not find the requested resource")
MISSING = (404, 'pods "x" not found')
BUSY = (503, "server is starting")


class Server:
    """Gives the answers that it is told, in their order, to each path; the last one again and again."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, str]]] = {"/version": [(200, '{"gitVersion": "v1.30.0"}')]}
        self.asked: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split()[1].partition("?")[0].rstrip("/")
        self.asked.append(path)
        told = self.answers[path]
        status, text = told.pop(0) if len(told) > 1 else told[0]
        body = text.encode() if text[:1] in "{[" or text == UNKNOWN[1] else json.dumps({"message": text}).encode()
        writer.write(b"HTTP/1.1 %d x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body)
        await writer.drain()
        writer.close()


def write_kubeconfig(folder: Path, address: str) -> Path:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "k",
        "clusters": [{"name": "k", "cluster": {"server": address}}],
        "users": [{"name": "u", "user": {"token": "t"}}],
        "contexts": [{"name": "k", "context": {"cluster": "k", "user": "u"}}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(config))
    return file


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[tuple[Server, Api]]:
    serving = Server()
    listening = await asyncio.start_server(serving.answer, "127.0.0.1", 0)
    api = Api(str(write_kubeconfig(tmp_path, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}")))
    yield serving, api
    await api.close()
    listening.close()
    await listening.wait_closed()


PODS, POD, DASK = "/api/v1/pods", "/api/v1/namespaces/ns/pods/x", "/apis/kubernetes.dask.org/v1"
FOUND = (200, '{"metadata": {"resourceVersion": "7"}, "items": [{"a": 1}]}')
SERVED = (200, '{"resources": [{"name": "daskjobs"}]}')


@pytest.mark.parametrize("refusal", [FORBIDDEN, (401, "Unauthorized"), NO_SUCH_KIND, UNKNOWN])
@pytest.mark.parametrize("starting", [STARTING, FORBIDDEN, (401, "Unauthorized")])
async def test_what_a_starting_server_refuses_is_asked_again_later(
    asked: tuple[Server, Api], refusal: tuple[int, str], starting: tuple[int, str]
) -> None:
    serving, api = asked
    serving.answers |= {PODS: [refusal], "/readyz": [starting]}
    with pytest.raises(NotNow, match="only just starting"):
        await api.list("Pod", "", "")


async def test_a_server_that_has_just_started_is_asked_again_at_once(asked: tuple[Server, Api]) -> None:
    serving, api = asked
    serving.answers |= {PODS: [FORBIDDEN, FOUND], "/readyz": [READY], DASK: [UNKNOWN, SERVED]}
    assert await api.list("Pod", "", "") == ([{"a": 1}], "7")
    assert await api.serves("DaskJob")


@pytest.mark.parametrize("answer", [BUSY, (401, "Unauthorized"), FORBIDDEN])
async def test_one_that_refuses_even_to_tell_its_version_is_away(
    asked: tuple[Server, Api], answer: tuple[int, str]
) -> None:
    serving, api = asked
    serving.answers |= {"/version": [answer]}
    with pytest.raises(NotNow):
        await api.list("Pod", "", "")


@pytest.mark.parametrize("ready", [READY, UNKNOWN])
async def test_what_is_refused_by_one_that_has_started_is_refused(
    asked: tuple[Server, Api], ready: tuple[int, str]
) -> None:
    serving, api = asked
    serving.answers |= {PODS: [FORBIDDEN], "/readyz": [ready], DASK: [UNKNOWN]}
    with pytest.raises(Forbidden, match="cannot list resource"):
        await api.list("Pod", "", "")
    assert not await api.serves("DaskJob")


async def test_an_object_that_is_missing_is_missing_at_once(asked: tuple[Server, Api]) -> None:
    serving, api = asked
    serving.answers[POD] = [MISSING]
    assert await api.get("Pod", "ns", "x") is None
    assert serving.asked == ["/version", POD]


async def test_a_watch_of_a_starting_server_is_begun_again_later(asked: tuple[Server, Api]) -> None:
    serving, api = asked
    serving.answers |= {PODS: [FORBIDDEN], "/readyz": [STARTING]}
    with pytest.raises(NotNow):
        async for _ in api.watch("Pod", "", "", "7", seconds=1):
            pass


async def test_calls_side_by_side_do_not_break_each_other(asked: tuple[Server, Api]) -> None:
    serving, api = asked
    serving.answers |= {PODS: [FORBIDDEN], "/readyz": [READY], POD: [(200, '{"b": 2}')]}
    calls = [api.list("Pod", "", "") if number % 2 else api.get("Pod", "ns", "x") for number in range(40)]
    told = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(one, Forbidden) for one in told[1::2])
    assert all(one == {"b": 2} for one in told[::2])


async def test_one_that_is_not_there_is_away(tmp_path: Path) -> None:
    api = Api(str(write_kubeconfig(tmp_path, "http://127.0.0.1:1")))
    with pytest.raises(errors.ExecutorAway, match="does not answer"):
        await api.list("Pod", "", "")
    await api.close()


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (403, 'pods "x" is forbidden: exceeded quota: q', NotNow),
        (403, "namespace ns is being terminated", NotNow),
        (403, 'pods "x" is forbidden: not yet ready to handle request', NotNow),
        (403, "pods is forbidden: status unknown for quota: q", NotNow),
        (403, 'error looking up service account ns/default: serviceaccount "default" not found', NotNow),
        (403, 'error looking up service account ns/mine: serviceaccount "mine" not found', Forbidden),
        (429, "too many requests", NotNow),
        (503, "server is starting", NotNow),
        (409, 'pods "x" already exists', errors.AlreadyExists),
        (409, "the object has been modified", apis.Conflict),
        (410, "too old resource version", apis.Expired),
        (422, "spec.containers: Required value", Refused),
    ],
)
def test_a_refusal_is_for_good_or_for_now(status: int, message: str, kind: type[errors.DayflyError]) -> None:
    assert type(apis._error(status, message, "POST ns/pods")) is kind


async def test_the_version_is_what_kubernetes_calls_it(asked: tuple[Server, Api]) -> None:
    serving, api = asked
    assert (await api.version()).startswith("v1.")
    serving.answers["/version"] = [BUSY]
    with pytest.raises(NotNow):
        await api.version()
