"""Programs in the manner of Flyte's user guide, by theme: whatever is registered is read back as it was, and runs.

`pyflyte package` says what the client means to register; what the server gives back is held against it. `test_user_guide`
looks closer at some features.
"""

from __future__ import annotations

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pandas as pd
import pytest
from flyteidl.admin import common_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2
from flyteidl.core import workflow_pb2 as core_workflow_pb2
from flyteidl.service import admin_pb2_grpc
from flytekit.exceptions import base
from flytekit.remote import FlyteRemote
from tests.platforms import launching, remotes
from tests.platforms.server import Server

from dayfly.model.identifiers import ExecutionId
from dayfly.model.phases import ExecutionPhase

PROGRAMS = Path(__file__).parent / "programs"
MODULES = ("guide_tasks", "guide_flow", "guide_data", "guide_plans")
KINDS = {"1": task_pb2.TaskSpec, "2": workflow_pb2.WorkflowSpec, "3": launch_plan_pb2.LaunchPlan}
"""What `pyflyte package` writes, by the number at the end of the file's name."""


class Registered(NamedTuple):
    """One of each kind by name: what the client meant."""

    tasks: dict[str, task_pb2.TaskSpec]
    workflows: dict[str, workflow_pb2.WorkflowSpec]
    launch_plans: dict[str, launch_plan_pb2.LaunchPlan]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAYFLY_SECRET_DB_PASSWORD", "has it")
        running = Server(tmp_path_factory.mktemp("guides") / "data").start()
    with running:
        files = [f"{module}.py" for module in MODULES]
        done = running.pyflyte("register", "--version", launching.VERSION, *files, cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        yield running


@pytest.fixture(scope="module")
def remote(server: Server) -> FlyteRemote:
    return remotes.connect(server)


@pytest.fixture(scope="module")
def admin(server: Server) -> Iterator[admin_pb2_grpc.AdminServiceStub]:
    """Give the API without flytekit's models, which add to what they read."""
    with grpc.insecure_channel(server.address) as channel:
        yield admin_pb2_grpc.AdminServiceStub(channel)


def ask(entity: Any) -> common_pb2.ObjectGetRequest:
    return common_pb2.ObjectGetRequest(id=entity.id.to_flyte_idl())


@pytest.fixture(scope="module")
def meant(tmp_path_factory: pytest.TempPathFactory) -> Registered:
    packed = tmp_path_factory.mktemp("packed") / "guides.tgz"
    modules = [word for module in MODULES for word in ("--pkgs", module)]
    argv = [Path(sys.executable).with_name("pyflyte"), *modules, "package", "--source", ".", "--output", packed]
    done = subprocess.run([*argv, "--image", "example.org/guide:v1"], cwd=PROGRAMS, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    found = Registered({}, {}, {})
    with tarfile.open(packed) as archive:
        for member in archive:
            _, _, kind = member.name.removesuffix(".pb").rpartition("_")
            opened = archive.extractfile(member)
            assert opened is not None
            message = placed(KINDS[kind].FromString(opened.read()))
            name = message.id.name if kind == "3" else message.template.id.name
            found[int(kind) - 1][name] = message
    return found


def placed(message: Any) -> Any:
    """Return a packaged message with all its identifiers made whole: a package leaves open where it will be registered."""
    if isinstance(message, identifier_pb2.Identifier):
        message.project, message.domain = message.project or launching.PROJECT, message.domain or launching.DOMAIN
        message.version = message.version or launching.VERSION
    for part in parts_of(message):
        placed(part)
    return message


def test_tasks_are_read_back(remote: FlyteRemote, admin: Any, meant: Registered) -> None:
    for name, spec in meant.tasks.items():
        found = remote.fetch_task(name=name, version=launching.VERSION)
        assert found.interface.to_flyte_idl() == spec.template.interface, name
        stored = admin.GetTask(ask(found)).closure.compiled_task.template
        for template in (stored, spec.template):
            # Image, command line and environment say where the code is, which a package does not know.
            template.container.Clear()
        assert stored == spec.template, name


def test_workflows_are_read_back(remote: FlyteRemote, admin: Any, meant: Registered) -> None:
    for name, spec in meant.workflows.items():
        found = remote.fetch_workflow(name=name, version=launching.VERSION)
        assert found.interface.to_flyte_idl() == spec.template.interface, name
        nodes = [*spec.template.nodes, *failure_nodes(spec.template)]  # So flytekit has them.
        assert [node.id for node in found.flyte_nodes] == [node.id for node in nodes], name
        stored = admin.GetWorkflow(ask(found)).closure.compiled_workflow
        assert as_written(stored.primary.template) == as_written(spec.template), name
        subs = {one.template.id.name: as_written(one.template) for one in stored.sub_workflows}
        assert subs == {one.id.name: as_written(one) for one in spec.sub_workflows}, name


def failure_nodes(template: core_workflow_pb2.WorkflowTemplate) -> list[core_workflow_pb2.Node]:
    return [template.failure_node] if template.HasField("failure_node") else []


def as_written(template: Any) -> Any:
    """Return a template without what registering changes in it, by Flyte's rules.

    That is: its first and last node, the name of the first where a binding means the workflow's own inputs, nodes that
    are upstream by a binding, the branch's id before those of the nodes in it; and the place to which a value was uploaded.
    """
    kept = type(template)()
    kept.CopyFrom(template)
    del kept.nodes[:]
    kept.nodes.extend(node for node in template.nodes if node.id not in ("start-node", "end-node"))
    _unlink(kept)
    return kept


def _unlink(message: Any) -> None:
    if isinstance(message, types_pb2.OutputReference):
        message.node_id = message.node_id.removeprefix("start-node")
    if isinstance(message, literals_pb2.Blob):
        message.uri = message.uri.rpartition("/")[2]
    if isinstance(message, core_workflow_pb2.Node):
        del message.upstream_node_ids[:]
        if message.HasField("branch_node"):
            block = message.branch_node.if_else
            ends = [block.else_node] if block.HasField("else_node") else []
            for inner in [block.case.then_node, *(one.then_node for one in block.other), *ends]:
                inner.id = inner.id.removeprefix(f"{message.id}-")
    for part in parts_of(message):
        _unlink(part)


def parts_of(message: Any) -> Iterator[Any]:
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if not field.message_type.GetOptions().map_entry:
            yield from value if field.is_repeated else (value,)
        elif field.message_type.fields_by_name["value"].message_type is not None:
            yield from value.values()


def test_launch_plans_are_read_back(remote: FlyteRemote, admin: Any, meant: Registered) -> None:
    for name, plan in meant.launch_plans.items():
        found = remote.fetch_launch_plan(name=name, version=launching.VERSION)
        stored = admin.GetLaunchPlan(ask(found))
        assert stored.spec == plan.spec, name
        assert found.default_inputs.to_flyte_idl() == plan.spec.default_inputs, name
        assert found.fixed_inputs.to_flyte_idl() == plan.spec.fixed_inputs, name
        assert found.workflow_id.name == plan.spec.workflow_id.name, name


def test_what_was_meant_covers_the_guide(meant: Registered) -> None:
    assert (len(meant.tasks), len(meant.workflows), len(meant.launch_plans)) >= (50, 40, 45)
    kinds = {node.WhichOneof("target") for spec in meant.workflows.values() for node in spec.template.nodes}
    assert kinds == {"task_node", "workflow_node", "branch_node", "gate_node", "array_node"}
    assert {spec.template.type for spec in meant.tasks.values()} >= {"python-task", "raw-container", "echo"}


AT = datetime(2026, 3, 1, tzinfo=timezone.utc)

RUNS: list[tuple[str, dict[str, object], dict[str, object] | str]] = [
    ("guide_tasks.asking", {}, {"o0": 9, "o1": "has it", "o2": 4}),
    ("guide_tasks.hashed", {"count": 3}, {"o0": 3}),
    ("guide_tasks.checkpointed", {}, {"o0": 2}),
    ("guide_tasks.shelled", {"lines": ["b", "a"]}, {"o0": "a\nb\n"}),
    ("guide_tasks.echoed", {"text": "again"}, {"o0": "again"}),
    ("guide_tasks.ordered", {}, {"o0": 0.0}),
    ("guide_flow.inner", {"x": 3}, {"o0": 16}),
    ("guide_flow.outer", {"x": 3}, {"o0": 16, "o1": 18}),
    ("guide_flow.outermost", {"x": 3}, {"o0": 34}),
    ("guide_flow.shape", {"radius": 0.5}, {"o0": 0.25}),
    ("guide_flow.shape", {"radius": 3.0}, {"o0": 1.5}),
    ("guide_flow.shape", {"radius": 0.01}, "the radius is too small"),
    ("guide_flow.parity", {"x": 3}, {"o0": "odd"}),
    ("guide_flow.chosen", {"x": 4, "name": "task"}, {"o0": 9}),
    ("guide_flow.chosen", {"x": 4, "name": "workflow"}, {"o0": 19}),
    ("guide_flow.chosen", {"x": 4, "name": "plan"}, {"o0": 109}),
    ("guide_flow.chosen", {"x": 4, "name": "nothing"}, {"o0": 9}),
    ("guide_flow.mapped", {"xs": [1, 2]}, {"o0": 6}),
    ("guide_flow.mapped_partly", {"xs": [1, 2]}, {"o0": [4, 5]}),
    ("guide_flow.mapped_over_points", {}, {"o0": [2, 6, 10]}),
    ("guide_flow.mapped_in_two", {"xs": [1, 2], "ys": [3, 4]}, {"o0": [5, 8]}),
    ("guide_flow.growing", {"count": 2}, {"o0": 23}),
    ("guide_flow.sorting", {"numbers": [3, 1, 2]}, {"o0": [1, 2, 3]}),
    ("guide_flow.counting_down", {}, {"o0": 7}),
    ("guide_flow.slept", {"x": 3}, {"o0": 12}),
    ("guide_flow.goes_on", {"x": 3}, "as it was meant to"),
    ("guide_flow.cleaned", {"x": 0}, {"o0": 0}),
    ("guide_flow.cleaned", {"x": 1}, "as it was meant to"),
    ("guide_flow.cleaned_by_workflow", {"x": 1}, "as it was meant to"),
    ("guide_flow.built", {"x": 1, "y": 2}, {"all": [2, 14, 104]}),
    ("guide_flow.eagerly", {"x": 1}, {"o0": 25}),
    ("guide_data.files", {}, {"o0": "[3, 2, 2, 3] ['0.txt', '1.txt']"}),
    ("guide_data.optional_files", {}, {"o0": "True ['one']"}),
    ("guide_data.parts", {"name": "box"}, {"o0": "3 b 1 8 ninth 4.5"}),
    ("guide_data.parcels", {}, {"o0": "4 2"}),
    ("guide_data.brewing", {}, {"o0": "espresso"}),
    ("guide_data.unions", {}, {"o0": "str None"}),
    ("guide_data.times", {"at": AT}, {"o0": "2026-03-03T01:00:00Z"}),
    ("guide_data.untyped", {"number": 2}, {"o0": 16}),
    ("guide_data.named", {}, {"number": 2, "text": "two"}),
    ("guide_plans.bound", {}, {"o0": "Ann Ann 2020"}),
    ("guide_plans.limited", {}, {"o0": 42}),
    ("guide_plans.by_plan", {"x": 4}, {"o0": "by plan by plan 2020", "o1": 8}),
    ("guide_plans.by_reference", {"x": 4}, {"o0": 16, "o1": 9}),
]
"""Launch plans, what they are given, and what comes out, or what the error says."""


@pytest.fixture(scope="module")
def launched(remote: FlyteRemote) -> list[ExecutionId]:
    """Launch all at once, and return the executions by their places in the table."""
    return [launch(remote, name, inputs) for name, inputs, _ in RUNS]


def launch(remote: FlyteRemote, name: str, inputs: dict[str, object]) -> ExecutionId:
    plan = remote.fetch_launch_plan(name=name, version=launching.VERSION)
    started = remote.execute(plan, inputs=inputs).id
    return ExecutionId(started.project, started.domain, started.name)


@pytest.mark.parametrize("at", range(len(RUNS)), ids=[f"{name} {inputs}" for name, inputs, _ in RUNS])
def test_it_runs(server: Server, launched: list[ExecutionId], at: int) -> None:
    expected = RUNS[at][2]
    ended, outputs = launching.wait(server, launched[at])
    if isinstance(expected, str):
        assert ended.phase is ExecutionPhase.FAILED
        assert ended.error is not None and expected in ended.error.message
    else:
        assert ended.phase is ExecutionPhase.SUCCEEDED, ended.error
        assert outputs == expected


@pytest.mark.parametrize(("passes", "told"), [(True, "A title"), (False, "the report was refused")])
def test_people_answer_what_a_workflow_asks(server: Server, remote: FlyteRemote, passes: bool, told: str) -> None:
    execution = launch(remote, "guide_flow.reported", {"x": 2})
    for answer in (
        lambda: remote.set_input("title", execution.name, value="A title", python_type=str),
        lambda: remote.approve("number-approved", execution.name),
        lambda: remote.set_input("review-passes", execution.name, value=passes, python_type=bool),
    ):
        launching.wait_until(lambda answer=answer: taken(answer), "no node waits for what is given")
    ended, outputs = launching.wait(server, execution)
    assert (ended.phase, outputs) == (ExecutionPhase.SUCCEEDED, {"o0": told}), ended.error


def taken(answer: Callable[[], object]) -> bool:
    try:
        answer()
    except base.FlyteException:
        return False  # Nothing waits for it yet.
    return True


def test_a_client_opens_a_table_that_a_workflow_gave(remote: FlyteRemote) -> None:
    plan = remote.fetch_launch_plan(name="guide_data.tables", version=launching.VERSION)
    ended = remotes.wait(remote, remote.execute(plan, inputs={}))
    assert ended.outputs.get("o0", as_type=int) == 40
    assert ended.outputs.get("o1", as_type=pd.DataFrame).to_dict("list") == {"name": ["Ann", "Bob"], "age": [30, 40]}
