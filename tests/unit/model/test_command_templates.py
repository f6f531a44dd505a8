"""Variables in command lines."""

from __future__ import annotations

import msgpack
import pytest
from flyteidl.core import literals_pb2, types_pb2
from flyteidl.core.literals_pb2 import Literal, LiteralCollection, LiteralMap, Primitive, Scalar
from google.protobuf import duration_pb2, json_format, struct_pb2, timestamp_pb2

from dayfly.base import errors
from dayfly.model import command_templates, literal_text


def primitive(**value):
    return Literal(scalar=Scalar(primitive=Primitive(**value)))


VALUES = command_templates.TemplateValues(
    input="s3://b/in/inputs.pb",
    input_prefix="s3://b/in",
    output_prefix="s3://b/out/0",
    raw_output_data_prefix="s3://b/raw/ab/x",
    checkpoint_output_prefix="s3://b/raw/ab/x/_flytecheckpoints",
    per_retry_unique_key="a7_n0_0",
    task_template_path="s3://b/task.pb",
    namespace="p-d",
    inputs=LiteralMap(literals={"rate": primitive(float_value=0.5), "my-name": primitive(string_value="{{.input}}")}),
)


@pytest.mark.parametrize(
    ("arg", "filled"),
    [
        ("{{.input}}", "s3://b/in/inputs.pb"),
        ("{{ .Input }}", "s3://b/in/inputs.pb"),
        ("{{$INPUT}}", "s3://b/in/inputs.pb"),
        ("--in={{.inputPrefix}}/x", "--in=s3://b/in/x"),
        ("{{.outputPrefix}}", "s3://b/out/0"),
        ("{{.rawOutputDataPrefix}}", "s3://b/raw/ab/x"),
        ("{{.checkpointOutputPrefix}}", "s3://b/raw/ab/x/_flytecheckpoints"),
        ("{{.prevCheckpointPrefix}}", '""'),
        ("{{.perRetryUniqueKey}}", "a7_n0_0"),
        ("{{.taskTemplatePath}}", "s3://b/task.pb"),
        ("{{.namespace}}", "p-d"),
        ("{{.inputs.rate}}", "0.5"),
        ("{{ .Inputs.rate }}:{{.namespace}}", "0.5:p-d"),
        # what an input holds is not looked at again
        ("{{.inputs.my-name}}", "{{.input}}"),
        # not ours: left as they are
        ("{{ .dest_dir }}", "{{ .dest_dir }}"),
        ("{{.unknown}}", "{{.unknown}}"),
        ("{{ registration.version }}", "{{ registration.version }}"),
        ("{{.outputs.x}}", "{{.outputs.x}}"),
        ("{{ . input }}", "{{ . input }}"),
        ("plain", "plain"),
    ],
)
def test_variables(arg, filled):
    assert command_templates.render([arg, "last"], VALUES) == (filled, "last")


def test_an_input_that_is_not_there():
    with pytest.raises(errors.InvalidArgument, match=r"input 'Rate', .* Its inputs are: my-name, rate"):
        command_templates.render(["{{.inputs.Rate}}"], VALUES)


def test_what_must_be_at_hand_first():
    assert command_templates.uses_task_template(["a", "x={{ .TaskTemplatePath }}"])
    assert not command_templates.uses_task_template(["{{.input}}"])
    assert command_templates.uses_inputs(["{{$inputs.x}}"])
    assert not command_templates.uses_inputs(["{{.input}}", "{{.inputs}}"])


@pytest.mark.parametrize(("name", "key"), [("a7-n0-0", "a7_n0_0"), ("7-n0", "a7_n0"), ("", "a")])
def test_unique_keys_are_identifiers(name, key):
    assert command_templates.unique_key(name) == key


@pytest.mark.parametrize(
    ("literal", "text"),
    [
        (primitive(integer=-3), "-3"),
        (primitive(boolean=True), "true"),
        (primitive(boolean=False), "false"),
        (primitive(string_value="a b"), "a b"),
        (primitive(datetime=timestamp_pb2.Timestamp(seconds=1_700_000_000)), "2023-11-14T22:13:20Z"),
        (primitive(duration=duration_pb2.Duration(seconds=5400)), "1h30m0s"),
        (Literal(scalar=Scalar(none_type=literals_pb2.Void())), ""),
        (Literal(scalar=Scalar(blob=literals_pb2.Blob(uri="s3://b/f"))), "s3://b/f"),
        (Literal(scalar=Scalar(schema=literals_pb2.Schema(uri="s3://b/s"))), "s3://b/s"),
        (Literal(scalar=Scalar(structured_dataset=literals_pb2.StructuredDataset(uri="s3://b/d"))), "s3://b/d"),
        (Literal(scalar=Scalar(union=literals_pb2.Union(value=primitive(integer=1)))), "1"),
        (
            Literal(collection=LiteralCollection(literals=[primitive(integer=1), primitive(string_value="x")])),
            "[1,x]",
        ),
        (Literal(map=LiteralMap(literals={"b": primitive(integer=1), "a": primitive(integer=2)})), "{a:2,b:1}"),
        (
            Literal(scalar=Scalar(binary=literals_pb2.Binary(value=msgpack.packb({"a": 1}), tag="msgpack"))),
            '{"a":1}',
        ),
        (Literal(scalar=Scalar(generic=json_format.ParseDict({"a": [1, 1.5]}, struct_pb2.Struct()))), '{"a":[1,1.5]}'),
        (Literal(offloaded_metadata=literals_pb2.LiteralOffloadedMetadata(uri="s3://b/o")), "s3://b/o"),
    ],
)
def test_literals_as_text(literal, text):
    assert literal_text.render(literal) == text


@pytest.mark.parametrize(
    "literal",
    [
        Literal(),
        Literal(scalar=Scalar(error=types_pb2.Error())),
        Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"x"))),
        Literal(scalar=Scalar(binary=literals_pb2.Binary(value=b"\xc1", tag="msgpack"))),
        Literal(scalar=Scalar(binary=literals_pb2.Binary(value=msgpack.packb({"a": b"x"}), tag="msgpack"))),
    ],
)
def test_literals_without_text(literal):
    with pytest.raises(errors.InvalidArgument):
        literal_text.render(literal)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (100.0, "100"),
        (0.1, "0.1"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e-7, "1.5e-07"),
        (0.0001, "0.0001"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Inf"),
    ],
)
def test_floats_as_go_writes_them(value, text):
    assert literal_text.go_float(value) == text


@pytest.mark.parametrize(
    ("nanos", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (20_000_000, "20ms"),
        (1_500_000_000, "1.5s"),
        (61_000_000_000, "1m1s"),
        (3_600_000_000_000, "1h0m0s"),
        (-90_000_000_000, "-1m30s"),
    ],
)
def test_durations_as_go_writes_them(nanos, text):
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(nanos)
    assert literal_text.go_duration(duration) == text
