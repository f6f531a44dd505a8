"""The compiled shape of right workflows, and every error of wrong ones."""

from __future__ import annotations

import pytest
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2, workflow_pb2

from dayfly.compiler import errors, plans, workflows
from dayfly.model.identifiers import EntityId


@pytest.fixture(scope="module")
def tasks(make):
    return [
        make.task("t", {"a": make.INT}, {"o": make.INT}),
        make.task("text", {"s": make.STR}, {"o": make.STR}),
        make.task("many", {"xs": make.list_of(make.INT)}, {"o": make.list_of(make.STR)}),
        make.task("maybe", {"a": make.union(make.INT, make.NONE)}, {}),
        make.task("none", {}, {}),
    ]


@pytest.fixture(scope="module")
def diamond(make):
    return make.workflow(
        [
            make.node("n0", inputs={"a": make.promise("", "x")}),
            make.node("n1", inputs={"a": make.promise("n0", "o")}),
            make.node("n2", inputs={"a": 3}, after=["n0"]),
            make.node("n3", "many", inputs={"xs": [make.promise("n2", "o"), make.promise("n1", "o"), 1]}),
            make.node("alone", "none"),
        ],
        inputs={"x": make.INT},
        outputs={"r": make.STR, "y": make.INT},
        returns={"r": make.promise("n3", "o", 0), "y": make.promise("", "x")},
    )


def test_nodes_and_edges(make, tasks, diamond):
    before = diamond.SerializeToString(deterministic=True)
    closure = make.compile(diamond, tasks).closure
    template, connections = closure.primary.template, closure.primary.connections
    assert [node.id for node in template.nodes] == ["start-node", "end-node", "n0", "n1", "n2", "n3", "alone"]
    assert template.nodes[0] == workflow_pb2.Node(id="start-node")
    assert template.nodes[1].inputs[1].binding.promise.node_id == "start-node"
    upstream = {node.id: list(node.upstream_node_ids) for node in template.nodes}
    assert upstream == {
        "start-node": [],
        "end-node": ["alone", "n3"],
        "n0": [],
        "n1": ["n0"],
        "n2": ["n0"],
        "n3": ["n1", "n2"],
        "alone": [],
    }
    assert {name: list(ids.ids) for name, ids in connections.downstream.items()} == {
        "start-node": ["alone", "n0"],
        "n0": ["n1", "n2"],
        "n1": ["n3"],
        "n2": ["n3"],
        "n3": ["end-node"],
        "alone": ["end-node"],
    }
    assert list(connections.upstream["alone"].ids) == ["start-node"]
    assert [task.template.id.name for task in closure.tasks] == ["many", "none", "t"]
    assert diamond.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("id", ["../../other", "a/b", "n0#1", "x y", "-n", ".", "..", "n\0", "n" * 201, "é" * 101])
def test_ids_that_would_lead_elsewhere_are_refused(make, tasks, id):
    [error] = make.compile(make.workflow([make.node(id, "none")]), tasks).errors
    assert (error.code, "its id is malformed" in error.message) == (errors.INVALID_VALUE, True)


@pytest.mark.parametrize("id", ["n0", "dn0", "my-node.v2_x", "ünï", "計算", "3rd", "n" * 200, "é" * 63])
def test_ids_as_users_of_flytekit_give_them(make, tasks, id):
    assert list(make.compile(make.workflow([make.node(id, "none")]), tasks).plan.nodes) == [id]


def test_ids_inside_of_branches_and_of_failure_nodes_are_checked(make, tasks):
    then = workflow_pb2.IfBlock(then_node=make.node("a/b", "none"))
    branch = workflow_pb2.Node(
        id="n0", branch_node={"if_else": workflow_pb2.IfElseBlock(case=then, else_node=make.node("n1", "none"))}
    )
    document = make.workflow([branch])
    document.failure_node.CopyFrom(make.node("../efn", "none"))
    told = [error for error in make.compile(document, tasks).errors if "its id is malformed" in error.message]
    assert [error.path.rsplit(", ", 1)[-1] for error in told] == ["node a/b", "node ../efn"]


