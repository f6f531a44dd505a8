"""Local files: links that lead out, folders that are not, what is left behind."""

from __future__ import annotations

import os
import socket

import pytest

from dayfly import blobs as blob_stores
from dayfly.base import errors
from dayfly.blobs import local


@pytest.fixture
def blobs(tmp_path):
    return blob_stores.open(f"file://{tmp_path}/store")


async def nothing():
    yield b""
    raise ConnectionResetError


@pytest.mark.parametrize("root", ["file://{0}/store/", "{0}/store", "file://{0}/store"])
def test_a_root_can_be_written_in_several_ways(tmp_path, root):
    opened = blob_stores.open(root.format(tmp_path))
    assert opened.root == f"file://{tmp_path}/store"
    assert (tmp_path / "store").is_dir()


@pytest.mark.parametrize("root", ["file://store", "s3://", "", "file:///"])
def test_a_root_names_a_place(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    if root:
        with pytest.raises(errors.InvalidArgument, match="names no place"):
            blob_stores.open(root)
    else:
        assert blob_stores.open(root).root == f"file://{tmp_path}"


def test_a_root_that_is_a_file_is_unavailable(tmp_path):
    (tmp_path / "store").write_text("a file")
    with pytest.raises(errors.BlobUnavailable, match=r"store.*permissions"):
        blob_stores.open(f"file://{tmp_path}/store")


async def test_links_do_not_lead_out(blobs, tmp_path):
    (tmp_path / "secret").write_text("secret")
    os.symlink(tmp_path, tmp_path / "store" / "out")
    os.symlink(tmp_path / "secret", tmp_path / "store" / "file")
    for name in ("out/secret", "file", "out/new"):
        with pytest.raises(errors.InvalidArgument, match="link"):
            await blobs.find(f"{blobs.root}/{name}")
        with pytest.raises(errors.InvalidArgument, match="link"):
            await blobs.put(f"{blobs.root}/{name}", b"x")
    with pytest.raises(errors.InvalidArgument, match="link"):
        await blobs.delete_tree(f"{blobs.root}/out")
    assert (tmp_path / "secret").read_text() == "secret"


async def test_what_is_no_file_is_not_there(blobs, tmp_path):
    await blobs.put(f"{blobs.root}/folder/file", b"x")
    os.mkfifo(tmp_path / "store" / "folder" / "pipe")
    bound = socket.socket(socket.AF_UNIX)
    with bound:
        bound.bind(str(tmp_path / "store" / "folder" / "socket"))
    for uri in (f"{blobs.root}/folder", f"{blobs.root}/folder/pipe", f"{blobs.root}/folder/socket"):
        assert await blobs.stat(uri) is None
        assert await blobs.find(uri) is None
        with pytest.raises(errors.NotFound):
            await anext(blobs.read_stream(uri))
        with pytest.raises(errors.NotFound):
            await blobs.copy(uri, f"{blobs.root}/copy")


async def test_a_root_may_itself_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", tmp_path / "link")
    opened = blob_stores.open(f"file://{tmp_path}/link")
    await opened.put(f"{opened.root}/a/b", b"x")

    assert (tmp_path / "real" / "a" / "b").read_bytes() == b"x"
    assert await opened.list(opened.root) == [f"{opened.root}/a/b"]


@pytest.mark.parametrize("size", [10, 3_000_000])
async def test_a_full_disk_is_told(blobs, monkeypatch, size):
    async def one_chunk():
        yield b"x" * size

    monkeypatch.setattr(local, "_create", lambda _: open("/dev/full", "wb"))  # noqa: SIM115 - the store closes it
    uri = f"{blobs.root}/folder/x"
    with pytest.raises(errors.BlobUnavailable, match=r"folder/x: No space left.*Check the disk's space"):
        await blobs.put_stream(uri, one_chunk(), size_bytes=None, md5=None)
    with pytest.raises(errors.BlobUnavailable, match="No space left"):
        await blobs.put(uri, b"x" * size)


async def test_nothing_half_written_is_left_or_listed(blobs, tmp_path):
    folder = tmp_path / "store" / "folder"
    with pytest.raises(ConnectionResetError):
        await blobs.put_stream(f"{blobs.root}/folder/x", nothing(), size_bytes=None, md5=None)
    assert os.listdir(folder) == []

    (folder / ".part~left-by-a-crash").write_bytes(b"half")
    assert await blobs.list(blobs.root) == []


@pytest.mark.parametrize("size", [10, 100_000])
async def test_what_cannot_be_written_is_unavailable(blobs, size):
    await blobs.put(f"{blobs.root}/file", b"x")
    await blobs.put(f"{blobs.root}/folder/x", b"x")
    for uri in (f"{blobs.root}/file/below", f"{blobs.root}/folder"):
        with pytest.raises(errors.BlobUnavailable, match=uri):
            await blobs.put(uri, b"." * size)
    assert await blobs.find(f"{blobs.root}/file") == b"x"
    assert len(await blobs.list(blobs.root)) == 2


async def test_a_name_too_long_is_unavailable(blobs):
    with pytest.raises(errors.BlobUnavailable, match="too long"):
        await blobs.put(f"{blobs.root}/{'x' * 300}", b"x")


async def test_other_roots_can_be_reached_too(tmp_path):
    opened = blob_stores.open(f"file://{tmp_path}/store", extra_roots=[f"file://{tmp_path}/raw", "memory://elsewhere"])
    await opened.put(f"file://{tmp_path}/raw/x", b"x")
    await opened.copy(f"file://{tmp_path}/raw/x", "memory://elsewhere/copy")
    await opened.copy("memory://elsewhere/copy", f"{opened.root}/back")

    assert await opened.find(f"{opened.root}/back") == b"x"
    assert await opened.list("memory://elsewhere") == ["memory://elsewhere/copy"]
    await opened.delete_tree("memory://elsewhere/copy")
    with pytest.raises(errors.InvalidArgument, match="outside"):
        await opened.find(f"file://{tmp_path}/other")
