"""Launch plans: registering, activating and reading them.

A stored plan is augmented: what the workflow needs and the plan neither defaults nor fixes becomes a required
parameter. SDK clients take a launch plan's interface from these expected inputs.
"""

from __future__ import annotations

from flyteidl.admin import common_pb2, launch_plan_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, interface_pb2, types_pb2

from dayfly.base import errors
from dayfly.base.clock import Clock
from dayfly.compiler import digests
from dayfly.compiler import errors as compile_errors
from dayfly.compiler import launch_plans as compiling
from dayfly.model import identifiers, schedule_times
from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition, Definitions
from dayfly.services import naming, paging, projects, registering
from dayfly.services.settings import ApiSettings
from dayfly.services.timestamps import to_timestamp

ACTIVE = launch_plan_pb2.ACTIVE


class LaunchPlans:
    """CreateLaunchPlan, UpdateLaunchPlan, GetLaunchPlan, ListLaunchPlans, Get- and ListActiveLaunchPlan(s)."""

    def __init__(self, definitions: Definitions, now: Clock, settings: ApiSettings) -> None:
        self._definitions = definitions
        self._clock = now
        self._settings = settings

    async def create(
        self, request: launch_plan_pb2.LaunchPlanCreateRequest
    ) -> launch_plan_pb2.LaunchPlanCreateResponse:
        """Register a version, inactive.

        NOT_FOUND for its workflow; ALREADY_EXISTS if the same is there, INVALID_ARGUMENT if it differs or is wrong.
        """
        entity = naming.entity(request.id, identifier_pb2.LAUNCH_PLAN)
        await projects.require_active(self._definitions, self._settings, entity.project, entity.domain)
        definition = await self._augmented(entity, request.spec)
        await registering.create(self._definitions, definition, _compared)
        return launch_plan_pb2.LaunchPlanCreateResponse()

    async def create_generated(self, entity: EntityId, workflow: EntityId) -> None:
        """Register a plan without any settings; the same being there already is fine."""
        spec = launch_plan_pb2.LaunchPlanSpec(workflow_id=identifiers.to_identifier(workflow))
        try:
            await registering.create(self._definitions, await self._augmented(entity, spec), _compared)
        except errors.AlreadyExists:
            pass  # Another launch of the same task was faster.

    async def update(
        self, request: launch_plan_pb2.LaunchPlanUpdateRequest
    ) -> launch_plan_pb2.LaunchPlanUpdateResponse:
        """Activate (every other version of the name then is not) or deactivate. NOT_FOUND."""
        entity = naming.entity(request.id, identifier_pb2.LAUNCH_PLAN)
        if request.state not in launch_plan_pb2.LaunchPlanState.values():
            raise errors.InvalidArgument(f"There is no launch plan state {request.state}.")
        scheduled = request.state == ACTIVE and await self._is_scheduled(entity)
        await self._definitions.set_launch_plan_state(entity, request.state, self._clock.now(), scheduled=scheduled)
        return launch_plan_pb2.LaunchPlanUpdateResponse()

    async def get(self, request: common_pb2.ObjectGetRequest) -> launch_plan_pb2.LaunchPlan:
        """Return one version. NOT_FOUND."""
        return _message(await registering.get(self._definitions, request.id, identifier_pb2.LAUNCH_PLAN))

    async def list(self, request: common_pb2.ResourceListRequest) -> launch_plan_pb2.LaunchPlanList:
        """Return versions, newest first."""
        found, token = await registering.list_versions(self._definitions, identifier_pb2.LAUNCH_PLAN, request)
        return launch_plan_pb2.LaunchPlanList(launch_plans=[_message(one) for one in found], token=token)

    async def get_active(self, request: launch_plan_pb2.ActiveLaunchPlanRequest) -> launch_plan_pb2.LaunchPlan:
        """Return the active version of a name. NOT_FOUND if none is."""
        name = request.id
        naming.path_part(name.project, "project")
        naming.path_part(name.domain, "domain")
        naming.text(name.name, "launch plan name")
        found = await self._definitions.find_active_launch_plan(name.project, name.domain, name.name)
        if found is None:
            raise errors.NotFound(f"No version of launch plan {name.project}:{name.domain}:{name.name} is active.")
        return _message(found)

    async def list_active(self, request: launch_plan_pb2.ActiveLaunchPlanListRequest) -> launch_plan_pb2.LaunchPlanList:
        """Return all active versions of a project's domain."""
        naming.path_part(request.project, "project")
        naming.path_part(request.domain, "domain")
        page = paging.read(request)
        found = await self._definitions.list_active_launch_plans(request.project, request.domain, page)
        return launch_plan_pb2.LaunchPlanList(
            launch_plans=[_message(one) for one in found], token=paging.next_token(page, found)
        )

    async def _augmented(self, entity: EntityId, spec: launch_plan_pb2.LaunchPlanSpec) -> Definition:
        if not spec.HasField("workflow_id"):
            raise errors.InvalidArgument(f"{entity} names no workflow.")
        workflow = naming.entity(spec.workflow_id, identifier_pb2.WORKFLOW)
        interface = await self._interface(workflow)
        _check_settings(entity, spec)
        expected = compiling.expected_inputs(interface, spec.default_inputs, spec.fixed_inputs, entity.name)
        if isinstance(expected, compile_errors.Rejected):
            raise errors.InvalidArgument(f"{entity} is invalid: {compile_errors.describe(expected.errors)}")
        if schedule_times.is_scheduled(spec):
            schedule_times.read(spec.entity_metadata.schedule)
            _check_schedule(entity, spec.entity_metadata.schedule.kickoff_time_input_arg, expected)
        at = self._clock.now()
        message = launch_plan_pb2.LaunchPlan(id=identifiers.to_identifier(entity), spec=spec)
        message.spec.default_inputs.CopyFrom(expected)
        digest = digests.digest(message)
        message.closure.expected_inputs.CopyFrom(expected)
        message.closure.expected_outputs.CopyFrom(interface.outputs)
        message.closure.created_at.CopyFrom(to_timestamp(at))
        message.closure.updated_at.CopyFrom(to_timestamp(at))
        return Definition(
            id=entity,
            digest=digest,
            document=message.SerializeToString(),
            created_at=at,
            updated_at=at,
            workflow=workflow,
        )

    async def _is_scheduled(self, entity: EntityId) -> bool:
        """Say whether the plan has a schedule. An active plan whose schedule never fires would be a silent lie."""
        found = await self._definitions.find(entity)
        if found is None:
            return False
        spec = launch_plan_pb2.LaunchPlan.FromString(found.document).spec
        if not schedule_times.is_scheduled(spec):
            return False
        schedule_times.read(spec.entity_metadata.schedule)  # an earlier version may have registered anything
        return True

    async def _interface(self, workflow: EntityId) -> interface_pb2.TypedInterface:
        found = await self._definitions.find(workflow)
        if found is None:
            raise errors.NotFound(f"{workflow} does not exist.", remedy="Register the workflow first.")
        closure = workflow_pb2.WorkflowClosure.FromString(found.document)
        return closure.compiled_workflow.primary.template.interface


