"""Launching executions on behalf of others: what a launch plan's node needs of the door that clients come in by."""

from __future__ import annotations

from typing import Protocol

from flyteidl.admin import execution_pb2
from flyteidl.core import literals_pb2

from dayfly.model.identifiers import ExecutionId
from dayfly.ports.runs import ParentNode


class Children(Protocol):
    """Makes executions, with all checks that a client's request gets."""

    async def launch(
        self,
        project: str,
        domain: str,
        name: str,
        asked: execution_pb2.ExecutionSpec,
        user_inputs: literals_pb2.LiteralMap,
        *,
        parent: ParentNode | None = None,
    ) -> ExecutionId:
        """Create an execution, whose end `parent` is told of.

        Raise `InvalidArgument`, `NotFound` for what is launched, `AlreadyExists` for the name, or where the launch
        plan has as many executions under way as it allows.
        """
        ...
