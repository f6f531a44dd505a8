"""Finds what is left of a group by looking at the host, not at what the platform remembers.

A process belongs to a group if it descends from its session, stands in its working folder, writes to its logs, or
carries that folder in its environment: a daemon of a daemon still shows one of these. Keys do not tell: two platforms
on one host may each have an execution of the same name.
"""

from __future__ import annotations

import os
from pathlib import Path

from dayfly.executors.local.forked import processes

LISTEN = "0A"
"""A listening socket in /proc/net/tcp."""


def find_processes(supervisor: int, folders: tuple[str, ...]) -> list[int]:
    """Return the processes of the group of these folders; `supervisor` is its supervisor's id, 0 for none."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        pid = int(name)
        try:
            state, _, session, _ = processes.stat(pid)
        except ProcessLookupError:
            continue
        if state in "ZX":
            continue
        if (supervisor and session == supervisor) or _carries(pid, folders) or _touches(pid, folders):
            found.append(pid)
    return found


def find_ports(pids: list[int]) -> list[int]:
    """Return the TCP ports that these processes listen on."""
    inodes = {inode for pid in pids for inode in _sockets(pid)}
    ports = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except FileNotFoundError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == LISTEN and fields[9] in inodes:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return sorted(ports)


def describe(supervisor: int, folders: tuple[str, ...], log_dirs: tuple[str, ...]) -> list[str]:
    """Name every process, port and folder that is left of the group; its logs stay, but nobody may write to them."""
    pids = find_processes(supervisor, (*folders, *log_dirs))
    return [
        *(f"process {pid} ({processes.command(pid)})" for pid in pids),
        *(f"port {port}" for port in find_ports(pids)),
        *(f"folder {folder}" for folder in folders if os.path.exists(folder)),
    ]


def _carries(pid: int, folders: tuple[str, ...]) -> bool:
    try:
        environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False
    return any(f"DAYFLY_GROUP={folder}".encode() in environ for folder in folders)


def _touches(pid: int, folders: tuple[str, ...]) -> bool:
    paths = [_link(f"/proc/{pid}/cwd")]
    try:
        paths += [_link(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        pass
    return any(path == folder or path.startswith(f"{folder}/") for path in paths for folder in folders)


def _sockets(pid: int) -> list[str]:
    try:
        links = [_link(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
    except OSError:
        return []
    return [link[8:-1] for link in links if link.startswith("socket:[")]


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""
