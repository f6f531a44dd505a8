import pytest
from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2

from dayfly.base.clock import Micros
from dayfly.controller import preparing
from dayfly.model.identifiers import START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.phases import NodePhase
from dayfly.model.plan import Plan, PlanNode
from dayfly.model.run import NodeState, RunState
from dayfly.ports.executors import AttemptSpec
from dayfly.ports.runs import Run

TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "t", "v")
WORKFLOW = EntityId(int(identifier_pb2.WORKFLOW), "p", "d", "w", "v")
NODE = NodeId("n0")
STATE = RunState(nodes={NODE: NodeState(NodePhase.QUEUED, queued_at=Micros(0), spec_id=NODE)})


def build(
    template: tasks_pb2.TaskTemplate,
    spec: execution_pb2.ExecutionSpec | None = None,
    attempt: int = 0,
    storage: str = "file:///store",
    **more: object,
) -> AttemptSpec:
    spec = spec or execution_pb2.ExecutionSpec()
    node = PlanNode(NODE, target=TASK, upstream=(START_NODE,))
    plan = Plan(workflow=WORKFLOW, digest="digest", nodes={NODE: node})
    run = Run(ExecutionId("p", "d", "x"), plan, STATE, 0, spec.SerializeToString(), storage, WORKFLOW)
    return preparing.build_spec(
        run,
        NODE,
        attempt,
        template,
        literals_pb2.LiteralMap(),
        interruptible=False,
        public_url="http://h:1",
        platform_env={"STORE": "s"},
        **more,  # type: ignore[arg-type]
    )


def container(**fields: object) -> tasks_pb2.TaskTemplate:
    return tasks_pb2.TaskTemplate(type="python-task", container=tasks_pb2.Container(image="i", **fields))


def test_the_command_is_filled_in() -> None:
    args = ["run", "{{.input}}", "{{.outputPrefix}}", "{{.rawOutputDataPrefix}}", "{{.prevCheckpointPrefix}}"]
    first, second = (build(container(args=args), execution_pb2.ExecutionSpec(), attempt) for attempt in (0, 1))
    root = "file:///store/metadata/propeller/p-d-x/n0/data"
    assert first.argv[:3] == ("run", f"{root}/inputs.pb", f"{root}/0")
    assert first.argv[3].startswith("/store/data/"), "flytekit makes folders only for plain paths"
    assert first.argv[4] == '""'
    assert second.argv[2] == f"{root}/1"
    assert second.argv[4] == f"{first.argv[3]}/_flytecheckpoints"


def test_the_last_word_on_a_variable_is_the_executions() -> None:
    env = [{"key": "A", "value": "task"}, {"key": "B", "value": "task"}]
    spec = execution_pb2.ExecutionSpec(envs=common_pb2.Envs(values=[{"key": "B", "value": "run"}]))
    made = build(container(args=["x"], env=env), spec)
    assert made.env["A"] == "task"
    assert made.env["B"] == "run"
    assert made.env["STORE"] == "s"
    assert made.env["FLYTE_INTERNAL_EXECUTION_ID"] == "x"
    assert made.env["FLYTE_EXECUTION_URL"] == "http://h:1/console/projects/p/domains/d/executions/x"
    assert made.volatile_env == {"B"}


@pytest.mark.parametrize(
    ("storage", "own", "told"),
    [
        ("s3://b", {}, None),
        ("gs://b", {}, None),
        ("abfs://c/x", {}, "false"),
        ("abfss://c@a/x", {"value": "true"}, "true"),
    ],
)
def test_on_azure_flytekit_is_told_not_to_write_on_what_it_stores(
    storage: str, own: dict[str, str], told: str | None
) -> None:
    name = "FLYTE_PERSISTENCE_ATTACH_EXECUTION_METADATA"
    made = build(container(args=["x"], env=[{"key": name, **own}] if own else []), storage=storage)
    assert made.env.get(name) == told


