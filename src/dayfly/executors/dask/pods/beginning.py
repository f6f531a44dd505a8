"""How roles begin in their containers: with the user's code in place, and the driver with its cluster there.

flytekit's own command for fast-registered code imports all of flytekit to fetch it, and then starts a second program
that does so again. For a scheduler or worker that is 0.7 s of processor time before the first line of Dask's; so
code that lies in a folder is unpacked here, and only other addresses are left to flytekit. The driver imports what its
command needs while its cluster is made, waits for the quorum, and becomes the command without starting anew. The
scheduler is asked over HTTP, which needs no library; the provider ends the cluster where it takes too long.

What the commands do: `fast_execute_task_cmd` in flytekit/bin/entrypoint.py, and flytekit/tools/fast_registration.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.model.entrypoint_args import EntryPoint

COUNTS_VARIABLE = "DAYFLY_SCHEDULER_COUNTS"

COUNTS_PATH = "/json/counts.json"
"""Of the scheduler's HTTP server (distributed/http/scheduler/json.py)."""

_UNPACKING = """
import os, sys
if sys.path[0] == "":
    sys.path.pop(0)  # the working folder, which commands do not have there
def unpack(distribution, folder):
    path = distribution[7:] if distribution.startswith("file://") else distribution
    if not (os.path.isabs(path) and path.endswith(".tar.gz")):
        return False
    import tarfile
    how = {"filter": "fully_trusted"} if hasattr(tarfile, "fully_trusted_filter") else {}
    os.makedirs(folder, exist_ok=True)
    with tarfile.open(path) as packed:
        packed.extractall(folder, **how)
    return True
def let_import(folder):
    before = os.environ.get("PYTHONPATH", "").split(os.pathsep) if os.environ.get("PYTHONPATH") else []
    where = os.path.realpath(os.path.expanduser(folder))
    os.environ["PYTHONPATH"] = os.pathsep.join([*before, where])
    sys.path.insert(len(before), where)
"""

ROLE = (
    _UNPACKING
    + """
distribution, folder, words = sys.argv[1], sys.argv[2], sys.argv[3:]
if unpack(distribution, folder):
    let_import(folder)
else:
    fetch = ["pyflyte-fast-execute", "--additional-distribution", distribution, "--dest-dir", folder, "--"]
    words = fetch + words
os.execvp(words[0], words)
"""
)

DRIVER = (
    _UNPACKING
    + """
import json, signal, time, urllib.request
where, wanted = os.environ["DAYFLY_SCHEDULER_COUNTS"], int(sys.argv[1])
distribution, folder, words = sys.argv[2], sys.argv[3], sys.argv[4:]
# The first process of a container is not ended by a signal that it does not handle.
signal.signal(signal.SIGTERM, lambda number, frame: os._exit(128 + number))
unpacked = unpack(distribution, folder)
commands = {"pyflyte-execute": "execute_task_cmd", "pyflyte-map-execute": "map_execute_task_cmd"}
try:
    import distributed
    from flytekit.bin import entrypoint
    command = getattr(entrypoint, commands[os.path.basename(words[0])])
except (ImportError, AttributeError, KeyError):
    command = None
if distribution and not unpacked:
    from flytekit.tools.fast_registration import download_distribution
    download_distribution(distribution, folder)
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # Dask's own connections know no proxy either
while True:
    try:
        with opener.open(where, timeout=5) as answer:
            if json.load(answer)["workers"] >= wanted:
                break
    except (OSError, ValueError, KeyError):
        pass
    time.sleep(0.1)
if distribution:
    let_import(folder)
if command is None:
    os.execvp(words[0], words)
sys.argv = words
sys.exit(command())
"""
)


def driver(entry: EntryPoint, workers: int) -> tuple[str, ...]:
    """Return the command that waits for so many workers, and then is what a command line of flytekit's asks for."""
    return ("python", "-c", DRIVER, str(workers), entry.distribution, entry.dest_dir, *entry.inner)


def role(entry: EntryPoint, words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command that runs `words` where the task's own code can be imported."""
    if not entry.distribution:
        return words
    return ("python", "-c", ROLE, entry.distribution, entry.dest_dir, *words)
