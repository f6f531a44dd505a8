"""REST over a real socket: every route, both forms, errors, and pages of other sites."""

from __future__ import annotations

import json

import pytest
import requests
from flyteidl.admin import execution_pb2, project_pb2, version_pb2
from serving import ServedInThread

from dayfly.gateway import routes

BINARY = {"Accept": "application/octet-stream", "Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory):
    with ServedInThread(tmp_path_factory.mktemp("rest")) as running:
        yield running.served.url


@pytest.mark.parametrize("route", routes.read_all(), ids=lambda route: f"{route.verb} {route.path}")
def test_every_route_is_answered_by_its_method(url: str, route: routes.Route) -> None:
    path = "/".join("1" if part.startswith("{") else part for part in route.segments)
    answer = requests.request(route.verb, f"{url}/{path}", data="{}" if route.has_body else None, timeout=10)
    assert answer.headers["content-type"] == "application/json"
    told = answer.json()
    if answer.status_code != 200:
        assert answer.status_code in (400, 404), told
        assert told["code"] in (3, 5, 9) and told["message"] and told["details"] == []
        assert "There is nothing at" not in told["message"]


def test_json(url: str) -> None:
    found = requests.get(f"{url}/api/v1/projects", params={"limit": 1}, timeout=10).json()
    assert [domain["id"] for domain in found["projects"][0]["domains"]] == ["development", "staging", "production"]
    assert found["projects"][0]["state"] == "ACTIVE"
    project = {"project": {"id": "by-json", "name": "By JSON", "labels": {"values": {"team": "a"}}}}
    assert requests.post(f"{url}/api/v1/projects", json=project, timeout=10).json() == {}
    stored = requests.get(f"{url}/api/v1/projects/by-json", timeout=10).json()
    assert (stored["name"], stored["labels"]["values"]) == ("By JSON", {"team": "a"})


def test_protobuf(url: str) -> None:
    answer = requests.get(f"{url}/api/v1/version", headers=BINARY, timeout=10)
    assert answer.headers["content-type"] == "application/octet-stream"
    assert version_pb2.GetVersionResponse.FromString(answer.content).control_plane_version.Version == "v0.1.0"
    request = project_pb2.ProjectRegisterRequest(project={"id": "by-bytes", "name": "By bytes"})
    answer = requests.post(f"{url}/api/v1/projects", data=request.SerializeToString(), headers=BINARY, timeout=10)
    assert (answer.status_code, answer.content) == (200, b"")
    assert requests.get(f"{url}/api/v1/projects/by-bytes", timeout=10).json()["name"] == "By bytes"


@pytest.mark.parametrize(
    ("verb", "path", "sent", "status"),
    [
        ("GET", "/api/v1/executions/flytesnacks/development/none", {}, 404),
        ("GET", "/api/v1/executions/flytesnacks/development?limit=-1", {}, 400),
        ("GET", "/api/v1/executions/flytesnacks/development?filters=eq(nothing,1)&limit=1", {}, 400),
        ("POST", "/api/v1/executions", {"data": "{", "headers": {"Content-Type": "application/json"}}, 400),
        ("POST", "/api/v1/executions", {"data": "a=b", "headers": {"Content-Type": "text/plain"}}, 415),
        ("POST", "/api/v1/executions", {"data": b"x" * (2**20 + 1)}, 413),
        ("PATCH", "/api/v1/projects", {}, 405),
        ("GET", "/api/v1/no/such/thing", {}, 404),
        ("GET", "/api/v1/tasks/%FF/%00/a/b", {}, 400),
        ("POST", "/api/v1/projects", {"json": {}, "headers": {"Origin": "http://evil.example"}}, 403),
        ("GET", "/api/v1/projects", {"headers": {"Host": "evil.example:30080"}}, 403),
        ("HEAD", "/api/v1/projects", {}, 200),
    ],
)
def test_bad_requests(url: str, verb: str, path: str, sent: dict, status: int) -> None:
    answer = requests.request(verb, url + path, timeout=10, **sent)
    assert answer.status_code == status, answer.text
    if status >= 400:
        assert answer.json()


def test_a_page_of_our_own_may_write(url: str) -> None:
    request = execution_pb2.ExecutionTerminateRequest()
    body = json.dumps({"cause": "why not"})
    path = f"{url}/api/v1/executions/flytesnacks/development/none"
    answer = requests.delete(path, data=body, headers={"Origin": url}, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (404, 5)
    assert not request.cause
