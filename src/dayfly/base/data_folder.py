"""The folder that holds a laptop's platform: who may use it now, its secret, and the client configuration in it.

Opened by `assembly` before anything else, so that a second platform on the same folder is refused before it does harm.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from dayfly.base import errors, ids

SECRET_BYTES = 32


class DataFolder:
    """A locked data folder. The lock goes with the process, however that ends."""

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self._lock = lock

    def announce(self, address: str) -> None:
        """Write down who uses the folder, for the message that a second platform gives."""
        with _telling(self.path / "lock"):
            os.truncate(self._lock, 0)
            os.pwrite(self._lock, json.dumps({"pid": os.getpid(), "address": address}).encode(), 0)

    def secret(self) -> bytes:
        """Return the key that links are signed with, made at first use."""
        file = self.path / "secret"
        with contextlib.suppress(FileNotFoundError):
            return file.read_bytes()
        write_whole(file, ids.secret_bytes(SECRET_BYTES), mode=0o600)
        return file.read_bytes()

    def write_client_config(self, address: str, url: str) -> Path:
        """Write the configuration file for `FLYTECTL_CONFIG` and `pyflyte --config`; return its path."""
        file = self.path / "config.yaml"
        text = (
            "# Points Flyte clients at this Dayfly; written anew by each `dayfly up`.\n"
            f"admin:\n  endpoint: dns:///{address}\n  insecure: true\n"
            f"console:\n  endpoint: {url}\n"
            "logger:\n  show-source: true\n  level: 0\n"
        )
        write_whole(file, text.encode(), mode=0o644)
        return file

    def close(self) -> None:
        """Let another platform have the folder."""
        os.truncate(self._lock, 0)
        os.close(self._lock)


def open_folder(path: Path) -> DataFolder:
    """Make the folder where it is missing, and lock it.

    Raise `FailedPrecondition`, naming the platform that has it; `InvalidArgument` where it cannot be made or written.
    """
    path = path.expanduser().resolve()
    try:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise errors.InvalidArgument(
            f"The data folder {path} cannot be used: {error.strerror}.",
            remedy="Choose another with --data, or make it writable.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        holder = _holder(lock)
        os.close(lock)
        raise errors.FailedPrecondition(
            f"The data folder {path} is in use by {holder}.",
            remedy="Use that one, end it first, or choose another folder with --data.",
        ) from error
    return DataFolder(path, lock)


def find_address(path: Path) -> str | None:
    """Return the address of the platform that has the folder now, None when nobody has."""
    try:
        lock = os.open(path.expanduser() / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(lock).get("address")
    else:
        return None
    finally:
        os.close(lock)


def write_whole(file: Path, data: bytes, *, mode: int) -> None:
    """Write a small file so that nobody ever sees half of it. Raise `PlatformError` where the disk refuses."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    with _telling(file):
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as out:
            out.write(data)
        os.replace(partial, file)


@contextlib.contextmanager
def _telling(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise errors.PlatformError(
            f"{file} cannot be written: {error.strerror}.",
            remedy="Check the disk's space and the folder's permissions.",
        ) from error


def _holder(lock: int) -> str:
    told = _read(lock)
    if not told:
        return "another Dayfly that is just starting"
    return f"the Dayfly with process id {told['pid']} at {told['address']}"


def _read(lock: int) -> dict[str, str]:
    try:
        told = json.loads(os.pread(lock, 4096, 0) or b"{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
