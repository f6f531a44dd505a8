"""Launches as commands and programs. That they do what they say is shown in tests/browser/test_copying.py."""

from __future__ import annotations

from typing import Any

import msgpack
from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2

from dayfly.console import copying
from dayfly.console.addresses import Place
from dayfly.model.identifiers import EntityId

PLACE = Place("shop", "development")


def literal(**scalar: Any) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar=literals_pb2.Scalar(**scalar))


def launch(kind: int = identifier_pb2.LAUNCH_PLAN, **inputs: literals_pb2.Literal) -> copying.Launch:
    return copying.Launch(PLACE, EntityId(kind, *PLACE, "plan", "v1"), inputs)


def test_a_command_quotes_what_a_shell_would_take_apart() -> None:
    hostile = literal(primitive={"string_value": "$(rm -rf /) 'x'"})
    told = copying.command(launch(note=hostile, on=literal(primitive={"boolean": True})))
    assert told == (
        "pyflyte run --project shop --domain development \\\n"
        "  remote-launchplan plan:v1 \\\n"
        "  --note '$(rm -rf /) '\"'\"'x'\"'\"'' \\\n"
        "  --on"
    )


def test_a_program_has_values_as_python_writes_them() -> None:
    inputs = {
        "a": literal(primitive={"duration": {"seconds": 90061, "nanos": 1000}}),
        "b": literal(primitive={"datetime": {"seconds": 1767225600}}),
        "c": literal(binary={"tag": "msgpack", "value": msgpack.packb({"x": [1, None]})}),
        "d": literal(primitive={"float_value": float("inf")}),
        "e": literals_pb2.Literal(collection={"literals": [literal(primitive={"string_value": "'"})]}),
    }
    told = copying.program(launch(**inputs), "http://127.0.0.1:30080")
    assert "'a': timedelta(days=1, seconds=3661, microseconds=1)," in told
    assert "'b': datetime(2026, 1, 1, tzinfo=timezone.utc)," in told
    assert "'c': {'x': [1, None]}," in told
    assert "type_hints={'c': dict}," in told
    assert "'d': float('inf')," in told
    assert "'e': [\"'\"]," in told
    compile(told, "program", "exec")


def test_options_are_told_in_both() -> None:
    spec = execution_pb2.ExecutionSpec(overwrite_cache=True, max_parallelism=4)
    spec.labels.values["team"] = "a b"
    spec.envs.values.add(key="A", value="1")
    one = copying.Launch(PLACE, EntityId(identifier_pb2.TASK, *PLACE, "fit", "v1"), {}, "my-run", spec)
    told = copying.command(one)
    for option in ("--name my-run", "--overwrite-cache", "--max-parallelism 4", "--env A=1", "remote-task fit:v1"):
        assert option in told
    program = copying.program(one, "https://flyte.example")
    assert "execution_name='my-run'" in program
    assert "Labels({'team': 'a b'})" in program
    assert "insecure" not in program
    compile(program, "program", "exec")
