"""Object stores that cannot be reached, are of no known kind, or fail halfway."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import fsspec
import pytest

from dayfly import blobs as blob_stores
from dayfly.base import errors
from dayfly.blobs import remote
from dayfly.blobs.checking import Check


def test_an_unknown_kind_is_refused():
    with pytest.raises(errors.InvalidArgument, match=r"nosuch://.*s3://BUCKET"):
        blob_stores.open("nosuch://bucket")


async def test_a_store_that_does_not_answer_is_unavailable(monkeypatch, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "config").write_text("[default]\nretry_mode = standard\nmax_attempts = 1\n")
    for name, value in {
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_MAX_ATTEMPTS": "1",
    }.items():
        monkeypatch.setenv(name, value)
    blobs = blob_stores.open("s3://bucket")

    with pytest.raises(errors.BlobUnavailable, match=r"s3://bucket/x.*credentials"):
        await blobs.find("s3://bucket/x")


@pytest.mark.parametrize(
    ("address", "extra"), [("gs://bucket", "gcs"), ("abfs://container", "azure"), ("s3://b", "s3")]
)
def test_a_kind_whose_package_is_missing_is_told_with_its_extra(monkeypatch, address: str, extra: str):
    def missing(*_: object, **__: object) -> None:
        raise ImportError("no such package")

    monkeypatch.setattr(fsspec, "filesystem", missing)
    with pytest.raises(errors.InvalidArgument, match=rf"dayfly\[{extra}\]"):
        blob_stores.open(address)


class Parts:
    """An upload in parts that nobody can throw away."""

    closed = False

    def write(self, data: bytes) -> None: ...

    def discard(self) -> None:
        raise OSError("501")


async def test_why_an_upload_was_broken_off_is_told_also_where_its_parts_stay(monkeypatch):
    files = SimpleNamespace(_open=lambda *_, **__: Parts(), _strip_protocol=lambda uri: uri)
    monkeypatch.setattr(fsspec, "filesystem", lambda *_, **__: files)

    async def sent() -> AsyncIterator[bytes]:
        yield b"x" * remote.PART_BYTES

    store = remote.RemoteObjects("gs")
    with pytest.raises(errors.InvalidArgument, match="cut off"):
        await store.put_stream("gs://b/x", sent(), Check("gs://b/x", remote.PART_BYTES + 1, None))


async def test_what_lies_in_an_account_that_its_address_names_is_listed_under_that_address(monkeypatch):
    files: Any = fsspec.filesystem("abfs", account_name="account", anon=True, skip_instance_cache=True)
    found = ["container/run/a", "container/run/b c", "container/runner/z"]
    monkeypatch.setattr(files, "find", lambda _: found)
    monkeypatch.setattr(fsspec, "filesystem", lambda *_, **__: files)
    folder = "abfs://container@account.dfs.core.windows.net/run"
    assert await remote.RemoteObjects("abfs").list(folder) == [f"{folder}/a", f"{folder}/b c"]
