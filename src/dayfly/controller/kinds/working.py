"""What all kinds have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from flyteidl.core import literals_pb2

    from dayfly.model.events import Event
    from dayfly.model.identifiers import NodeId
    from dayfly.ports.runs import Run


class Kind(Protocol):
    """One kind of node, as the performer sees it. Raises `UserError` with a `code`, `PlatformError`."""

    async def prepare(self, run: Run, node: NodeId) -> Event:
        """Store the node's inputs and do what it begins with; return what came of it."""
        ...

    async def outputs(self, run: Run, node: NodeId) -> literals_pb2.LiteralMap:
        """Put the node's outputs together."""
        ...
