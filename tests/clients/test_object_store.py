"""The platform on a bucket of each kind of object store: the usual environment of its clients, nothing else to set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from tests.platforms import object_stores, remotes
from tests.platforms.server import Server

PROGRAMS = Path(__file__).parent / "programs"

SIZE = 9_000_000
"""Larger than what a store gets in one piece."""


@pytest.fixture(params=["s3", "gcs", "azure"])
def bucket(request: pytest.FixtureRequest) -> Iterator[str]:
    with getattr(object_stores, request.param)() as store:
        yield store.make_bucket()


def test_a_workflow_runs_on_a_bucket(bucket: str, tmp_path: Path) -> None:
    given = tmp_path / "given.txt"
    given.write_text("from outside")
    server = Server(tmp_path / "data", "--storage", f"{bucket}/prefix").start()
    try:
        words = ["run", "--remote", "--wait", "--name", "stored", "stored.py", "through", "--given", given]
        done = server.pyflyte(*words, "--size", SIZE, cwd=PROGRAMS)
        assert done.returncode == 0, done.stdout + done.stderr
        remote = remotes.connect(server)
        outputs = remotes.wait(remote, remote.fetch_execution(name="stored")).outputs
        assert outputs["o0"] == f"{SIZE} {[SIZE] * 3} 45 from outside"
        assert outputs["o1"].remote_source.startswith(f"{bucket}/prefix/data/")
    finally:
        server.stop()
    assert server.wait_until_clean() == []
    scheme, _, name = bucket.partition("://")
    keys = fsspec.filesystem(scheme, skip_instance_cache=True).find(name)
    assert f"{name}/prefix/metadata/propeller/flytesnacks-development-stored/end-node/data/0/outputs.pb" in keys
