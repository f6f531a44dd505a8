"""Short addresses of inputs, outputs and decks: `flyte://v1/<project>/<domain>/<execution>/<node>[/<attempt>]/<i|o|d>[/<var>]`.

Source: flyteadmin/pkg/common/flyte_url.go in flyteorg/flyte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from flyteidl.admin import common_pb2

from dayfly.base import errors
from dayfly.model.identifiers import ExecutionId, NodeId

_URL = re.compile(
    r"flyte://v1/(?P<project>[\w.\-]+)/(?P<domain>[\w.\-]+)/(?P<name>[\w.\-]+)/(?P<node>[\w.\-]+)"
    r"(?:/(?P<attempt>\d{1,6}))?/(?P<part>[iod])(?:/(?P<variable>\w+))?",
    re.ASCII,
)


@dataclass(frozen=True)
class FlyteUrl:
    """What a URL points at."""

    execution: ExecutionId
    node: NodeId
    attempt: int | None
    part: str
    """`i`, `o` or `d`."""
    variable: str
    """One literal of the map; empty is the whole map."""


def parse(url: str) -> FlyteUrl:
    """Take a URL apart. Raise `InvalidArgument`."""
    found = _URL.fullmatch(url)
    if found is None or (found["variable"] and found["part"] == "d"):
        raise errors.InvalidArgument(
            f"The address {url[:200]!r} cannot be read.",
            remedy="It looks like flyte://v1/<project>/<domain>/<execution>/<node>/[<attempt>/]<i|o|d>[/<variable>].",
        )
    return FlyteUrl(
        ExecutionId(found["project"], found["domain"], found["name"]),
        NodeId(found["node"]),
        int(found["attempt"]) if found["attempt"] else None,
        found["part"],
        found["variable"] or "",
    )


def build(
    execution: ExecutionId, node: NodeId, attempt: int | None = None, *, deck: bool = False
) -> common_pb2.FlyteURLs:
    """Return the three addresses of a node or attempt, the deck's only where there is one."""
    prefix = f"flyte://v1/{execution}/{node}" + ("" if attempt is None else f"/{attempt}")
    return common_pb2.FlyteURLs(inputs=f"{prefix}/i", outputs=f"{prefix}/o", deck=f"{prefix}/d" if deck else "")
