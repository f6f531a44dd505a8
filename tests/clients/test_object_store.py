"""The platform on an S3 bucket: the usual AWS environment, nothing else to set."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.clients.test_article import ARTICLE, read_back
from tests.platforms.server import Server

BUCKET = "dayfly-test"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch):
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()
    server.stop()


def test_a_workflow_runs_on_a_bucket(bucket, tmp_path: Path) -> None:
    server = Server(tmp_path / "data", "--storage", f"s3://{BUCKET}/prefix").start()
    try:
        done = server.pyflyte(
            "run", "--remote", "--wait", "--name", "train", "train_model.py", "train_model", "--input_files", '["a", "bb"]',
            cwd=ARTICLE,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert read_back(server, "train")["outputs"] == {"o0": ["str", "s3://path-to-model-3"]}
    finally:
        server.stop()
    assert server.wait_until_clean() == []
    keys = [one["Key"] for one in bucket.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert "prefix/metadata/propeller/flytesnacks-development-train/end-node/data/0/outputs.pb" in keys
    assert any(key.startswith("prefix/data/") for key in keys)
