"""Dynamic tasks: from what an attempt left instead of outputs to a plan.

Rules: flytepropeller/pkg/controller/nodes/dynamic/dynamic_workflow.go in flyteorg/flyte.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from flyteidl.core import compiler_pb2, dynamic_job_pb2
from google.protobuf import message as protobuf

from dayfly.base import errors
from dayfly.compiler import errors as compile_errors
from dayfly.compiler import futures
from dayfly.model import layout, paths, placing

if TYPE_CHECKING:
    from dayfly.controller.templates import Templates
    from dayfly.model.identifiers import NodeId
    from dayfly.model.plan import Plan
    from dayfly.ports.blobs import Blobs
    from dayfly.ports.runs import Run

BUILD_FAILED = "DynamicWorkflowBuildFailed"
"""Code of a dynamic task whose nodes make no workflow."""


class Growing:
    """Compiles what dynamic tasks leave."""

    def __init__(self, blobs: Blobs, templates: Templates) -> None:
        self._blobs, self._templates = blobs, templates

    async def grow(self, run: Run, node: NodeId, attempt: int) -> Plan:
        """Return the plan, after storing the compiled workflow for clients. Raises `paths.BadPromise`."""
        uri = layout.futures_uri(run.storage, run.id, node, attempt)
        raw = await self._blobs.find(uri)
        if raw is None:
            raise errors.BlobUnavailable(f"what the dynamic task of node {node} of {run.id} left is gone from {uri}.")
        try:
            spec = dynamic_job_pb2.DynamicJobSpec.FromString(raw)
        except protobuf.DecodeError as error:
            raise paths.BadPromise(
                BUILD_FAILED, f"{uri} is no DynamicJobSpec; the task wrote something else."
            ) from error
        needed = futures.required(spec)
        tasks = await self._templates.registered(needed.tasks)
        plans = await self._templates.launch_plans(needed.launch_plans)
        target = placing.rules_of(run, node).target
        outputs = await self._templates.outputs_of(run, node, target)
        name = futures.workflow_id(run.id.project, run.id.domain, node, spec)
        # Thousands of nodes take seconds, in which everything else goes on.
        compiled = await asyncio.to_thread(futures.compile, spec, tasks, plans, name, outputs)
        if isinstance(compiled, compile_errors.Rejected):
            raise paths.BadPromise(BUILD_FAILED, compile_errors.describe(compiled.errors))
        closure: compiler_pb2.CompiledWorkflowClosure = compiled.closure
        await self._blobs.put(layout.compiled_beside(uri), closure.SerializeToString(deterministic=True))
        return compiled.plan
