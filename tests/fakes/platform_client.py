"""A platform in memory, as far as the operator asks it: implements those methods of `client.Client`."""

from __future__ import annotations

import asyncio
from typing import Any

from flyteidl.admin import execution_pb2, launch_plan_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.model import identifiers
from dayfly.model.identifiers import EntityId, ExecutionId
from dayfly.model.phases import TERMINAL_EXECUTION, ExecutionPhase

PLACES = [("flytesnacks", "development"), ("flytesnacks", "production")]

TEXT = types_pb2.LiteralType(simple=types_pb2.STRING)

LAUNCH_PLAN = "flows.fit"
"""The launch plan there is: it needs an input `text`, and refuses the text `bad`."""


class FakeAdmin:
    """Stubs that are given to `call`."""

    GetWorkflow = "GetWorkflow"


class FakePlatformClient:
    """Executions that stay as they are until a test, or an abort, changes them."""

    admin = FakeAdmin()

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.executions: dict[ExecutionId, execution_pb2.Execution] = {}
        self.created = 0
        self.launch_plans = {LAUNCH_PLAN}
        self.full = False
        """Whether the launch plan has as many executions under way as it allows."""
        self.answers = True
        """Whether anybody answers."""

    # --- what the operator calls -------------------------------------------------------------------------------------

    async def list_places(self) -> list[tuple[str, str]]:
        await self._answer()
        return PLACES

    async def list_executions_where(self, project: str, domain: str, filters: str) -> list[execution_pb2.Execution]:
        await self._answer()
        assert filters.startswith("value_in(phase,UNDEFINED;QUEUED;RUNNING;")
        return [
            _copied(one)
            for execution, one in self.executions.items()
            if (execution.project, execution.domain) == (project, domain)
            and one.closure.phase not in TERMINAL_EXECUTION
        ]

    async def get_execution(self, execution: ExecutionId) -> execution_pb2.Execution:
        await self._answer()
        if execution not in self.executions:
            raise errors.NotFound(f"Execution {execution} does not exist.")
        return _copied(self.executions[execution])

    async def get_launch_plan(self, project: str, domain: str, name: str, version: str) -> launch_plan_pb2.LaunchPlan:
        await self._answer()
        if name not in self.launch_plans:
            raise errors.NotFound(f"{name} does not exist.")
        made = launch_plan_pb2.LaunchPlan()
        told = EntityId(identifier_pb2.LAUNCH_PLAN, project, domain, name, version or "v1")
        made.id.CopyFrom(identifiers.to_identifier(told))
        parameter = made.closure.expected_inputs.parameters["text"]
        parameter.var.type.CopyFrom(TEXT)
        parameter.required = True
        return made

    async def create_execution(
        self,
        project: str,
        domain: str,
        target: EntityId,
        inputs: literals_pb2.LiteralMap,
        *,
        name: str = "",
        spec: execution_pb2.ExecutionSpec | None = None,
    ) -> ExecutionId:
        await self._answer()
        if inputs.literals["text"].scalar.primitive.string_value == "bad":
            raise errors.InvalidArgument("The text is bad.")
        execution = ExecutionId(project, domain, name)
        if self.full:
            raise errors.AlreadyExists("The launch plan has as many executions under way as it allows.")
        if execution in self.executions:
            raise errors.AlreadyExists(f"Execution {execution} exists already.")
        self.launch(execution, spec)
        return execution

    async def terminate_execution(self, execution: ExecutionId, cause: str) -> None:
        await self._answer()
        found = self.executions.get(execution)
        if found is None:
            raise errors.NotFound(f"Execution {execution} does not exist.")
        if found.closure.phase in TERMINAL_EXECUTION:
            raise errors.FailedPrecondition(f"Execution {execution} has ended.")
        found.closure.phase = ExecutionPhase.ABORTING
        found.closure.abort_metadata.cause = cause

    async def list_nodes(self, execution: ExecutionId, parent: Any = None, *, filters: str = "") -> list[Any]:
        await self._answer()
        return []

    async def get_execution_data(self, execution: ExecutionId) -> execution_pb2.WorkflowExecutionGetDataResponse:
        await self._answer()
        outputs = literals_pb2.LiteralMap(
            literals={"o0": literals_pb2.Literal(scalar={"primitive": {"string_value": execution.name}})}
        )
        return execution_pb2.WorkflowExecutionGetDataResponse(full_outputs=outputs)

    async def call(self, method: Any, request: Any) -> Any:
        await self._answer()
        assert method == FakeAdmin.GetWorkflow
        made = workflow_pb2.Workflow()
        for node in ("start-node", "n0", "n1", "end-node"):
            made.closure.compiled_workflow.primary.template.nodes.add(id=node)
        return made

    async def _answer(self) -> None:
        await asyncio.sleep(0)  # others have their turn, as with any call over a network
        if not self.answers:
            raise errors.PlatformError("No server answers.")

    # --- what tests do -----------------------------------------------------------------------------------------------

    def launch(self, execution: ExecutionId, spec: execution_pb2.ExecutionSpec | None = None) -> None:
        """Make an execution, which runs at once."""
        made = execution_pb2.Execution(id=identifiers.to_execution_identifier(execution), spec=spec)
        target = EntityId(identifier_pb2.LAUNCH_PLAN, execution.project, execution.domain, LAUNCH_PLAN, "v1")
        made.spec.launch_plan.CopyFrom(identifiers.to_identifier(target))
        workflow = EntityId(identifier_pb2.WORKFLOW, execution.project, execution.domain, LAUNCH_PLAN, "v1")
        made.closure.workflow_id.CopyFrom(identifiers.to_identifier(workflow))
        made.closure.phase = ExecutionPhase.RUNNING
        for moment in (made.closure.created_at, made.closure.started_at, made.closure.updated_at):
            moment.FromMicroseconds(self._clock.now())
        self.executions[execution] = made
        self.created += 1

    def end(self, execution: ExecutionId, phase: ExecutionPhase = ExecutionPhase.SUCCEEDED) -> None:
        """End an execution; one that is being aborted is aborted."""
        closure = self.executions[execution].closure
        closure.phase = ExecutionPhase.ABORTED if closure.phase == ExecutionPhase.ABORTING else phase
        closure.updated_at.FromMicroseconds(self._clock.now())


def _copied(message: execution_pb2.Execution) -> execution_pb2.Execution:
    return execution_pb2.Execution.FromString(message.SerializeToString())