def test_a_request_stands_in_for_a_limit_and_the_other_way_round() -> None:
    cpu, memory = tasks_pb2.Resources.CPU, tasks_pb2.Resources.MEMORY
    resources = {"requests": [{"name": cpu, "value": "500m"}], "limits": [{"name": memory, "value": "1Gi"}]}
    made = build(container(args=["x"], resources=resources), execution_pb2.ExecutionSpec())
    assert (made.cpu_request, made.cpu_limit) == (0.5, 0.5)
    assert (made.memory_request_bytes, made.memory_limit_bytes) == (2**30, 2**30)


MEBI = 2**20


@pytest.mark.parametrize(
    ("times", "limit", "grown", "said"),
    [
        (0, 0, 300, ""),
        (1, 0, 600, "raised from 300 MiB to 600 MiB"),
        (3, 0, 2400, "raised from 300 MiB to 2400 MiB"),
        (3, 1000, 1000, "raised from 300 MiB to 1000 MiB"),
        (1, 200, 300, "has the most that this platform gives: 300 MiB"),
    ],
)
def test_after_running_out_of_memory_there_is_more(times: int, limit: int, grown: int, said: str) -> None:
    resources = {"limits": [{"name": tasks_pb2.Resources.MEMORY, "value": "300Mi"}]}
    sizing = preparing.Sizing(memory_growth=2.0, memory_growth_limit_bytes=limit * MEBI)
    made = build(container(args=["x"], resources=resources), sizing=sizing, out_of_memory=times)
    assert (made.memory_limit_bytes, made.memory_request_bytes) == (grown * MEBI, grown * MEBI)
    assert said in "; ".join(made.notes)
    assert bool(made.notes) is bool(said)


def test_growth_is_a_setting() -> None:
    resources = {"limits": [{"name": tasks_pb2.Resources.MEMORY, "value": "300Mi"}]}
    made = build(container(args=["x"], resources=resources), out_of_memory=2)
    assert (made.memory_limit_bytes, made.notes) == (300 * MEBI, ())


def test_an_element_that_does_not_know_of_arrays_finds_its_own_inputs() -> None:
    plain, mapped = (container(args=[command, "{{.input}}"]) for command in ("pyflyte-execute", "pyflyte-map-execute"))
    whole = "file:///store/metadata/propeller/p-d-x/n0/data/inputs.pb"
    assert (build(plain).inputs_uri, build(plain).argv[1]) == (whole, whole)
    made = build(plain, own_inputs_uri="file:///own")
    assert (made.inputs_uri, made.argv[1]) == ("file:///own", "file:///own")
    # What runs elsewhere is handed the element's inputs, and its command is flytekit's.
    made = build(mapped, own_inputs_uri="file:///own")
    assert (made.inputs_uri, made.argv[1]) == ("file:///own", whole)


def test_what_only_pods_can_do_goes_along() -> None:
    spec = execution_pb2.ExecutionSpec(labels={"values": {"team": "blue"}}, annotations={"values": {"a": "1"}})
    pod = tasks_pb2.K8sPod(primary_container_name="main")
    made = build(container(args=["x"]), spec, pods=[pod])
    assert (made.labels, made.annotations) == ({"team": "blue"}, {"a": "1"})
    assert [tasks_pb2.K8sPod.FromString(each) for each in made.pods] == [pod]
    assert build(container(args=["x"])).pods == ()


@pytest.mark.parametrize(
    ("execution", "task", "account"),
    [("", "", ""), ("of-run", "of-task", "of-run"), ("", "of-task", "of-task"), ("of-run", "", "of-run")],
)
def test_the_service_account_is_the_executions_before_the_tasks(execution: str, task: str, account: str) -> None:
    spec = execution_pb2.ExecutionSpec(security_context={"run_as": {"k8s_service_account": execution}})
    template = container(args=["x"])
    template.security_context.run_as.k8s_service_account = task
    assert build(template, spec).service_account == account
