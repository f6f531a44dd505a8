"""What a form sends: defaults left to the server, a past run's inputs as they were, options as a spec."""

from __future__ import annotations

from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.console.launching import filling, options, reading
from dayfly.console.launching.target import Parameter, Target, Template
from dayfly.model.identifiers import EntityId, ExecutionId

INTEGER = types_pb2.LiteralType(simple=types_pb2.INTEGER)
PICKLE = types_pb2.LiteralType(blob=types_pb2.BlobType(format="PythonPickle"))


def number(value: int) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": {"integer": value}})


def pickled() -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"blob": {"uri": "s3://b/p", "metadata": {"type": PICKLE.blob}}})


def target(*parameters: Parameter, **inputs: literals_pb2.Literal) -> Target:
    plan = EntityId(identifier_pb2.LAUNCH_PLAN, "p", "d", "plan", "v1")
    template = Template(ExecutionId("p", "d", "run"), inputs, execution_pb2.ExecutionSpec()) if inputs else None
    return Target(plan, parameters, template=template)


def sent(form: tuple[filling.Field, ...], **given: Any) -> tuple[dict[str, Any], reading.Mistakes]:
    mistakes: reading.Mistakes = {}
    values = {one.parameter.name: one.value for one in form} | given
    return dict(filling.inputs(form, values, mistakes).literals), mistakes


def test_defaults_are_filled_in_and_left_to_the_server() -> None:
    form = filling.fields(target(Parameter("days", INTEGER, False, "", number(90))))
    assert form[0].value == "90"
    assert sent(form) == ({}, {})
    assert sent(form, days="91") == ({"days": number(91)}, {})


def test_what_is_required_is_missed() -> None:
    form = filling.fields(target(Parameter("days", INTEGER, True, "")))
    assert sent(form)[1] == {"inputs/days": reading.REQUIRED}


def test_a_past_runs_inputs_are_sent_as_they_were() -> None:
    parameters = (Parameter("days", INTEGER, False, "", number(90)), Parameter("model", PICKLE, True, ""))
    form = filling.fields(target(*parameters, days=number(7), model=pickled()))
    assert form[0].value == "7"
    assert form[1].value == {"kept": "As in run: s3://b/p"}
    assert sent(form) == ({"days": number(7), "model": pickled()}, {})


def test_what_fits_is_kept_for_another_version() -> None:
    old = filling.fields(target(Parameter("days", INTEGER, True, "")))
    new = filling.fields(target(Parameter("days", INTEGER, True, ""), Parameter("more", INTEGER, False, "", number(1))))
    before = {one.parameter.name: one for one in old}
    assert [filling.carried(before, one, {"days": "5"}.get(one.parameter.name)) for one in new] == ["5", "1"]


def test_a_refusal_is_told_at_its_field() -> None:
    form = filling.fields(target(Parameter("days", INTEGER, True, "")))
    error = errors.InvalidArgument(
        "the inputs do not fit: input 'days' has the wrong type: it is str; input 'x' is no."
    )
    mistakes, problem = filling.refusal(error, form)
    assert mistakes == {"inputs/days": "It has the wrong type: it is str."}
    assert problem["told"]
    assert filling.refusal(errors.InvalidArgument("No.", remedy="Do."), form) == ({}, {"told": "No.", "remedy": "Do."})


def test_options_make_a_spec_and_come_back() -> None:
    given = options.blank() | {
        "name": "my-run",
        "overwrite_cache": "yes",
        "interruptible": "no",
        "max_parallelism": "5",
        "labels": [["team", "a"]],
        "envs": [["A", "1"]],
        "raw_output": "s3://b/x",
        "service_account": "robot",
        "cluster_pool": "gpu",
    }
    mistakes: reading.Mistakes = {}
    name, spec = options.read(given, mistakes)
    assert (name, mistakes) == ("my-run", {})
    assert spec.interruptible.value is False and spec.HasField("interruptible")
    assert options.of_run(spec) == given | {"name": None}


def test_wrong_options_are_named() -> None:
    mistakes: reading.Mistakes = {}
    options.read(options.blank() | {"name": "My run", "max_parallelism": "-1", "raw_output": "here"}, mistakes)
    assert sorted(mistakes) == ["options/max_parallelism", "options/name", "options/raw_output"]
    mistakes.clear()
    options.read(options.blank() | {"labels": [["team", None]], "max_parallelism": "many"}, mistakes)
    assert sorted(mistakes) == ["options/labels/0/value", "options/max_parallelism"]
