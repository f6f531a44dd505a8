"""Bring an execution into being: its inputs in the store, then the run and its first event in one commit.

Everything is checked before anything is written, and the commit comes last: a call that fails can be repeated, which
flytekit does three times at once.
"""

from __future__ import annotations

import asyncio
import weakref

from flyteidl.admin import execution_pb2
from flyteidl.core import interface_pb2, literals_pb2

from dayfly.base import errors, ids
from dayfly.base.clock import Clock
from dayfly.compiler import inputs
from dayfly.model import identifiers, layout
from dayfly.model.events import Launched
from dayfly.model.identifiers import ExecutionId
from dayfly.ports.attributes import Place
from dayfly.ports.blobs import Blobs
from dayfly.ports.definitions import Definitions
from dayfly.ports.runs import NewRun, ParentNode, Runs
from dayfly.services import execution_spec, identity, naming, node_executions, projects, searchable
from dayfly.services.launch_targets import LaunchTargets, Target
from dayfly.services.overrides import Overrides
from dayfly.services.settings import ApiSettings


class Launcher:
    """Makes executions: for CreateExecution, RelaunchExecution and whoever else starts one."""

    def __init__(
        self,
        definitions: Definitions,
        runs: Runs,
        blobs: Blobs,
        targets: LaunchTargets,
        overrides: Overrides,
        now: Clock,
        settings: ApiSettings,
    ) -> None:
        self._definitions = definitions
        self._runs = runs
        self._blobs = blobs
        self._targets = targets
        self._overrides = overrides
        self._clock = now
        self._settings = settings
        self._creating: weakref.WeakValueDictionary[ExecutionId, asyncio.Lock] = weakref.WeakValueDictionary()

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
        """Create an execution; an empty name gets a generated one. Its end is told to `parent`.

        Raise `InvalidArgument`, `NotFound` for what is launched, `AlreadyExists` for the name.
        """
        owner = await projects.require_active(self._definitions, self._settings, project, domain)
        execution = ExecutionId(project, domain, naming.execution_name(name) if name else ids.execution_name())
        if not asked.HasField("launch_plan"):
            raise errors.InvalidArgument("spec.launch_plan is missing.", remedy="Name a launch plan or a task.")
        target = await self._targets.get(asked.launch_plan)
        place = Place(project, domain, target.workflow.name, target.launch_plan.name)
        configs = await self._overrides.configs(place)
        spec = execution_spec.build(asked, target.message.spec, self._settings, configs)
        execution_spec.add_labels(spec, owner.labels)
        await self._overrides.check_cluster(place, spec)
        await self._follow_parent(spec)
        merged = inputs.merge(
            target.message.closure.expected_inputs,
            target.message.spec.fixed_inputs,
            user_inputs,
            interface_pb2.TypedInterface.FromString(target.plan.interface),
        )
        # Two creations of one name must not mix their inputs: the files' names follow from the execution's.
        lock = self._creating.setdefault(execution, asyncio.Lock())
        async with lock:
            await self._refuse_existing(execution)
            await self._write_inputs(execution, merged, user_inputs)
            await self._commit(execution, target, spec, parent, searchable.inputs(merged))
        return execution

    async def _follow_parent(self, spec: execution_pb2.ExecutionSpec) -> None:
        """Count the nesting and inherit the principal of an execution that another one's node starts."""
        if not spec.metadata.HasField("parent_node_execution"):
            return
        parent, node = node_executions.read_id(spec.metadata.parent_node_execution)
        row = await self._runs.find_execution(parent)
        if row is None:
            raise errors.InvalidArgument(f"The parent node {node!r} names execution {parent}, which does not exist.")
        inherited = execution_pb2.ExecutionSpec.FromString(row.spec)
        spec.metadata.nesting = inherited.metadata.nesting + 1
        spec.metadata.principal = inherited.metadata.principal
        if inherited.HasField("execution_cluster_label"):
            spec.execution_cluster_label.CopyFrom(inherited.execution_cluster_label)

    async def _refuse_existing(self, execution: ExecutionId) -> None:
        if await self._runs.find_execution(execution) is not None:
            raise errors.AlreadyExists(f"Execution {execution} exists already.", remedy="Choose another name.")

    async def _write_inputs(
        self, execution: ExecutionId, merged: literals_pb2.LiteralMap, given: literals_pb2.LiteralMap
    ) -> None:
        root = self._blobs.root
        await asyncio.gather(
            self._blobs.put(layout.inputs_uri(root, execution), merged.SerializeToString(deterministic=True)),
            self._blobs.put(layout.user_inputs_uri(root, execution), given.SerializeToString(deterministic=True)),
        )

    async def _commit(
        self,
        execution: ExecutionId,
        target: Target,
        spec: execution_pb2.ExecutionSpec,
        parent: ParentNode | None,
        found_by: tuple[tuple[str, str], ...],
    ) -> None:
        at = self._clock.now()
        run = NewRun(
            id=execution,
            spec=spec.SerializeToString(),
            workflow=target.workflow,
            plan=target.plan,
            launch_plan=target.launch_plan,
            task=target.task,
            created_at=at,
            storage=self._blobs.root,
            mode=spec.metadata.mode,
            user=identity.ANONYMOUS,
            tags=execution_spec.tags(spec),
            inputs=found_by,
            parent=parent,
            at_once=execution_spec.at_once(spec, target.message.spec),
        )
        await self._runs.create(run, Launched(at=at, options=execution_spec.options(spec, self._settings)))


def to_response(execution: ExecutionId) -> execution_pb2.ExecutionCreateResponse:
    """Return the answer that names the new execution."""
    return execution_pb2.ExecutionCreateResponse(id=identifiers.to_execution_identifier(execution))
