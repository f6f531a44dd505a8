"""Programs in the manner of Flyte's user guide: registered by `pyflyte`, read back by `FlyteRemote` as it promotes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from flytekit.configuration import Config, PlatformConfig
from flytekit.models.core.types import EnumType
from flytekit.models.literals import BindingData
from flytekit.remote import FlyteRemote
from serving import ServedInThread

PROGRAMS = Path(__file__).parent / "programs"
PROJECT, DOMAIN, VERSION = "flytesnacks", "development", "one"


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("guide")
    with ServedInThread(folder) as running:
        config = folder / "config.yaml"
        config.write_text(f"admin:\n  endpoint: {running.served.address}\n  insecure: true\n")
        for program in ("guide.py", "guide_references.py"):
            register(config, program)
        platform = PlatformConfig(endpoint=running.served.address, insecure=True)
        yield FlyteRemote(Config(platform=platform), default_project=PROJECT, default_domain=DOMAIN)


def register(config: Path, program: str) -> None:
    pyflyte = Path(sys.executable).with_name("pyflyte")
    where = ("--project", PROJECT, "--domain", DOMAIN, "--version", VERSION)
    argv = [pyflyte, "--config", config, "register", *where, "--copy", "none", program]
    ran = subprocess.run(argv, cwd=PROGRAMS, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Successfully registered" in ran.stdout


def fetch(remote: FlyteRemote, name: str):
    return remote.fetch_workflow(name=f"guide.{name}", version=VERSION)


def template_of(remote: FlyteRemote, name: str):
    return remote.client.get_workflow(fetch(remote, name).id).closure.compiled_workflow.primary.template


def promises(binding: BindingData) -> list[tuple[str, str]]:
    if binding.promise is not None:
        return [(binding.promise.node_id, binding.promise.var)]
    parts = (binding.collection.bindings if binding.collection else []) or []
    return [one for part in parts for one in promises(part)]


KINDS = {
    "chain": ["task", "task"],
    "typed": ["task", "task"],
    "tuples": ["task"],
    "data": ["task", "task"],
    "times": ["task"],
    "nested": ["sub-workflow", "sub-workflow", "task"],
    "deeper": ["sub-workflow", "sub-workflow"],
    "choosing": ["branch"],
    "mapping": ["array"],
    "growing": ["task"],
    "gated": ["gate", "gate", "task", "gate", "task"],
    "failing": ["task", "task"],
    "launching": ["launch plan", "launch plan", "task"],
    "mapping_plans": ["array"],
    "eagerly": ["task", "task"],
    "imperative": ["task"],
}


def kind(node) -> str:
    if node.task_node is not None:
        return "task"
    if node.workflow_node is not None:
        return "launch plan" if node.workflow_node.launchplan_ref is not None else "sub-workflow"
    if node.branch_node is not None:
        return "branch"
    return "gate" if node.gate_node is not None else "array"


@pytest.mark.parametrize("name", KINDS)
def test_every_feature_is_registered_and_read_back(remote: FlyteRemote, name: str) -> None:
    found = fetch(remote, name)
    assert [kind(node) for node in found.flyte_nodes] == KINDS[name]
    assert found.id.name == f"guide.{name}"
    # What was read can be handed on: flytekit registers fetched entities under other versions.
    assert found.to_flyte_idl().template.interface == found.interface.to_flyte_idl()


def test_types_of_inputs(remote: FlyteRemote) -> None:
    inputs = fetch(remote, "typed").interface.inputs
    assert inputs["color"].type.enum_type == EnumType(["red", "blue"])
    assert [variant.simple for variant in inputs["maybe"].type.union_type.variants] == [1, 0]
    assert len(inputs["either"].type.union_type.variants) == 3
    assert inputs["settings"].type.metadata["properties"].keys() == {"inner", "names"}
    assert inputs["model"].type.metadata["title"] == "Model"
    data = fetch(remote, "data").interface.inputs
    assert data["folder"].type.blob.dimensionality == 1
    table = remote.fetch_task(name="guide.table", version=VERSION).interface.outputs["o0"].type
    assert [column.name for column in table.structured_dataset_type.columns] == ["a", "b"]


def test_attributes_of_promises(remote: FlyteRemote) -> None:
    (binding,) = [one.binding for one in fetch(remote, "typed").flyte_nodes[1].inputs if one.var == "factor"]
    assert (binding.promise.node_id, binding.promise.attr_path) == ("", ["inner", "factor"])


def test_sub_workflows_are_found_by_their_nodes(remote: FlyteRemote) -> None:
    nested = fetch(remote, "nested")
    assert [sub.id.name for sub in nested.flyte_sub_workflows] == ["guide.chain"]
    assert nested.flyte_nodes[0].flyte_entity.id.name == "guide.chain"
    total = nested.flyte_nodes[2]
    assert (total.metadata.name, total.metadata.retries.retries) == ("the sum", 1)
    overrides = template_of(remote, "nested").nodes[-1].task_node.overrides  # flytekit drops them when it promotes
    assert overrides.resources.requests[0].value == "1Gi"
    assert sorted(promises(one.binding) for one in total.inputs) == [[("n0", "o0")], [("n1", "o0")]]


def test_conditions(remote: FlyteRemote) -> None:
    block = fetch(remote, "choosing").flyte_nodes[0].branch_node.if_else
    assert block.case.then_node.flyte_entity.id.name == "guide.chain"
    assert block.other[0].then_node.branch_node is not None
    assert block.error.message == "too small"


def test_maps_say_how_much_must_succeed(remote: FlyteRemote) -> None:
    array = fetch(remote, "mapping").flyte_nodes[0].array_node
    assert (array._parallelism, round(array._min_success_ratio, 6)) == (4, 0.8)


def test_gates(remote: FlyteRemote) -> None:
    pause, wait, _, approve, _ = fetch(remote, "gated").flyte_nodes
    assert pause.gate_node.sleep.duration.total_seconds() == 1
    assert (wait.gate_node.signal.signal_id, wait.gate_node.signal.type.simple) == ("a-number", 1)
    assert approve.gate_node.approve.signal_id == "looks-right"
    assert [one.id for one in fetch(remote, "gated").flyte_nodes[2].upstream_nodes] == [pause.id]


def test_failure_and_clean_up_nodes(remote: FlyteRemote) -> None:
    for name, task in (("failing", "guide.clean_up"), ("eagerly", "guide.eagerly-cleanup")):
        assert template_of(remote, name).failure_node.task_node.reference_id.name == task


def test_launch_plans_with_defaults_and_schedules(remote: FlyteRemote) -> None:
    daily = remote.fetch_launch_plan(name="daily", version=VERSION)
    assert daily.default_inputs.parameters["x"].default.scalar.primitive.integer == 7
    assert daily.fixed_inputs.literals["y"].scalar.primitive.integer == 1
    assert daily.entity_metadata.schedule.cron_schedule.schedule == "0 6 * * *"
    hourly = remote.fetch_launch_plan(name="hourly", version=VERSION)
    assert hourly.entity_metadata.schedule.kickoff_time_input_arg == "kickoff"
    assert hourly.entity_metadata.schedule.rate.value == 1


def test_references_to_what_is_registered(remote: FlyteRemote) -> None:
    found = remote.fetch_workflow(name="guide_references.referring", version=VERSION)
    plan, task = found.flyte_nodes
    assert plan.flyte_entity.id.name == "daily"
    assert task.flyte_entity.id.name == "guide.double"
