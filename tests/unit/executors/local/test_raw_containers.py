"""Raw containers as roles: paths of the container become paths of the attempt's folder, whole ones only."""

from __future__ import annotations

import pytest
from flyteidl.core import interface_pb2, tasks_pb2, types_pb2

from dayfly.executors.local import raw_containers
from dayfly.ports.process_groups import Role
from tests.contract.test_executors import make_spec

MOVED = {"/in": "/here/in", "/in/deep": "/here/deep"}


@pytest.mark.parametrize(
    ("word", "there"),
    [
        ("/in", "/here/in"),
        ("/in/x", "/here/in/x"),
        ("cat /in/x > /in/deep/y", "cat /here/in/x > /here/deep/y"),
        ("--path=/in/x:/in", "--path=/here/in/x:/here/in"),
        ("'/in'", "'/here/in'"),
        ("/inner /usr/in ./in ../in /in-2 /in.txt", "/inner /usr/in ./in ../in /in-2 /in.txt"),
        ("s3://in/x", "s3://in/x"),
    ],
)
def test_whole_paths_are_rewritten(word: str, there: str) -> None:
    assert raw_containers.rewrite([word], MOVED) == (there,)


def build(outputs: dict[str, types_pb2.LiteralType] | None = None, **data: object) -> Role:
    variables = {name: interface_pb2.Variable(type=kind) for name, kind in (outputs or {}).items()}
    template = tasks_pb2.TaskTemplate(
        container=tasks_pb2.Container(data_config=tasks_pb2.DataLoadingConfig(enabled=True, **data)),
        interface=interface_pb2.TypedInterface(outputs=interface_pb2.VariableMap(variables=variables)),
    )
    env = {"WHERE": "/in/x", "FLYTE_OUTPUT_DIR": "/own"}
    spec = make_spec("cat", "/in/x", template=template.SerializeToString(), env=env, cpu_limit=2.0)
    found = raw_containers.find(spec)
    assert found is not None
    return raw_containers.role(spec, found, working_dir="/work", python="/env/bin/python", name="driver")


def test_words_and_variables_point_to_the_attempts_folder() -> None:
    role = build(input_path="/in/", output_path="out")
    assert role.arguments["argv"] == ["cat", "/work/container/in/x"]
    assert (role.arguments["inputs"], role.arguments["outputs"]) == ("/work/container/in", "/work/out")
    assert role.arguments["bin_dir"] == "/env/bin"
    assert role.env == {
        "FLYTE_INPUT_DIR": "/work/container/in",
        "FLYTE_OUTPUT_DIR": "/own",
        "WHERE": "/work/container/in/x",
    }
    assert role.cpu_limit == 2.0


def test_folders_have_the_names_that_they_have_in_flyte() -> None:
    arguments = build().arguments
    assert arguments["inputs"] == "/work/container/var/flyte/inputs"
    assert arguments["outputs"] == "/work/container/var/flyte/outputs"


@pytest.mark.parametrize("path", ["/", ".", "../there", "/.."])
def test_a_folder_that_is_not_the_tasks_own_is_refused(path: str) -> None:
    with pytest.raises(raw_containers.BadContainer, match="output_data_dir"):
        build(output_path=path)


def test_an_output_that_no_file_can_hold_is_refused_before_anything_runs() -> None:
    many = types_pb2.LiteralType(collection_type=types_pb2.LiteralType(simple=types_pb2.INTEGER))
    with pytest.raises(raw_containers.BadContainer, match="'ys' cannot be read from a file"):
        build({"ys": many})


def test_other_tasks_are_left_alone() -> None:
    assert raw_containers.find(make_spec("cat", "/in/x")) is None