def _check_settings(entity: EntityId, spec: launch_plan_pb2.LaunchPlanSpec) -> None:
    naming.check_labels(spec.labels.values)
    naming.check_annotations(spec.annotations.values)
    if spec.entity_metadata.HasField("launch_conditions"):
        raise errors.InvalidArgument(f"{entity} has launch conditions.", remedy="Triggers by artifact are not served.")


def _check_schedule(entity: EntityId, kickoff: str, expected: interface_pb2.ParameterMap) -> None:
    """A schedule gives no inputs but the time that it fired at."""
    needed = sorted(name for name, one in expected.parameters.items() if one.required and name != kickoff)
    if needed:
        raise errors.InvalidArgument(
            f"{entity} has a schedule, but needs the inputs {', '.join(needed)}.",
            remedy="Give them defaults or fix them.",
        )
    if kickoff and (
        kickoff not in expected.parameters or expected.parameters[kickoff].var.type.simple != types_pb2.DATETIME
    ):
        raise errors.InvalidArgument(
            f"{entity} has no input {kickoff!r} of type datetime that its schedule could fill.",
            remedy="Correct kickoff_time_input_arg.",
        )


def _compared(document: bytes) -> launch_plan_pb2.LaunchPlan:
    message = launch_plan_pb2.LaunchPlan.FromString(document)
    message.ClearField("closure")
    return message


def _message(definition: Definition) -> launch_plan_pb2.LaunchPlan:
    """Return the stored plan with the state that it has now."""
    message = launch_plan_pb2.LaunchPlan.FromString(definition.document)
    message.closure.state = definition.state
    message.closure.updated_at.CopyFrom(to_timestamp(definition.updated_at))
    return message
