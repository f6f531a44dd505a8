"""Paths, queries and bodies of REST as messages of the API."""

from __future__ import annotations

import json

import pytest
from flyteidl.admin import common_pb2, execution_pb2, matchable_resource_pb2, project_pb2
from flyteidl.core import literals_pb2

from dayfly.base import errors
from dayfly.gateway import routes, transcoding

TABLE = routes.Table()


@pytest.mark.parametrize(
    ("verb", "path", "method", "fields"),
    [
        ("POST", "/api/v1/executions", "CreateExecution", {}),
        ("POST", "/api/v1/executions/relaunch", "RelaunchExecution", {}),
        ("GET", "/api/v1/executions/p/d", "ListExecutions", {"id.project": "p", "id.domain": "d"}),
        ("DELETE", "/api/v1/executions/p/d/x", "TerminateExecution", {"id.name": "x"}),
        ("GET", "/api/v1/tasks/p/d/a%2Fb%20c/v", "GetTask", {"id.name": "a/b c", "id.version": "v"}),
        ("GET", "/api/v1/tasks/p/d/", "ListTasks", {"id.domain": "d"}),
        ("GET", "/api/v1/data", "GetData", {}),
        ("GET", "/api/v1/data/executions/p/d/x", "GetExecutionData", {"id.name": "x"}),
        ("GET", "/me", "UserInfo", {}),
        ("GET", "/.well-known/oauth-authorization-server", "GetOAuth2Metadata", {}),
        ("PATCH", "/api/v1/projects", None, {}),
        ("GET", "/api/v1/nothing/here", None, {}),
    ],
)
def test_what_a_path_means(verb: str, path: str, method: str | None, fields: dict[str, str]) -> None:
    found = TABLE.find(verb, path)
    assert (found.route.method.name if found else None) == method
    assert fields.items() <= (dict(found.fields) if found else {}).items()


def test_every_method_with_an_option_has_its_routes() -> None:
    assert len(TABLE.routes) == 69
    assert len({(route.verb, route.path) for route in TABLE.routes}) == 69
    for route in TABLE.routes:
        found = TABLE.find(route.verb, "/".join("x" if part.startswith("{") else part for part in route.segments))
        assert found is not None
        assert found.route.method is route.method


def test_verbs_of_a_path() -> None:
    assert TABLE.verbs("/api/v1/executions/p/d/x") == ["DELETE", "GET", "PUT"]
    assert TABLE.verbs("/api/v1/nothing") == []


def build(message: type, *, path=None, query=(), body=b"", binary=False):
    return transcoding.build_request(message.DESCRIPTOR, path=path or {}, query=query, body=body, binary=binary)


def test_queries() -> None:
    query = [
        ("limit", "7"),
        ("token", "a b"),
        ("filters", "eq(phase,RUNNING)"),
        ("sort_by.key", "created_at"),
        ("sortBy.direction", "ASCENDING"),
        ("no.such", "field"),
        ("limit.deeper", "1"),
    ]
    request = build(common_pb2.ResourceListRequest, path={"id.project": "p", "id.domain": "d"}, query=query)
    assert request == common_pb2.ResourceListRequest(
        id={"project": "p", "domain": "d"},
        limit=7,
        token="a b",
        filters="eq(phase,RUNNING)",
        sort_by={"key": "created_at", "direction": common_pb2.Sort.ASCENDING},
    )


def test_enums_by_name_or_number() -> None:
    listed = matchable_resource_pb2.ListMatchableAttributesRequest
    for text in ("CLUSTER_RESOURCE", "1"):
        assert build(listed, query=[("resource_type", text)]).resource_type == 1


def test_the_path_wins_over_the_body() -> None:
    body = json.dumps({"id": "other", "name": "n", "unknown": 1}).encode()
    assert build(project_pb2.Project, path={"id": "mine"}, body=body) == project_pb2.Project(id="mine", name="n")


def test_binary_bodies() -> None:
    sent = execution_pb2.ExecutionCreateRequest(project="p", name="x")
    assert build(execution_pb2.ExecutionCreateRequest, body=sent.SerializeToString(), binary=True) == sent


@pytest.mark.parametrize(
    "given",
    [
        {"body": b"{"},
        {"body": b"[]"},
        {"body": b"\xff"},
        {"body": b'{"project": 5}'},
        {"body": b"\xff\xff", "binary": True},
        {"body": b'{"spec":' * 100_000},
        {"query": [("name", "a"), ("name", "b")]},
        {"query": [("spec.max_parallelism", "many")]},
        {"query": [("spec.interruptible", "maybe")]},
    ],
)
def test_what_cannot_be_read_is_refused(given: dict) -> None:
    with pytest.raises(errors.InvalidArgument):
        build(execution_pb2.ExecutionCreateRequest, **given)


def test_wrapped_values() -> None:
    request = build(execution_pb2.ExecutionCreateRequest, query=[("spec.interruptible", "false")])
    assert request.spec.HasField("interruptible") and not request.spec.interruptible.value


def test_answers() -> None:
    assert json.loads(transcoding.to_json(common_pb2.NamedEntityIdentifierList(token="t"))) == {
        "entities": [],
        "token": "t",
    }
    nan = literals_pb2.Scalar()
    nan.generic["x"] = float("nan")
    with pytest.raises(errors.FailedPrecondition, match="octet-stream"):
        transcoding.to_json(nan)
