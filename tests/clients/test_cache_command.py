"""`dayfly cache` on a running platform: what DataCatalog was given is listed, measured and evicted."""

from __future__ import annotations

import subprocess

import grpc
import pytest
from flyteidl.datacatalog import datacatalog_pb2 as messages
from flyteidl.datacatalog import datacatalog_pb2_grpc
from tests.platforms.server import BIN, Server

DATASET = {"project": "flytesnacks", "domain": "development", "name": "flyte_task-flows.fit"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory):
    running = Server(tmp_path_factory.mktemp("cache") / "data").start()
    yield running
    running.stop()


def dayfly(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    command = [BIN / "dayfly", "cache", *words, "--config", server.config]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def keep(server: Server, version: str, run: str) -> None:
    """Keep outputs as an engine of Flyte's does."""
    dataset = {**DATASET, "version": f"{version}-aaaaaaaa-bbbbbbbb"}
    metadata = {"exec-project": "flytesnacks", "exec-domain": "development", "execution-name": run, "exec-node": "n0"}
    value = {"name": "o0", "value": {"scalar": {"primitive": {"integer": 5}}}}
    artifact = {"id": run, "dataset": dataset, "data": [value], "metadata": {"key_map": metadata}}
    with grpc.insecure_channel(server.address) as channel:
        stub = datacatalog_pb2_grpc.DataCatalogStub(channel)
        stub.CreateDataset(messages.CreateDatasetRequest(dataset={"id": dataset}))
        stub.CreateArtifact(messages.CreateArtifactRequest(artifact=artifact))


def test_list_size_evict(server: Server) -> None:
    assert dayfly(server, "list").stdout == "Nothing is cached.\n"
    keep(server, "1.0", "first")
    keep(server, "2.0", "second")
    listed = dayfly(server, "list").stdout.splitlines()
    assert [line.split()[:5] for line in listed[1:]] == [
        ["flytesnacks/development", "flows.fit", "2.0", "second", "n0"],
        ["flytesnacks/development", "flows.fit", "1.0", "first", "n0"],
    ]
    assert dayfly(server, "size").stdout.splitlines()[1].split()[:3] == ["flytesnacks/development", "flows.fit", "2"]
    assert dayfly(server, "evict", "--older-than", "1h", "--yes").stdout == "Nothing is cached that this means.\n"
    assert "Removed 1 entry" in dayfly(server, "evict", "--version", "1.0", "--yes").stdout
    assert [line.split()[3] for line in dayfly(server, "list").stdout.splitlines()[1:]] == ["second"]
    assert "Removed 1 entry" in dayfly(server, "evict", "--execution", "second", "--yes").stdout
    assert dayfly(server, "size").stdout == "Nothing is cached.\n"


def test_what_is_wrong_is_said(server: Server) -> None:
    refused = dayfly(server, "evict", "--yes")
    assert (refused.returncode, "--all" in refused.stderr) == (1, True)
    refused = dayfly(server, "list", "--execution", "a/b/c/d")
    assert (refused.returncode, "PROJECT/DOMAIN/NAME" in refused.stderr) == (1, True)
