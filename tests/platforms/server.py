"""Start, kill and end a real `dayfly up`, and look for what it left behind.

Every process it starts inherits a mark in its environment, so that leftovers are found by looking at /proc.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from tests.platforms import calls_seen

MARK = "DAYFLY_TEST_MARK"
READY_SECONDS = 60.0
BIN = Path(sys.executable).parent


class Server:
    """One data folder, and the `dayfly up` on it that may come and go."""

    def __init__(self, folder: Path, *arguments: str, port: int = 0) -> None:
        self.folder, self.arguments, self.port = folder, arguments, port
        self.mark = uuid.uuid4().hex
        self.process: subprocess.Popen[str] | None = None
        self.log = folder.parent / f"{folder.name}.log"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    def start(self) -> Server:
        """Start it and return once it says that it is ready."""
        environment = {**os.environ, MARK: self.mark}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [BIN / "dayfly", "up", "--data", self.folder, "--port", str(self.port), *self.arguments],
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if "ready at" not in line:
            raise AssertionError(f"dayfly up did not start:\n{line}{self.log.read_text()}")
        self.port = int(line.split("ready at http://127.0.0.1:")[1].split()[0])
        return self

    def kill(self) -> None:
        """`kill -9`, as if the machine's memory had run out."""
        assert self.process is not None
        self.process.kill()
        self._reap()

    def stop(self) -> int:
        """Ctrl-C; return the exit code."""
        assert self.process is not None
        calls_seen.note(f"http://{self.address}")
        self.process.send_signal(signal.SIGINT)
        return self._reap()

    def leftovers(self) -> list[str]:
        """Describe every process that carries the mark, the server itself included."""
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0"):
                    words = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    found.append(f"{entry.name}: {words[:200]}")
            except (OSError, PermissionError):
                continue  # It ended while we looked.
        return found

    def wait_until_clean(self, seconds: float = 20.0) -> list[str]:
        """Return what is left once nothing is, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := self.leftovers()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def __enter__(self) -> Server:
        return self if self.process is not None else self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End it, and hold it to leaving nothing behind."""
        code = self.stop() if self.process is not None else 0
        left = self.wait_until_clean()
        if kind is None:
            assert code == 0, self.log.read_text()
            assert left == []

    def _reap(self) -> int:
        assert self.process is not None
        code = self.process.wait(timeout=READY_SECONDS)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.process = None
        return code

    def pyflyte(self, *words: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run the real `pyflyte` against it."""
        return subprocess.run(
            [BIN / "pyflyte", "--config", self.config, *[str(word) for word in words]],
            capture_output=True,
            text=True,
            cwd=cwd,
            timeout=300,
        )

    def dayfly(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run our own command line."""
        return subprocess.run(
            [BIN / "dayfly", *[str(word) for word in words]], capture_output=True, text=True, timeout=300
        )
