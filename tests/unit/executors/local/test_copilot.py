"""Values as files and back, as a raw container's command finds and leaves them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml
from flyteidl.core import interface_pb2, literals_pb2, types_pb2

from dayfly.executors.local.copilot import bringing, collecting


class Access:
    """As much of flytekit's access to data as is asked for: addresses are paths."""

    def get_data(self, uri: str, path: str, is_multipart: bool = False) -> None:
        (shutil.copytree if is_multipart else shutil.copy)(uri, path)

    def put_data(self, path: str, uri: str, is_multipart: bool = False) -> str:
        (shutil.copytree if is_multipart else shutil.copy)(path, uri)
        return uri


def primitive(**value: object) -> literals_pb2.Literal:
    return literals_pb2.Literal(scalar={"primitive": value})


def blob(path: Path, dimensionality: types_pb2.BlobType.BlobDimensionality) -> literals_pb2.Literal:
    return literals_pb2.Literal(
        scalar={"blob": {"uri": str(path), "metadata": {"type": {"dimensionality": dimensionality}}}}
    )


NONE = literals_pb2.Literal(scalar={"none_type": {}})

VALUES = {
    "whole": (primitive(integer=-3), "-3", -3),
    "large": (primitive(float_value=1e21), "1000000000000000000000", 1e21),
    "small": (primitive(float_value=1e-7), "0.0000001", 1e-7),
    "round": (primitive(float_value=2.0), "2", 2.0),
    "true": (primitive(boolean=True), "true", True),
    "text": (primitive(string_value="ü\n"), "ü\n", "ü\n"),
    "at": (primitive(datetime={"seconds": 1}), "1970-01-01T00:00:01Z", "1970-01-01T00:00:01Z"),
    "long": (primitive(duration={"seconds": 5400}), "1h30m0s", "1h30m0s"),
    "dict": (literals_pb2.Literal(scalar={"generic": {"a": 1}}), '{"a": 1.0}', {"a": 1.0}),
    "none": (NONE, "null", None),
    "either": (literals_pb2.Literal(scalar={"union": {"value": primitive(integer=4)}}), "4", 4),
    "packed": (literals_pb2.Literal(scalar={"binary": {"value": b"\x81", "tag": "msgpack"}}), None, "gQ=="),
}


def test_every_value_has_its_file_and_its_place_in_the_one_of_all(tmp_path: Path) -> None:
    inputs = literals_pb2.LiteralMap(literals={name: literal for name, (literal, _, _) in VALUES.items()})
    bringing.bring(inputs, tmp_path, Access(), "JSON")
    written = {name: (tmp_path / name).read_text() for name, (_, text, _) in VALUES.items() if text is not None}
    assert written == {name: text for name, (_, text, _) in VALUES.items() if text is not None}
    assert (tmp_path / "packed").read_bytes() == b"\x81"
    assert json.loads((tmp_path / "inputs.json").read_text()) == {name: plain for name, (_, _, plain) in VALUES.items()}


def test_lists_and_maps_are_folders_and_data_is_brought(tmp_path: Path) -> None:
    store, folder = tmp_path / "store", tmp_path / "in"
    (store / "tree").mkdir(parents=True)
    (store / "file").write_text("held")
    (store / "tree" / "leaf").write_text("held too")
    folder.mkdir()
    files = [blob(store / "file", types_pb2.BlobType.SINGLE), blob(store / "tree", types_pb2.BlobType.MULTIPART)]
    either = literals_pb2.Literal(scalar={"union": {"value": files[0]}})
    inputs = literals_pb2.LiteralMap(
        literals={
            "many": literals_pb2.Literal(collection={"literals": files}),
            "named": literals_pb2.Literal(map={"literals": {"a": primitive(integer=1), "b": either}}),
        }
    )
    bringing.bring(inputs, folder, Access(), "YAML")
    assert (folder / "many" / "0").read_text() == "held"
    assert (folder / "many" / "1" / "leaf").read_text() == "held too"
    assert (folder / "named" / "a").read_text() == "1"
    said = yaml.safe_load((folder / "inputs.yaml").read_text())
    here = {"many": [str(folder / "many" / "0"), str(folder / "many" / "1")], "named": {"a": 1}}
    here["named"]["b"] = str(folder / "named" / "b")  # type: ignore[call-overload]
    assert said == here
    read = literals_pb2.LiteralMap.FromString((folder / "inputs.pb").read_bytes()).literals
    assert [one.scalar.blob.uri for one in read["many"].collection.literals] == here["many"]
    assert inputs.literals["many"].collection.literals[0].scalar.blob.uri == str(store / "file")


