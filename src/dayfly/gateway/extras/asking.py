"""What requests of Dayfly's own HTTP API have in common: names in the path, pages, JSON answers."""

from __future__ import annotations

from typing import Annotated, Any

import fastapi
import msgspec

from dayfly.base import errors
from dayfly.gateway import log_files
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey, ExecutionId, NodeId
from dayfly.ports.definitions import Listed, Page

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}

MAX_LIMIT = 1000
"""Items of one page."""

EXECUTION = "/executions/{project}/{domain}/{name}"
ATTEMPT = EXECUTION + "/nodes/{node}/attempts/{attempt}"

Limit = Annotated[int, fastapi.Query(ge=1, le=MAX_LIMIT, description="Items of a page at most.")]
Token = Annotated[str, fastapi.Query(description="Of the page before this one.")]

Project = Annotated[str, fastapi.Path(examples=["flytesnacks"])]
Domain = Annotated[str, fastapi.Path(examples=["development"])]
Name = Annotated[str, fastapi.Path(description="Name of the execution.", examples=["a7x"])]
Node = Annotated[str, fastapi.Path(description="Id of the node.", examples=["n0"])]
Attempt = Annotated[int, fastapi.Path(ge=0, le=2**31 - 1, description="Number of the attempt, from 0.")]


def execution(project: Project, domain: Domain, name: Name) -> ExecutionId:
    """Return the execution that a path names. Raise `InvalidArgument`."""
    check_names(project, domain, name)
    return ExecutionId(project, domain, name)


def attempt(project: Project, domain: Domain, name: Name, node: Node, attempt: Attempt) -> AttemptKey:
    """Return the attempt that a path names. Raise `InvalidArgument`."""
    check_names(node)
    return identifiers.attempt_key(execution(project, domain, name), NodeId(node), attempt)


Execution = Annotated[ExecutionId, fastapi.Depends(execution)]
Key = Annotated[AttemptKey, fastapi.Depends(attempt)]


def check_names(*names: str) -> None:
    """Raise `InvalidArgument` for what cannot be a name, nor a part of a file's path."""
    for name in names:
        if not log_files.PART.fullmatch(name) or name in (".", ".."):
            raise errors.InvalidArgument(
                f"{name[:100]!r} is not a name that a project, domain, execution, node or process can have.",
                remedy="Names have letters, digits, dots, underscores and dashes; elements of arrays have a # too.",
            )


def read_number(token: str) -> int:
    """Return the number that a list's token is, 0 for none. Raise `InvalidArgument`."""
    if not token:
        return 0
    if not (token.isascii() and token.isdigit() and len(token) < 19):
        raise errors.InvalidArgument(
            f"The list's token {token[:40]!r} is not one that this server gave.", remedy="Begin without a token."
        )
    return int(token)


def read_position(token: str) -> tuple[int, str]:
    """Return the offset and the position in a token that `write_position` made, 0 and nothing for none. Raise
    `InvalidArgument`."""
    offset, _, position = token.partition("-")
    return read_number(offset), position


def write_position(page: Page, found: Listed[Any]) -> str:
    """Return the token of what follows a page of rows, empty where nothing does."""
    return f"{page.offset + len(found)}-{found.position}" if len(found) == page.limit else ""


def respond(told: Any) -> fastapi.Response:
    """Return an answer as JSON."""
    return fastapi.Response(msgspec.json.encode(told), media_type="application/json", headers=HEADERS)
