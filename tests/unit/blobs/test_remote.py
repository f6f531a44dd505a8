"""Object stores that cannot be reached or are of no known kind."""

from __future__ import annotations

import socket

import pytest

from dayfly import blobs as blob_stores
from dayfly.base import errors


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