def test_the_plan(make, tasks, diamond):
    plan = make.compile(diamond, tasks).plan
    assert {name: node.upstream for name, node in plan.nodes.items()} == {
        "n0": ("start-node",),
        "n1": ("n0",),
        "n2": ("n0",),
        "n3": ("n1", "n2"),
        "alone": ("start-node",),
    }
    assert workflow_pb2.Node.FromString(plan.end_document).inputs[0].var == "r"
    assert workflow_pb2.Node.FromString(plan.nodes["n2"].document).inputs[0].binding.scalar.primitive.integer == 3
    assert len(plan.digest.removesuffix(f".{plans.FORMAT}")) == 64


def test_the_registered_name_wins_and_start_and_end_are_dropped(make, tasks):
    given = make.workflow(
        [workflow_pb2.Node(id="start-node"), make.node("n", "none"), workflow_pb2.Node(id="end-node")]
    )
    known = {EntityId(identifier_pb2.TASK, "p", "d", "none", "v"): tasks[-1]}
    compiled = workflows.compile(given, [], known, {}, make.workflow_id("other"))
    assert compiled.closure.primary.template.id.name == "other"
    assert [node.id for node in compiled.closure.primary.template.nodes] == ["start-node", "end-node", "n"]
    assert list(compiled.plan.nodes) == ["n"]


def test_inputs_that_may_be_none_need_no_binding(make, tasks):
    assert isinstance(make.compile(make.workflow([make.node("n", "maybe")]), tasks), workflows.Compiled)


def wrong_inputs(make):
    point = types_pb2.TypeStructure(dataclass_type={"x": make.INT})
    dataclass = types_pb2.LiteralType(simple=types_pb2.STRUCT, structure=point)
    color = types_pb2.LiteralType(enum_type=types_pb2.EnumType(values=["red"]))
    lists = make.union(make.list_of(make.INT), make.list_of(make.STR))
    empty = literals_pb2.BindingData()
    bad_blob = literals_pb2.BindingData(scalar=literals_pb2.Scalar(blob=literals_pb2.Blob(uri="u")))
    return [
        (make.INT, "x", errors.MISMATCHING_TYPES, "the value is str, and int is declared"),
        (make.INT, [1], errors.MISMATCHING_BINDINGS, "a list is bound, and int is declared"),
        (make.INT, {"k": 1}, errors.MISMATCHING_BINDINGS, "a dict is bound"),
        (make.dict_of(make.INT), {"k": "x"}, errors.MISMATCHING_TYPES, "the value is str"),
        (make.list_of(make.INT), ["x"], errors.MISMATCHING_TYPES, "the value is str"),
        (make.INT, make.promise("ghost", "o"), errors.NODE_NOT_FOUND, "node ghost"),
        (make.INT, make.promise("n0", "q"), errors.VARIABLE_NOT_FOUND, "node n0 has no output q; known: o"),
        (make.INT, make.promise("", "q"), errors.VARIABLE_NOT_FOUND, "the workflow has no input q; known: d, x"),
        (make.STR, make.promise("n0", "o"), errors.MISMATCHING_TYPES, "output o of node n0 is int"),
        (make.STR, make.promise("", "x"), errors.MISMATCHING_TYPES, "workflow input x is int"),
        (make.INT, make.promise("", "d", "y"), errors.FIELD_NOT_FOUND, "workflow input d at .y: there is no field 'y'"),
        (make.STR, make.promise("", "d", "x"), errors.MISMATCHING_TYPES, "at .x is int, and str is declared"),
        (make.INT, empty, errors.VALUE_REQUIRED, "the binding is empty"),
        (types_pb2.LiteralType(blob=types_pb2.BlobType()), bad_blob, errors.INVALID_LITERAL, "has no metadata"),
        (color, "green", errors.ILLEGAL_ENUM_VALUE, "'green' is not one of red"),
        (lists, [], errors.AMBIGUOUS_UNION, "more than one variant"),
        (lists, {}, errors.INCOMPATIBLE_UNION, "none of the variants"),
    ], {"x": make.INT, "d": dataclass}


def test_each_wrong_binding_is_told(make):
    table, inputs = wrong_inputs(make)
    for declared, value, code, message in table:
        subject = make.task("subject", {"a": declared}, {})
        template = make.workflow(
            [make.node("n0", inputs={"a": 1}), make.node("n1", "subject", inputs={"a": value})], inputs=inputs
        )
        result = make.compile(template, [subject, make.task("t", {"a": make.INT}, {"o": make.INT})])
        assert isinstance(result, errors.Rejected), (declared, value)
        (error,) = result.errors
        assert error.code == code
        assert error.path.startswith("workflow wf, node n1, input a")
        assert message in error.message


