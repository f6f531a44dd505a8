"""Bindings become literals: constants, promises, parts of promised values."""

from __future__ import annotations

import json

import msgpack
import pytest
from flyteidl.core import literals_pb2, types_pb2
from flyteidl.core.literals_pb2 import BindingData, Literal, LiteralCollection, LiteralMap, Primitive, Scalar
from google.protobuf import json_format, struct_pb2

from dayfly.base import errors
from dayfly.model import paths, promises


def primitive(**value):
    return Literal(scalar=Scalar(primitive=Primitive(**value)))


def list_of(*parts):
    return Literal(collection=LiteralCollection(literals=parts))


def dict_of(**parts):
    return Literal(map=LiteralMap(literals=parts))


def packed(tree):
    return Literal(scalar=Scalar(binary=literals_pb2.Binary(value=msgpack.packb(tree), tag="msgpack")))


def struct(tree):
    return Literal(scalar=Scalar(generic=json_format.ParseDict(tree, struct_pb2.Struct())))


def in_union(value):
    return Literal(scalar=Scalar(union=literals_pb2.Union(value=value)))


def steps(path):
    return [
        types_pb2.PromiseAttribute(int_value=one)
        if isinstance(one, int)
        else types_pb2.PromiseAttribute(string_value=one)
        for one in path
    ]


def promise(var="o", path=(), node="n0"):
    return BindingData(promise=types_pb2.OutputReference(node_id=node, var=var, attr_path=steps(path)))


ONE = primitive(integer=1)
VOID = Literal(scalar=Scalar(none_type=literals_pb2.Void()))
INFINITE = Literal(scalar=Scalar(generic=struct_pb2.Struct(fields={"x": struct_pb2.Value(number_value=float("inf"))})))
TREE = {"i": 7, "f": 7.0, "s": "x", "b": True, "n": None, "l": [1, "a", [2.5]], "d": {"k": [{"z": 3}]}, "big": 2**40}


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        (ONE, [], ONE),
        (list_of(ONE, primitive(integer=2)), [1], primitive(integer=2)),
        (dict_of(a=list_of(ONE)), ["a", 0], ONE),
        (dict_of(**{"3": ONE}), [3], ONE),
        (in_union(list_of(ONE)), [0], ONE),
        (packed(TREE), ["i"], primitive(integer=7)),
        (packed(TREE), ["f"], primitive(float_value=7.0)),
        (packed(TREE), ["s"], primitive(string_value="x")),
        (packed(TREE), ["b"], primitive(boolean=True)),
        (packed(TREE), ["n"], VOID),
        (packed(TREE), ["big"], primitive(integer=2**40)),
        (packed(TREE), ["l"], list_of(ONE, primitive(string_value="a"), list_of(primitive(float_value=2.5)))),
        (packed(TREE), ["l", 2, 0], primitive(float_value=2.5)),
        (packed(TREE), ["d"], packed({"k": [{"z": 3}]})),
        (packed(TREE), ["d", "k", 0], packed({"z": 3})),
        (packed({1: "one"}), [1], primitive(string_value="one")),
        (list_of(packed(TREE)), [0, "d", "k", 0, "z"], primitive(integer=3)),
        (struct(TREE), ["i"], primitive(float_value=7.0)),
        (struct(TREE), ["b"], primitive(boolean=True)),
        (struct(TREE), ["d"], struct({"k": [{"z": 3}]})),
        (struct(TREE), ["l", 1], primitive(string_value="a")),
        (struct(TREE), ["n"], VOID),
        (INFINITE, ["x"], primitive(float_value=float("inf"))),
    ],
)
def test_parts_of_a_promised_value(value, path, found):
    assert promises.resolve_binding(promise(path=path), lambda node, var: value) == found


