"""What changed between two versions of a workflow, and interfaces in words."""

from __future__ import annotations

from flyteidl.core import compiler_pb2, types_pb2

from dayfly.console import interfaces, version_changes

INTEGER = types_pb2.LiteralType(simple=types_pb2.INTEGER)
TEXT = types_pb2.LiteralType(simple=types_pb2.STRING)


def closure(
    version: str, *, retries: int, archive: str, **inputs: types_pb2.LiteralType
) -> compiler_pb2.CompiledWorkflowClosure:
    made = compiler_pb2.CompiledWorkflowClosure()
    for name, declared in inputs.items():
        made.primary.template.interface.inputs.variables[name].type.CopyFrom(declared)
    node = made.primary.template.nodes.add(id="n0")
    node.metadata.name = "fit"
    node.task_node.reference_id.name, node.task_node.reference_id.version = "shop.fit", version
    task = made.tasks.add().template
    task.id.name, task.id.version = "shop.fit", version
    task.metadata.retries.retries = retries
    task.container.args.extend(["run", version_changes.ARCHIVE, archive])
    return made


def test_another_version_of_the_same_is_no_change() -> None:
    one, other = (closure(version, retries=1, archive="a", days=INTEGER) for version in ("v1", "v2"))
    assert version_changes.between(one, other) == []
    assert "Nothing but the name" in version_changes.show("v1", "v2", [])


def test_changes_are_told_once_each() -> None:
    before = closure("v1", retries=1, archive="a.tar.gz", days=INTEGER, old=TEXT)
    after = closure("v2", retries=3, archive="b.tar.gz", days=TEXT, new=TEXT)
    found = version_changes.between(before, after)
    assert [one.told for one in found] == [
        "Input new is new",
        "Input old is gone",
        "Input days is str, was int",
        "The code is different",
        "Task shop.fit is different",
    ]
    assert '+      "retries": 3' in found[-1].lines


def test_names_are_escaped() -> None:
    lines = [interfaces.Line("<b>", "int", "default <i>", "<script>")]
    assert "<script>" not in interfaces.show("Inputs", lines)


def test_an_interface_is_told_in_a_line() -> None:
    told = closure("v1", retries=0, archive="a", days=INTEGER).primary.template.interface
    assert interfaces.brief(told) == "(days: int) → nothing"
