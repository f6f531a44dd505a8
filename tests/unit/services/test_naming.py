import pytest
from flyteidl.core import identifier_pb2

from dayfly.base import errors
from dayfly.services import naming


def identifier(**changes):
    fields = {"resource_type": identifier_pb2.TASK, "project": "p", "domain": "d", "name": "a.b", "version": "v/1="}
    return identifier_pb2.Identifier(**{**fields, **changes})


def test_a_good_identifier():
    found = naming.entity(identifier(), identifier_pb2.TASK)
    assert (found.kind, found.name, found.version) == (identifier_pb2.TASK, "a.b", "v/1=")


@pytest.mark.parametrize(
    "changes",
    [
        {"project": ""},
        {"domain": " "},
        {"name": ""},
        {"version": ""},
        {"name": "n" * 256},
        {"name": "a\0b"},
        {"project": ".."},
        {"project": "a/b"},
        {"domain": "../d"},
        {"resource_type": identifier_pb2.WORKFLOW},
    ],
)
def test_bad_identifiers(changes):
    with pytest.raises(errors.InvalidArgument):
        naming.entity(identifier(**changes), identifier_pb2.TASK)


@pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a b", "a" * 256, "ä"])
def test_bad_execution_identifiers(name):
    with pytest.raises(errors.InvalidArgument):
        naming.execution(identifier_pb2.WorkflowExecutionIdentifier(project="p", domain="d", name=name))


def test_execution_names_are_lowered():
    assert naming.execution_name("My-Run-1") == "my-run-1"


@pytest.mark.parametrize("good", [{"a": ""}, {"example.com/team": "x_1.y-z"}, {}])
def test_good_labels(good):
    naming.check_labels(good)


@pytest.mark.parametrize(
    "bad", [{"": "x"}, {"a b": "x"}, {"a": "-x"}, {"a": "x" * 64}, {"Upper.com/a": "x"}, {"a" * 64: "x"}, {"/a": "x"}]
)
def test_bad_labels(bad):
    with pytest.raises(errors.InvalidArgument):
        naming.check_labels(bad)


def test_annotations_have_a_limit():
    naming.check_annotations({"a": "anything at all, ü"})
    with pytest.raises(errors.InvalidArgument):
        naming.check_annotations({"a": "x" * 300_000})
