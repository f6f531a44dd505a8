"""What flytectl and Flyte's console call beside flytekit: lists of names, descriptions, data by address, signals."""

from __future__ import annotations

import pytest
from calling import CHAIN, HERE, PLAN, launch, move, register
from flyteidl.admin import (
    common_pb2,
    description_entity_pb2,
    launch_plan_pb2,
    signal_pb2,
)
from flyteidl.core import identifier_pb2, types_pb2
from flyteidl.service import dataproxy_pb2
from serving import serving

from dayfly import client


@pytest.fixture
async def served(tmp_path):
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def calls(served):
    async with client.open(served.address) as opened:
        await register(opened.admin)
        yield opened


async def test_names_and_versions_are_listed(calls):
    ids = common_pb2.NamedEntityIdentifierListRequest(limit=10, **HERE)
    assert "sample.chains.increment" in [one.name for one in (await calls.admin.ListTaskIds(ids)).entities]
    assert [one.name for one in (await calls.admin.ListWorkflowIds(ids)).entities] == [CHAIN.name]
    assert [one.name for one in (await calls.admin.ListLaunchPlanIds(ids)).entities] == [PLAN.name]
    plans = await calls.admin.ListLaunchPlans(common_pb2.ResourceListRequest(id={**HERE, "name": PLAN.name}, limit=10))
    assert [one.id for one in plans.launch_plans] == [PLAN]
    active = await calls.admin.ListActiveLaunchPlans(launch_plan_pb2.ActiveLaunchPlanListRequest(limit=10, **HERE))
    assert not active.launch_plans


async def test_descriptions_that_nobody_wrote_are_empty(calls):
    listed = await calls.admin.ListDescriptionEntities(
        description_entity_pb2.DescriptionEntityListRequest(
            resource_type=identifier_pb2.WORKFLOW, id={**HERE, "name": CHAIN.name}, limit=10
        )
    )
    assert [(one.id, one.short_description) for one in listed.descriptionEntities] == [(CHAIN, "")]


async def test_inputs_are_had_by_their_address(served, calls):
    execution = await launch(calls.admin, "linked")
    await move(served, execution)
    data = calls.dataproxy
    data_of = await data.GetData(dataproxy_pb2.GetDataRequest(flyte_url=f"flyte://v1/{execution}/start-node/i"))
    assert data_of.literal_map.literals["number"].scalar.primitive.integer == 4


async def test_a_signal_is_made_by_whoever_waits_for_it_and_given_by_somebody_else(calls):
    execution = await launch(calls.admin, "signalled")
    signals = calls.signals
    signal = identifier_pb2.SignalIdentifier(signal_id="go", execution_id={**HERE, "name": execution.name})
    boolean = types_pb2.LiteralType(simple=types_pb2.BOOLEAN)
    await signals.GetOrCreateSignal(signal_pb2.SignalGetOrCreateRequest(id=signal, type=boolean))
    yes = {"scalar": {"primitive": {"boolean": True}}}
    await signals.SetSignal(signal_pb2.SignalSetRequest(id=signal, value=yes))
    (listed,) = (
        await signals.ListSignals(signal_pb2.SignalListRequest(workflow_execution_id=signal.execution_id, limit=10))
    ).signals
    assert listed.value.scalar.primitive.boolean
