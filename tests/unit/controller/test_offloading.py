"""Offloaded values are fetched where they are needed, and only there."""

from __future__ import annotations

import pytest
from flyteidl.core import literals_pb2, types_pb2

from dayfly.base import errors
from dayfly.controller import offloading
from dayfly.model import paths, promises
from tests.fakes.blobs import MemoryBlobs

URI = "memory://store/x/o0_offloaded_metadata.pb"
ONE = literals_pb2.Literal(scalar={"primitive": {"integer": 1}})
LIST = literals_pb2.Literal(collection={"literals": [ONE, ONE]})
FAR = literals_pb2.Literal(offloaded_metadata={"uri": URI, "size_bytes": 9})


@pytest.fixture
def blobs() -> MemoryBlobs:
    made = MemoryBlobs()
    made.stored[URI] = LIST.SerializeToString()
    return made


async def test_values_are_put_in_place(blobs: MemoryBlobs) -> None:
    given = literals_pb2.LiteralMap(literals={"far": FAR, "near": ONE})
    made = await offloading.Offloaded(blobs).made_whole(given)
    assert dict(made.literals) == {"far": LIST, "near": ONE}
    assert given.literals["far"] == FAR, "what was given stays as it was"


async def test_without_any_nothing_is_copied(blobs: MemoryBlobs) -> None:
    given = literals_pb2.LiteralMap(literals={"near": ONE})
    assert await offloading.Offloaded(blobs).made_whole(given) is given


async def test_what_cannot_be_read_is_told(blobs: MemoryBlobs, monkeypatch: pytest.MonkeyPatch) -> None:
    offloaded = offloading.Offloaded(blobs)
    with pytest.raises(errors.BlobUnavailable, match="is gone"):
        await offloaded.fetch(URI + "x")
    blobs.stored[URI] = b"\xff\xff"
    with pytest.raises(paths.BadPromise, match="is no literal") as raised:
        await offloaded.fetch(URI)
    assert raised.value.code == "OffloadedLiteralError"
    monkeypatch.setattr(offloading, "MAX_BYTES", 1)
    with pytest.raises(paths.BadPromise, match="cannot be read"):
        await offloaded.fetch(URI)


def promise(var: str, *path: int) -> literals_pb2.BindingData:
    steps = [types_pb2.PromiseAttribute(int_value=step) for step in path]
    return literals_pb2.BindingData(promise=types_pb2.OutputReference(node_id="n0", var=var, attr_path=steps))


@pytest.mark.parametrize("binding", [promise("o", 1), promise("[1].o")])
def test_a_part_needs_the_whole(binding: literals_pb2.BindingData) -> None:
    def lookup(node: str, var: str) -> literals_pb2.Literal:
        return FAR

    with pytest.raises(paths.NotFetched) as raised:
        promises.resolve_binding(binding, lookup)
    assert raised.value.uri == URI
    assert promises.resolve_binding(binding, lookup, {URI: LIST}) == ONE


def test_the_whole_is_handed_on_by_its_address() -> None:
    assert promises.resolve_binding(promise("o"), lambda node, var: FAR) == FAR
    parts = literals_pb2.Literal(collection={"literals": [ONE, FAR]})
    assert promises.resolve_binding(promise("o", 1), lambda node, var: parts) == FAR
