"""The document that describes Dayfly's own HTTP API: OpenAPI 3.1, made from routes and answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from fastapi.openapi import utils
from starlette.routing import BaseRoute

from dayfly.gateway.extras import answers, examples, following, overview_answers

PREFIX = "/api/dayfly/v1"

PATH = f"{PREFIX}/openapi.json"

_REFERENCE = "#/components/schemas/{name}"

_ABOUT = """What Dayfly knows beside what Flyte's API tells: the event log of executions, logs of all processes of an
attempt, Dask clusters and their flight records, the cache of outputs, beginnings of stored files. Only what says so
changes anything.

A list has `limit` and `token`: give the token of one page to get the next; the last page's token is empty. Every error
is a `Problem`. Following is by server-sent events; the id of an event is where to go on after a lost connection.
"""

TAGS = (
    {"name": "overview", "description": "All runs together, and the platform itself."},
    {"name": "events", "description": "What happened in an execution."},
    {"name": "logs", "description": "What the processes of an attempt wrote."},
    {"name": "clusters", "description": "Dask clusters that live, and the records of those that are gone."},
    {"name": "cache", "description": "Outputs that are kept for the next who asks for the same."},
    {"name": "data", "description": "How inputs and outputs begin that are files."},
    {"name": "links", "description": "Older paths, which links lead to."},
)

_PROBLEMS = {
    400: "A part of the path or the query is malformed.",
    403: "The server was called by a name that is not its own.",
    404: "What the path names does not exist.",
    503: "The database or the disk does not answer; a repetition may help.",
}


def answer(told: str, example: msgspec.Struct) -> dict[int | str, dict[str, Any]]:
    """Return what a route says of its JSON answer and of its refusals."""
    return {200: {"description": told, "content": {"application/json": _content(example)}}, **problems()}


def problems() -> dict[int | str, dict[str, Any]]:
    """Return what every route says of its refusals."""
    content = {"application/json": _content(examples.PROBLEM)}
    return {status: {"description": told, "content": content} for status, told in _PROBLEMS.items()}


def events(*kinds: type[msgspec.Struct]) -> dict[str, Any]:
    """Return what a route says of a stream of server-sent events: the types of their data."""
    return {following.MEDIA_TYPE: {"schema": {"anyOf": [_reference(kind) for kind in kinds]}}}


def build(routes: Sequence[BaseRoute], version: str) -> dict[str, Any]:
    """Return the document of those routes that are ours; `routes` are all of the application."""
    told = utils.get_openapi(title="Dayfly", version=version, description=_ABOUT, routes=routes, tags=list(TAGS))
    _, schemas = msgspec.json.schema_components(_kinds(), ref_template=_REFERENCE)
    told["paths"] = {path: told["paths"][path] for path in told["paths"] if path.startswith(PREFIX)}
    for path in told["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)  # FastAPI's own form, which is not answered here: it is a 400.
    told["components"] = {"schemas": schemas}
    return told


def _content(example: msgspec.Struct) -> dict[str, Any]:
    return {"schema": _reference(type(example)), "example": msgspec.to_builtins(example)}


def _reference(kind: type) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=kind.__name__)}


def _kinds() -> list[type]:
    named = {**vars(answers), **vars(overview_answers)}.values()
    return [one for one in named if isinstance(one, type) and issubclass(one, msgspec.Struct)]
