"""Finds, starts and keeps the fork servers: one for each distinct `Preload`.

The first library of a `Preload` begins a family: a server with more of them is forked from the one that has the first,
a server with user modules from one that has the same libraries, and they share what they have in common. User modules
that cannot be loaded before a fork are left to the attempts: then the server with the libraries alone serves them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from dayfly.base import errors, logs
from dayfly.executors.local import connection, forked
from dayfly.executors.local.forked import wire
from dayfly.executors.local.settings import LocalSettings
from dayfly.ports.process_groups import Preload

LONGEST_SOCKET_PATH = 100
"""Linux allows 108 bytes."""

_CODE = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(Path(forked.__file__).parent.glob("*.py"))))
"""Platforms of different releases do not share fork servers: they might misunderstand each other."""

_BOOTSTRAP = """
import os, sys
if os.fork():
    os._exit(0)
os.setsid()
import importlib.util
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("_dayfly_forked", folder + "/__init__.py",
                                              submodule_search_locations=[folder])
sys.modules["_dayfly_forked"] = importlib.util.module_from_spec(spec)
sys.path[:] = [path for path in sys.path if path]
from _dayfly_forked import server
server.main()
"""
"""Loads the server from its path, in an interpreter that may not have Dayfly, as a daemon that nobody has to reap."""

_log = logs.get("fork servers")


class ForkServers:
    """The fork servers of one data folder."""

    def __init__(
        self,
        settings: LocalSettings,
        on_report: Callable[[connection.Connection, dict[str, Any]], None],
        on_lost: Callable[[connection.Connection], None],
    ) -> None:
        self._settings = settings
        self._on_report, self._on_lost = on_report, on_lost
        self._logs = settings.data.absolute() / "run" / "forkservers"
        self._folder = _socket_folder(self._logs)
        self._open: dict[str, connection.Connection] = {}
        self._unfit: dict[str, str] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    def find(self, preload: Preload) -> connection.Connection | None:
        """Return the server for `preload` if it is at hand, without waiting."""
        path = self._path(preload)
        plain = not preload.user_modules or path in self._unfit
        return self._open.get(self._path(_without_code(preload)) if plain else path)

    async def get(self, preload: Preload) -> connection.Connection:
        """Return a server that has loaded `preload`, or what can be loaded of it; raise `ExecutorUnavailable`."""
        if not preload.user_modules:
            preload = _without_code(preload)
        path = self._path(preload)
        async with self._locks.setdefault(path, asyncio.Lock()):
            found = self.find(preload)
            if found is None:
                found = await self.reach(path)
            if found is None and preload.user_modules:
                found = await self._fork(path, preload)
            elif found is None and len(preload.modules) > 1:
                found = await self._extend(path, preload)
            elif found is None:
                found = await self._spawn(path, preload)
            return found

    async def reach(self, path: str) -> connection.Connection | None:
        """Return the server at a socket, maybe an earlier platform's; None if there is none alive."""
        if path in self._open:
            return self._open[path]
        try:
            found = await connection.Connection.open(
                path, self._options(), timeout_seconds=self._settings.preload_timeout_seconds
            )
        except OSError:
            return None
        if found.unfit:
            found.send({"op": "leave", "grace": 0})
            await found.close()
            return None
        return self._keep(found)

    def unfit_reason(self, preload: Preload) -> str:
        """Return why the user modules are not loaded before the fork; empty if they are, or nobody has tried."""
        return self._unfit.get(self._path(preload), "")

    async def leave(self, *, grace_seconds: float, patience_seconds: float) -> None:
        """End all servers, an earlier platform's too, and with them their groups; wait until they have gone."""
        for path in self._folder.glob("*.sock"):
            await self.reach(str(path))
        servers = list(self._open.values())
        for server in servers:
            server.send({"op": "leave", "grace": grace_seconds})
        pending: set[asyncio.Task[None]] = set()
        if servers:
            waiting = [asyncio.create_task(server.wait_until_lost()) for server in servers]
            _, pending = await asyncio.wait(waiting, timeout=grace_seconds + patience_seconds)
            for task in pending:
                task.cancel()
        if not pending:
            await asyncio.to_thread(self._tidy)
        if self._folder != self._logs:
            with contextlib.suppress(OSError):  # gone already, or with something in it
                self._folder.rmdir()

    def _tidy(self) -> None:
        """Remove what servers that were killed have left."""
        for temporary in self._logs.glob("*.tmp"):
            shutil.rmtree(temporary, ignore_errors=True)
        # The folder of sockets goes with the last server's own end, which may be this very moment.
        with contextlib.suppress(FileNotFoundError):
            for path in self._folder.glob("*.sock"):
                path.unlink(missing_ok=True)

    async def abandon(self) -> None:
        """Let go of all servers without ending them, as a platform that is killed does."""
        for server in list(self._open.values()):
            await server.close()
        self._open.clear()

    # --- starting ---------------------------------------------------------------------------------------------------

    async def _spawn(self, path: str, preload: Preload) -> connection.Connection:
        """Start an interpreter with the libraries. The listener is made here, so that it can be reached at once."""
        self._prepare_folder()
        listener = wire.listen(path)
        options = self._options() | {
            "socket": path,
            "listener": listener.fileno(),
            "modules": list(preload.modules),
            "idle_seconds": self._settings.idle_seconds,
            "temporary_dir": self._temporary_dir(path),
        }
        try:
            await asyncio.to_thread(_run, preload.python, options, self._log(path), listener.fileno())
        except (OSError, subprocess.SubprocessError) as error:
            os.unlink(path)
            raise errors.ExecutorUnavailable(
                f"the interpreter {preload.python} cannot be started: {error}",
                remedy="Correct the rule for this image in the environments' settings.",
            ) from error
        finally:
            listener.close()
        try:
            return self._keep(await self._open_new(path))
        except OSError as error:
            raise self._not_started(path, preload, error) from error

    async def _extend(self, path: str, preload: Preload) -> connection.Connection:
        """Fork a server with more libraries from the one that has the first of them."""
        base = await self.get(Preload(preload.python, preload.modules[:1]))
        options = {
            "socket": path,
            "log": str(self._log(path)),
            "modules": list(preload.modules[1:]),
            "user_modules": [],
            "idle_seconds": self._settings.idle_seconds,
            "temporary_dir": self._temporary_dir(path),
        }
        try:
            await base.fork(options)
            return self._keep(await self._open_new(path))
        except OSError as error:
            raise self._not_started(path, preload, error) from error

    async def _fork(self, path: str, preload: Preload) -> connection.Connection:
        """Fork a server with the user modules from the one with the libraries; return the latter if that fails."""
        libraries = _without_code(preload)
        base = await self.get(libraries)
        options = {
            "socket": path,
            "log": str(self._log(path)),
            "modules": [],
            "distribution": preload.distribution,
            "user_modules": list(preload.user_modules),
            "env": dict(preload.env),
            "idle_seconds": self._settings.idle_version_seconds,
            "temporary_dir": "",
        }
        try:
            await base.fork(options)
            found = await self._open_new(path)
        except OSError as error:
            if not base.lost:
                self._give_up(path, preload, str(error))
            return await self.get(libraries)
        if found.unfit:
            found.send({"op": "leave", "grace": 0})
            await found.close()
            self._give_up(path, preload, found.unfit)
            return await self.get(libraries)  # another one, if the first has died meanwhile
        return self._keep(found)

    def _give_up(self, path: str, preload: Preload, why: str) -> None:
        self._unfit[path] = why
        _log.info("user modules are imported by each attempt", modules=preload.user_modules, because=why)

    async def _open_new(self, path: str) -> connection.Connection:
        """Reach a server that has just been started. Raises `OSError`, `TimeoutError` included."""
        timeout = self._settings.preload_timeout_seconds
        return await connection.Connection.open(path, self._options(), timeout_seconds=timeout)

    def _not_started(self, path: str, preload: Preload, error: OSError) -> errors.ExecutorUnavailable:
        needed = " and ".join(sorted({name.partition(".")[0] for name in preload.modules if os.sep not in name}))
        return errors.ExecutorUnavailable(
            f"the fork server for {preload.python} did not start: {_last_line(self._log(path)) or error}",
            remedy=f"See {self._log(path)}; is {needed or 'everything'} installed there?",
        )

    def _temporary_dir(self, path: str) -> str:
        return tempfile.mkdtemp(dir=self._logs, prefix=f"{Path(path).stem}.", suffix=".tmp")

    def _keep(self, found: connection.Connection) -> connection.Connection:
        self._open[found.path] = found
        found.on_report = self._on_report
        found.on_lost = self._lose
        found.listen()
        return found

    def _lose(self, server: connection.Connection) -> None:
        if self._open.get(server.path) is server:
            del self._open[server.path]
        self._on_lost(server)

    def _options(self) -> dict[str, Any]:
        told = self._settings
        return {
            "lease_seconds": told.lease_seconds,
            "grace_seconds": told.grace_seconds,
            "overdue_seconds": told.overdue_seconds,
        }

    def _path(self, preload: Preload) -> str:
        if not preload.user_modules:
            preload = _without_code(preload)  # which code is in the working folder does not matter to the server
        told = msgspec.json.encode([_CODE.hexdigest(), preload])
        return str(self._folder / f"{hashlib.sha256(told).hexdigest()[:16]}.sock")

    def _log(self, path: str) -> Path:
        return self._logs / Path(path).with_suffix(".log").name

    def _prepare_folder(self) -> None:
        self._logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        owner = self._folder.stat()
        if owner.st_uid != os.getuid() or stat.S_IMODE(owner.st_mode) & 0o077:
            raise errors.ExecutorUnavailable(
                f"{self._folder} belongs to someone else or is open to others",
                remedy="Remove it: whoever can reach the sockets in it can run code as you.",
            )


def _without_code(preload: Preload) -> Preload:
    return Preload(preload.python, preload.modules)


def _run(python: str, options: dict[str, Any], log: Path, listener: int) -> None:
    with log.open("ab") as written:
        subprocess.run(
            [python, "-c", _BOOTSTRAP, os.path.dirname(forked.__file__), json.dumps(options)],
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            cwd="/",
            pass_fds=(listener,),
            check=True,
        )


def _socket_folder(folder: Path) -> Path:
    """Return where sockets lie: in the data folder, or, where its path is too long for them, below /tmp."""
    if len(os.fsencode(folder)) + 24 <= LONGEST_SOCKET_PATH:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:12]
    return Path(f"/tmp/dayfly-{os.getuid()}-forks-{digest}")


def _last_line(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").split("\n")
    except FileNotFoundError:
        return ""
    return next((line for line in reversed(lines) if line.strip()), "")
