"""What every `Blobs` does: in memory, on local files, in S3, Google Cloud Storage and Azure Blob Storage."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator

import boto3
import pytest

from dayfly import blobs as blob_stores
from dayfly.base import errors
from dayfly.ports.blobs import Blobs
from tests.fakes.blobs import MemoryBlobs
from tests.platforms import object_stores
from tests.platforms.object_stores import ObjectStore

# Whether the clients of stores send parts as bytes or as files is their own affair: they do so beside the event loop.
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


@pytest.fixture(scope="module")
def s3() -> Iterator[ObjectStore]:
    with object_stores.s3() as store:
        yield store


@pytest.fixture(scope="module")
def gcs() -> Iterator[ObjectStore]:
    with object_stores.gcs() as store:
        yield store


@pytest.fixture(scope="module")
def azure() -> Iterator[ObjectStore]:
    with object_stores.azure() as store:
        yield store


@pytest.fixture(params=["memory", "local", "s3", "gcs", "azure"])
def blobs(request, tmp_path) -> Blobs:
    if request.param == "memory":
        return MemoryBlobs()
    if request.param == "local":
        return blob_stores.open(f"file://{tmp_path}/store")
    store: ObjectStore = request.getfixturevalue(request.param)
    return blob_stores.open(f"{store.make_bucket()}/root")


async def stream(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(blobs: Blobs, uri: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.read_stream(uri)])


async def test_what_was_put_is_found(blobs: Blobs):
    uri = f"{blobs.root}/a/b/c.pb"
    await blobs.put(uri, b"one")
    await blobs.put(uri, b"two")

    assert await blobs.find(uri) == b"two"
    assert await read(blobs, uri) == b"two"
    info = await blobs.stat(uri)
    assert info is not None
    assert info.size_bytes == 3
    assert info.md5 in (None, hashlib.md5(b"two").digest())


async def test_a_plain_path_is_the_address_of_a_local_file(tmp_path):
    blobs = blob_stores.open(f"file://{tmp_path}/a store %41")
    await blobs.put(f"{blobs.root}/b c%42", b"one")
    assert await blobs.find(f"{tmp_path}/a store %41/b c%42") == b"one"
    assert await read(blobs, f"{tmp_path}/a store %41/b c%42") == b"one"
    for outside in (f"{tmp_path}/other", f"{tmp_path}/a store %41/../other"):
        with pytest.raises(errors.InvalidArgument):
            await blobs.find(outside)


async def test_an_empty_blob_is_a_blob(blobs: Blobs):
    await blobs.put(f"{blobs.root}/empty", b"")
    assert await blobs.put_stream(f"{blobs.root}/streamed", stream(), size_bytes=0, md5=None) == 0

    assert await blobs.find(f"{blobs.root}/empty") == b""
    assert await blobs.find(f"{blobs.root}/streamed") == b""


async def test_nothing_is_found_where_nothing_is(blobs: Blobs):
    await blobs.put(f"{blobs.root}/folder/file", b"x")
    for uri in (f"{blobs.root}/none", f"{blobs.root}/folder", f"{blobs.root}/folder/file/below"):
        assert await blobs.find(uri) is None
        assert await blobs.find(uri, limit_bytes=10) is None
        assert await blobs.stat(uri) is None
        with pytest.raises(errors.NotFound):
            await read(blobs, uri)
        with pytest.raises(errors.NotFound):
            await blobs.copy(uri, f"{blobs.root}/copy")
    assert await blobs.find(f"{blobs.root}/copy") is None


async def test_a_limit_is_kept(blobs: Blobs):
    uri = f"{blobs.root}/ten"
    await blobs.put(uri, b"0123456789")

    assert await blobs.find(uri, limit_bytes=10) == b"0123456789"
    with pytest.raises(errors.ResourceExhausted, match="ten"):
        await blobs.find(uri, limit_bytes=9)


@pytest.mark.parametrize("size", [100, 200_000, 20 * 1024 * 1024], ids=["small", "large", "in parts"])
async def test_a_stream_is_stored_whole(blobs: Blobs, size: int):
    uri = f"{blobs.root}/streamed/{size}"
    data = bytes(range(256)) * (size // 256) + b"." * (size % 256)
    chunks = [data[at : at + 1_000_000] for at in range(0, size, 1_000_000)]

    written = await blobs.put_stream(uri, stream(*chunks), size_bytes=size, md5=hashlib.md5(data).digest())

    assert written == size
    assert await read(blobs, uri) == data
    assert await blobs.find(uri) == data


@pytest.mark.parametrize("size", [1_000, 9 * 1024 * 1024], ids=["small", "in parts"])
@pytest.mark.parametrize("wrong", ["short", "long", "changed", "broken"])
async def test_of_a_wrong_stream_nothing_is_kept(blobs: Blobs, size: int, wrong: str):
    uri = f"{blobs.root}/fresh/{wrong}"
    old = f"{blobs.root}/old/{wrong}"
    await blobs.put(old, b"before")
    data = b"x" * size
    declared = {"short": size + 1, "long": size - 1}.get(wrong, size)
    md5 = hashlib.md5(b"other").digest() if wrong == "changed" else None

    async def sent() -> AsyncIterator[bytes]:
        yield data
        if wrong == "broken":
            raise ConnectionResetError("the client went away")

    expected = ConnectionResetError if wrong == "broken" else errors.InvalidArgument
    for target in (uri, old):
        with pytest.raises(expected):
            await blobs.put_stream(target, sent(), size_bytes=declared, md5=md5)

    assert await blobs.find(uri) is None
    assert await blobs.find(old) == b"before"
    assert await blobs.list(f"{blobs.root}/fresh") == []


async def test_a_copy_is_a_blob_of_its_own(blobs: Blobs):
    await blobs.put(f"{blobs.root}/from", b"data")
    await blobs.copy(f"{blobs.root}/from", f"{blobs.root}/far/to")
    await blobs.put(f"{blobs.root}/from", b"new")

    assert await blobs.find(f"{blobs.root}/far/to") == b"data"


async def test_folders_are_listed_and_deleted(blobs: Blobs):
    for name in ("run/b", "run/a/x", "run/a/y", "runner/z"):
        await blobs.put(f"{blobs.root}/{name}", b".")

    below = [f"{blobs.root}/run/{name}" for name in ("a/x", "a/y", "b")]
    assert await blobs.list(f"{blobs.root}/run") == below
    assert await blobs.list(f"{blobs.root}/run/") == below
    assert await blobs.list(f"{blobs.root}/none") == []
    assert await blobs.list(blobs.root) == [*below, f"{blobs.root}/runner/z"]

    await blobs.delete_tree(f"{blobs.root}/run")
    await blobs.delete_tree(f"{blobs.root}/none")
    assert await blobs.list(blobs.root) == [f"{blobs.root}/runner/z"]


@pytest.mark.parametrize("address", ["{root}/../out", "{root}/a/../../out", "{root}x/out", "/etc/passwd", "{root}"])
async def test_addresses_outside_are_refused(blobs: Blobs, address: str):
    uri = address.format(root=blobs.root)
    with pytest.raises(errors.InvalidArgument):
        await blobs.find(uri)
    with pytest.raises(errors.InvalidArgument):
        await blobs.stat(uri)
    with pytest.raises(errors.InvalidArgument):
        await blobs.put(uri, b"x")
    with pytest.raises(errors.InvalidArgument):
        await blobs.put_stream(uri, stream(b"x"), size_bytes=None, md5=None)
    with pytest.raises(errors.InvalidArgument):
        await read(blobs, uri)
    with pytest.raises(errors.InvalidArgument):
        await blobs.copy(uri, f"{blobs.root}/x")
    with pytest.raises(errors.InvalidArgument):
        await blobs.delete_tree(uri)


async def test_writers_side_by_side_leave_one_whole_blob(blobs: Blobs):
    uri = f"{blobs.root}/contended"
    versions = [bytes([number]) * 100_000 for number in range(8)]
    await asyncio.gather(*(blobs.put(uri, version) for version in versions))

    assert await blobs.find(uri) in versions
    assert await blobs.list(blobs.root) == [uri]


async def test_odd_names_are_kept_as_they_are(blobs: Blobs):
    uri = f"{blobs.root}/a%20b c/ü+=#?.bin"
    await blobs.put(uri, b"odd")

    assert await blobs.find(uri) == b"odd"
    assert await blobs.list(blobs.root) == [uri]


@pytest.mark.parametrize("blobs", ["s3"], indirect=True)
async def test_parts_of_a_wrong_upload_are_thrown_away(blobs: Blobs):
    data = b"x" * (9 * 1024 * 1024)
    with pytest.raises(errors.InvalidArgument, match="cut off"):
        await blobs.put_stream(f"{blobs.root}/parts", stream(data, data), size_bytes=3 * len(data), md5=None)

    bucket = blobs.root.split("/")[2]
    assert list(boto3.resource("s3").Bucket(bucket).multipart_uploads.all()) == []
