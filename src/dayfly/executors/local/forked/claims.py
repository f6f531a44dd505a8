"""What a supervisor writes into the record of its group: that it has taken it, and how it ended."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Sequence
from typing import Any

from . import processes


def claim(record_dir: str, server_socket: str, folders: Sequence[str] = ()) -> bool:
    """Take the group for this process, which brings `folders` of its own along; False if another has started it before.
    Nothing is ever started twice."""
    pid = os.getpid()
    mine = {"pid": pid, "ticks": processes.start_ticks(pid), "server": server_socket, "folders": list(folders)}
    draft = os.path.join(record_dir, f"started.{os.getpid()}")
    try:
        with open(draft, "w") as file:
            json.dump(mine, file)
        os.link(draft, os.path.join(record_dir, "started.json"))
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOENT):
            raise
        return False
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
    return True


def find_claimant(record_dir: str) -> int | None:
    """Return the id of the process that has taken the group, 0 for a platform; None if nobody has."""
    try:
        with open(os.path.join(record_dir, "started.json")) as file:
            return int(json.load(file)["pid"])
    except FileNotFoundError:
        return None


def write_end(record_dir: str, report: dict[str, Any]) -> None:
    """Write the end of a group whole or not at all; the first end that was written stays.

    On a full disk there is none. It is told all the same: whoever asked must not wait for space to be found.
    """
    path = os.path.join(record_dir, "end.json")
    if os.path.exists(path) or not os.path.isdir(record_dir):
        return
    draft = f"{path}.{os.getpid()}"
    try:
        with open(draft, "w") as file:
            json.dump(report, file)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
