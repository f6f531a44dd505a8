"""Tasks that misbehave: with their own process, their folder, their log, and whoever watches over them."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import threading
import time

from flytekit import task

LINE = "x" * 1023 + "\n"


@task
def prints_much(folder: str) -> str:
    for _ in range(64 * 1024):
        sys.stdout.write(LINE)
    print("the very last line")
    return "printed"


@task
def prints_much_and_leaves(folder: str) -> str:
    for _ in range(16 * 1024):
        sys.stdout.write(LINE)
    print("the very last line", flush=True)
    os._exit(3)
    return "never"


@task
def loses_its_folder(folder: str) -> str:
    shutil.rmtree(os.getcwd())
    return "went on"


@task
def goes_elsewhere(folder: str) -> str:
    os.chdir("/")
    os.environ.clear()
    return "went on"


@task
def leaves_daemons(folder: str) -> str:
    code = "import os, time\nos.setsid()\nif os.fork(): os._exit(0)\nos.chdir('/')\ntime.sleep(1000)"
    subprocess.run([sys.executable, "-c", code], check=True)
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
    threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    return "left them"


@task
def closes_everything(folder: str) -> str:
    (pathlib.Path(folder) / "begun").touch()
    os.closerange(0, 1000)
    time.sleep(1000)
    return "never"


@task
def fills_the_disk(folder: str) -> str:
    with open("/dev/full", "w") as full:
        full.write("x" * 2**20)
    return "never"


@task
def kills_its_supervisor(folder: str) -> str:
    tries = pathlib.Path(folder) / "tries"
    first = not tries.exists()
    tries.touch()
    if first:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)
    return "once more"


@task
def ignores_the_end(folder: str) -> str:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (pathlib.Path(folder) / "begun").touch()
    while True:
        time.sleep(1000)
    return "never"


@task
def crashes(folder: str) -> str:
    os.kill(os.getpid(), signal.SIGSEGV)
    return "never"
