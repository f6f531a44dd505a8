"""The workflows that dynamic nodes made, as they were compiled while they ran."""

from __future__ import annotations

from flyteidl.admin import node_execution_pb2
from flyteidl.core import compiler_pb2
from google.protobuf.message import DecodeError

from dayfly.base import errors, logs
from dayfly.model import layout
from dayfly.ports.blobs import Blobs
from dayfly.ports.runs import NodeRow

log = logs.get("dayfly.services")


class DynamicWorkflows:
    """Reads them from the store."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs

    async def find(
        self, row: NodeRow, closure: node_execution_pb2.NodeExecutionClosure
    ) -> compiler_pb2.CompiledWorkflowClosure | None:
        """Return what the node made; None for a node that made nothing, or whose files are gone."""
        if not closure.dynamic_job_spec_uri:
            return None
        uri = layout.compiled_beside(closure.dynamic_job_spec_uri)
        try:
            raw = await self._blobs.find(uri)
            return None if raw is None else compiler_pb2.CompiledWorkflowClosure.FromString(raw)
        except (errors.DayflyError, DecodeError) as error:
            log.warning("a dynamic workflow is not readable", node=row.node, uri=uri, error=str(error))
            return None