@pytest.mark.parametrize(
    ("value", "path", "told"),
    [
        (list_of(ONE), [1], "there is no [1] in the value: the list has 1 elements"),
        (list_of(ONE), [-1], "the list has 1 elements"),
        (list_of(ONE), ["a"], "has no names"),
        (dict_of(a=ONE), ["b"], "the keys are a"),
        (ONE, ["b"], "has no parts"),
        (Literal(), ["b"], "has no parts"),
        (packed(TREE), ["l", 9], "there is no .l[9]"),
        (packed(TREE), ["d", "q"], "the keys are k"),
        (packed(TREE), ["i", "q"], "a int has no parts"),
        (packed({}), ["q"], "it has no keys"),
        (packed({"x": b"raw"}), ["x"], "which no input can take"),
        (packed({"x": 2**63}), ["x"], "which no input can take"),
        (Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"\xc1", tag="msgpack"))), ["x"], "not valid msgpack"),
        (Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"\x92", tag="msgpack"))), ["x"], "not valid msgpack"),
        (Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"\x81\x90\x01", tag="msgpack"))), ["x"], "not valid"),
        (packed([json.loads("[" * 60 + "]" * 60)]), [0], "nested more than 40 deep"),
        (Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"\x80", tag="pickle"))), ["x"], "has no parts"),
    ],
)
def test_parts_that_are_not_there(value, path, told):
    with pytest.raises(paths.BadPromise) as raised:
        promises.resolve_binding(promise(path=path), lambda node, var: value)
    assert raised.value.code == "PromiseAttributeResolveError"
    assert isinstance(raised.value, errors.UserError)
    assert told in raised.value.message
    assert "output 'o' of node n0" in raised.value.message


def test_constants_lists_and_maps_of_bindings():
    binding = BindingData(
        map=literals_pb2.BindingDataMap(
            bindings={
                "a": BindingData(scalar=ONE.scalar),
                "b": BindingData(collection=literals_pb2.BindingDataCollection(bindings=[promise("x"), promise("y")])),
            }
        )
    )
    outputs = {("n0", "x"): primitive(string_value="x"), ("n0", "y"): VOID}
    found = promises.resolve_binding(binding, lambda node, var: outputs[node, var])
    assert found == dict_of(a=ONE, b=list_of(primitive(string_value="x"), VOID))
    assert list(promises.upstream_nodes(binding)) == ["n0", "n0"]


def test_a_large_value_stays_where_it_is():
    offloaded = literals_pb2.LiteralOffloadedMetadata(uri="s3://b/x")
    found = promises.resolve_binding(BindingData(offloaded_metadata=offloaded), lambda node, var: None)
    assert found == Literal(offloaded_metadata=offloaded)


def test_one_element_of_an_output_by_its_name():
    values = list_of(ONE, primitive(integer=2))
    assert promises.resolve_binding(promise("[1].o"), lambda node, var: values) == primitive(integer=2)
    with pytest.raises(paths.BadPromise, match="only 2 elements"):
        promises.resolve_binding(promise("[2].o"), lambda node, var: values)


def test_missing_outputs_and_empty_bindings_name_the_input():
    with pytest.raises(paths.BadPromise, match="input 'a': node n0 has no output 'o'") as raised:
        promises.resolve_inputs([literals_pb2.Binding(var="a", binding=promise())], lambda node, var: None)
    assert raised.value.code == "OutputsNotFound"
    with pytest.raises(paths.BadPromise, match="input 'a': the binding is empty") as raised:
        promises.resolve_inputs([literals_pb2.Binding(var="a")], lambda node, var: None)
    assert raised.value.code == "BindingResolutionError"


def test_all_inputs_of_a_node():
    bindings = [
        literals_pb2.Binding(var="a", binding=BindingData(scalar=ONE.scalar)),
        literals_pb2.Binding(var="b", binding=promise(path=[0])),
    ]
    found = promises.resolve_inputs(bindings, lambda node, var: list_of(VOID))
    assert found == LiteralMap(literals={"a": ONE, "b": VOID})
