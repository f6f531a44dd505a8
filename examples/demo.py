"""The main job from nothing: start Dayfly, register the examples with pyflyte, run both, show them, end everything.

Called by `make demo`. Everything lies in a folder of its own, which is removed at the end (`--keep` keeps it).
"""

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
PREFERRED_PORT = 30080
READY_SECONDS = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--keep", action="store_true", help="keep the data folder")
    keep = parser.parse_args().keep
    folder = Path(tempfile.mkdtemp(prefix="dayfly-demo-"))
    port = PREFERRED_PORT if is_free(PREFERRED_PORT) else free_port()
    print(f"$ dayfly up --data {folder} --port {port}", flush=True)
    server = subprocess.Popen(
        [BIN / "dayfly", "up", "--data", folder, "--port", str(port)], stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        wait_until_ready(server, folder / "config.yaml", port)
        return register_and_run(folder / "config.yaml")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
        if keep:
            print(f"Kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def register_and_run(config: Path) -> int:
    files = [EXAMPLES / "increment.py", EXAMPLES / "flights.py"]
    step("pyflyte", "--config", config, "register", "--version", "demo", *files)
    runs = {
        "increment.increment_all": ["--length", "1000"],
        "flights.delays": ["--max_iter", "60"],
    }
    for number, (workflow, inputs) in enumerate(runs.items()):
        name = f"demo{number}"
        step("pyflyte", "--config", config, "run", "--name", name, "remote-launchplan", workflow, *inputs, quiet=True)
        step("dayfly", "watch", name, "--config", config)
    print("\nBoth examples ran on ephemeral Dask clusters, and everything this demo started is ending now.")
    print("Start it yourself:  .venv/bin/dayfly up        then open http://127.0.0.1:30080")
    return 0


def step(program: str, *arguments: object, quiet: bool = False) -> None:
    words = [str(word) for word in arguments]
    print(f"\n$ {program} {' '.join(words)}", flush=True)
    done = subprocess.run([BIN / program, *words], cwd=EXAMPLES, capture_output=quiet, text=True)
    if done.returncode:
        print((done.stdout or "") + (done.stderr or ""), file=sys.stderr)
        raise SystemExit(f"{program} ended with {done.returncode}")


def wait_until_ready(server: "subprocess.Popen[bytes]", config: Path, port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not config.exists() or is_free(port):
        if server.poll() is not None:
            raise SystemExit(f"dayfly up ended with {server.returncode}")
        if time.monotonic() > deadline:
            raise SystemExit(f"dayfly up was not ready within {READY_SECONDS:.0f} s")
        time.sleep(0.05)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    os.environ.setdefault("FLYTE_SDK_LOGGING_LEVEL", "40")
    sys.exit(main())
