from flyteidl.admin import common_pb2, execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2, tasks_pb2

from dayfly.controller import preparing
from dayfly.model.identifiers import START_NODE, EntityId, ExecutionId, NodeId
from dayfly.model.plan import Plan, PlanNode
from dayfly.model.run import RunState
from dayfly.ports.executors import AttemptSpec
from dayfly.ports.runs import Run

TASK = EntityId(int(identifier_pb2.TASK), "p", "d", "t", "v")
WORKFLOW = EntityId(int(identifier_pb2.WORKFLOW), "p", "d", "w", "v")
NODE = NodeId("n0")


def build(template: tasks_pb2.TaskTemplate, spec: execution_pb2.ExecutionSpec, attempt: int = 0) -> AttemptSpec:
    node = PlanNode(NODE, TASK, b"", (START_NODE,))
    plan = Plan(WORKFLOW, "digest", {NODE: node}, b"", b"")
    run = Run(ExecutionId("p", "d", "x"), plan, RunState(), 0, spec.SerializeToString(), "file:///store", WORKFLOW)
    return preparing.build_spec(
        run,
        NODE,
        attempt,
        template,
        literals_pb2.LiteralMap(),
        interruptible=False,
        public_url="http://h:1",
        platform_env={"STORE": "s"},
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


def test_a_request_stands_in_for_a_limit_and_the_other_way_round() -> None:
    cpu, memory = tasks_pb2.Resources.CPU, tasks_pb2.Resources.MEMORY
    resources = {"requests": [{"name": cpu, "value": "500m"}], "limits": [{"name": memory, "value": "1Gi"}]}
    made = build(container(args=["x"], resources=resources), execution_pb2.ExecutionSpec())
    assert (made.cpu_request, made.cpu_limit) == (0.5, 0.5)
    assert (made.memory_request_bytes, made.memory_limit_bytes) == (2**30, 2**30)