@pytest.mark.parametrize(
    ("kind", "text", "literal"),
    [
        (types_pb2.INTEGER, " 42\n", primitive(integer=42)),
        (types_pb2.FLOAT, "1e3", primitive(float_value=1000.0)),
        (types_pb2.BOOLEAN, "True\n", primitive(boolean=True)),
        (types_pb2.BOOLEAN, "0", primitive(boolean=False)),
        (types_pb2.STRING, " as it is\n", primitive(string_value=" as it is\n")),
        (types_pb2.DATETIME, "1970-01-01T01:00:01+01:00", primitive(datetime={"seconds": 1})),
        (types_pb2.DATETIME, "1970-01-01 00:00:01.5\n", primitive(datetime={"seconds": 1, "nanos": 500_000_000})),
        (types_pb2.DURATION, "1h30m", primitive(duration={"seconds": 5400})),
        (types_pb2.DURATION, "-1.5s", primitive(duration={"seconds": -1, "nanos": -500_000_000})),
        (types_pb2.DURATION, "2µs", primitive(duration={"nanos": 2000})),
        (types_pb2.DURATION, "0", primitive(duration={})),
        (types_pb2.STRUCT, '{"a": 1}', literals_pb2.Literal(scalar={"generic": {"a": 1}})),
        (types_pb2.NONE, "whatever", NONE),
    ],
)
def test_values_are_read_by_their_type(kind: int, text: str, literal: literals_pb2.Literal) -> None:
    assert collecting.read_simple(kind, text, "y") == literal  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (types_pb2.INTEGER, "1.5"),
        (types_pb2.INTEGER, str(2**64)),
        (types_pb2.FLOAT, ""),
        (types_pb2.BOOLEAN, "yes"),
        (types_pb2.DATETIME, "tomorrow"),
        (types_pb2.DURATION, "1 hour"),
        (types_pb2.DURATION, ""),
        (types_pb2.STRUCT, "[1]"),
    ],
)
def test_what_is_no_such_value_is_named_with_its_text(kind: int, text: str) -> None:
    with pytest.raises(collecting.BadOutput, match="Output 'y' is of type") as raised:
        collecting.read_simple(kind, text, "y")  # type: ignore[arg-type]
    assert repr(text) in str(raised.value)


def declared(**types: types_pb2.LiteralType) -> interface_pb2.VariableMap:
    return interface_pb2.VariableMap(variables={name: {"type": kind} for name, kind in types.items()})


FILE = types_pb2.LiteralType(blob={"format": "csv", "dimensionality": types_pb2.BlobType.SINGLE})
FOLDER = types_pb2.LiteralType(blob={"dimensionality": types_pb2.BlobType.MULTIPART})
NUMBER = types_pb2.LiteralType(simple=types_pb2.INTEGER)


def test_files_and_folders_are_stored(tmp_path: Path) -> None:
    left, store = tmp_path / "out", tmp_path / "store"
    (left / "tree").mkdir(parents=True)
    store.mkdir()
    (left / "tree" / "leaf").write_text("held too")
    (left / "file").write_text("held")
    found = collecting.collect(declared(file=FILE, tree=FOLDER), left, Access(), str(store)).literals
    assert (store / "file").read_text() == "held"
    assert (store / "tree" / "leaf").read_text() == "held too"
    assert found["file"].scalar.blob.uri == str(store / "file")
    assert found["file"].scalar.blob.metadata.type == FILE.blob


def test_what_is_missing_of_the_wrong_form_or_an_error_is_told(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"\xff")
    wrong = {
        "there is no file y in its output folder, which holds file, folder": declared(y=NUMBER),
        "'folder' is a file, and the command left a folder": declared(folder=FILE),
        "'file' is a folder, and the command left a file": declared(file=FOLDER),
        "'folder' is a value, and the command left a folder": declared(folder=NUMBER),
        "'file' is a value, and its file is no text": declared(file=NUMBER),
    }
    for told, outputs in wrong.items():
        with pytest.raises(collecting.BadOutput, match=told):
            collecting.collect(outputs, tmp_path, Access(), "")
    (tmp_path / "_ERROR").write_text("it is too much")
    with pytest.raises(collecting.BadOutput, match="User Error: it is too much"):
        collecting.collect(declared(), tmp_path, Access(), "")
