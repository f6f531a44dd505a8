"""The API in a process of its own, so that its memory, its log and its end can be watched. `python -m` runs it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

from dayfly.base import logs
from tests.clients.serving import serving


class ApiProcess:
    """Serves a data folder for as long as the context lives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "api.log"
        self.port = 0

    def __enter__(self) -> ApiProcess:
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.folder)], stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line.strip().isdigit(), self.log.read_text()
        self.port = int(line)
        self._database = sqlite3.connect(f"file:{self.folder}/dayfly.db?mode=ro", uri=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def address(self) -> str:
        """Return host and port."""
        return f"127.0.0.1:{self.port}"

    def log_end(self) -> str:
        """Return the last of what the process has logged."""
        with self.log.open("rb") as log:
            log.seek(max(0, self.log.stat().st_size - 4000))
            return log.read().decode(errors="replace")

    def is_alive(self) -> bool:
        """Say whether the process runs."""
        return self._process.poll() is None

    def written(self) -> tuple[int, int]:
        """Return what changes when anything is written: the database's version, and the number of stored files."""
        (version,) = self._database.execute("PRAGMA data_version").fetchone()
        return int(version), _count(str(self.folder / "storage"))

    def memory_bytes(self) -> int:
        """Return what the process holds in memory now."""
        return self._status("VmRSS")

    def peak_memory_bytes(self) -> int:
        """Return the most that it ever held."""
        return self._status("VmHWM")

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) * 1024


def _count(folder: str) -> int:
    if not os.path.isdir(folder):
        return 0
    with os.scandir(folder) as entries:
        return sum(_count(one.path) if one.is_dir() else 1 for one in entries)


async def _main(folder: Path) -> None:
    async with serving(folder) as served:
        print(served.port, flush=True)
        ended = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, ended.set)
        await ended.wait()


if __name__ == "__main__":
    logs.configure(level="warning")  # To standard error: standard output is a pipe that nobody reads on.
    asyncio.run(_main(Path(sys.argv[1])))