def test_all_errors_at_once_each_with_its_place(make, tasks):
    template = make.workflow(
        [
            make.node("n0", inputs={"a": "x"}, metadata=workflow_pb2.NodeMetadata(name="train")),
            make.node("n0", inputs={"a": 1}),
            make.node("n1"),
            make.node("n2", inputs={"a": 1, "b": 2}),
            make.node("n3", inputs=[*make.bind(a=1), *make.bind(a=2)]),
            make.node("n4", "ghost", inputs={"a": make.promise("nobody", "o")}),
            # what is missing in n4 is not told again here
            make.node("n5", inputs={"a": make.promise("n4", "o")}),
            make.node("n6", "none", after=["nowhere"]),
            make.node("n7", task=None),
            make.node("", "none"),
        ],
        outputs={"r": make.INT, "q": make.INT, "u": types_pb2.LiteralType()},
        returns={"r": make.promise("n0", "nothing"), "z": 1},
    )
    assert make.told(make.compile(template, tasks)) == [
        (errors.VALUE_REQUIRED, "workflow wf, output u"),
        (errors.DUPLICATE_ID, "workflow wf, node n0"),
        (errors.VALUE_REQUIRED, "workflow wf, node "),
        (errors.MISMATCHING_TYPES, "workflow wf, node n0 (train), input a"),
        (errors.PARAMETER_NOT_BOUND, "workflow wf, node n1, input a"),
        (errors.VARIABLE_NOT_FOUND, "workflow wf, node n2, input b"),
        (errors.PARAMETER_BOUND_TWICE, "workflow wf, node n3, input a"),
        (errors.TASK_NOT_FOUND, "workflow wf, node n4"),
        (errors.NODE_NOT_FOUND, "workflow wf, node n4, input a"),
        (errors.NODE_NOT_FOUND, "workflow wf, node n6"),
        (errors.VALUE_REQUIRED, "workflow wf, node n7"),
        (errors.VARIABLE_NOT_FOUND, "workflow wf, output r"),
        (errors.VARIABLE_NOT_FOUND, "workflow wf, output z"),
        (errors.PARAMETER_NOT_BOUND, "workflow wf, output q"),
        (errors.PARAMETER_NOT_BOUND, "workflow wf, output u"),
    ]


def test_no_nodes_and_no_interface(make):
    result = make.compile(workflow_pb2.WorkflowTemplate(id=make.workflow([]).id))
    assert [code for code, _ in make.told(result)] == [errors.VALUE_REQUIRED, errors.NO_NODES_FOUND]


def test_cycles_and_what_cannot_be_reached(make, tasks):
    template = make.workflow(
        [
            make.node("a", "none", after=["c"]),
            make.node("b", "none", after=["a"]),
            make.node("c", "none", after=["b"]),
            make.node("self", "none", after=["self"]),
            make.node("after", "none", after=["c"]),
            make.node("fine", "none"),
        ]
    )
    result = make.compile(template, tasks)
    assert [error.message for error in result.errors] == [
        "nodes wait for each other: a -> b -> c -> a",
        "nodes wait for each other: self -> self",
        "no path leads from the start to after",
    ]
    assert [error.code for error in result.errors] == [errors.CYCLE_DETECTED] * 2 + [errors.UNREACHABLE_NODES]


def test_aliases(make, tasks):
    alias = workflow_pb2.Alias
    good = make.workflow(
        [
            make.node("n0", inputs={"a": 1}, output_aliases=[alias(var="o", alias="p")]),
            make.node("n1", inputs={"a": make.promise("n0", "p")}),
        ]
    )
    assert isinstance(make.compile(good, tasks), workflows.Compiled)
    aliases = [alias(var="q", alias="p"), alias(var="o", alias="p")]
    bad = make.workflow([make.node("n0", inputs={"a": 1}, output_aliases=aliases)])
    assert make.told(make.compile(bad, tasks)) == [
        (errors.VARIABLE_NOT_FOUND, "workflow wf, node n0, alias p"),
        (errors.DUPLICATE_ALIAS, "workflow wf, node n0, alias p"),
    ]


def test_one_message_for_people(make):
    error = errors.CompileError("C", "workflow w", "broken")
    assert errors.describe([error]) == "1 error:\nworkflow w: broken [C]"
    many = errors.describe([error] * 10_000)
    assert many.startswith("10000 errors:")
    assert "more" in many.splitlines()[-1]
    assert len(many) < 6_000
