"""The folder that is kept for each group: what was asked for, that it was started, how it ended.

`spec.json` is written before anything is started; `started.json` is the supervisor's claim, so that nothing is started
twice; `end.json` is the end. They are what a restarted platform goes by. Nothing is synced to disk: they need to
outlive processes, not the host.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from pathlib import Path

import msgspec

from dayfly.executors.local.forked import processes
from dayfly.ports.process_groups import GroupReport, GroupSpec

MAX_NAME = 180
"""Longer folder names are cut and carry a hash: file systems end at 255 bytes."""


class Started(msgspec.Struct, frozen=True):
    """The claim of a supervisor, or of a platform that ended the group before it began."""

    pid: int
    ticks: int
    """When it started, in clock ticks since boot: with `pid`, its identity."""
    server: str
    """Socket of its fork server; empty if there never was a supervisor."""
    folders: tuple[str, ...] = ()
    """What the group has for its own beside the folders it was given: those of what it has taken over, all of them."""

    @property
    def alive(self) -> bool:
        """Say whether the supervisor still runs."""
        return bool(self.server) and processes.alive(self.pid, self.ticks)


class Record:
    """One group's folder."""

    def __init__(self, root: Path, key: str) -> None:
        name = re.sub(r"[^A-Za-z0-9._-]", "~", key)
        if not re.fullmatch(r"[A-Za-z0-9_-][A-Za-z0-9._/-]*", key) or len(name) > MAX_NAME:
            name = f"{name[: MAX_NAME - 17]}~{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        self.key = key
        self.folder = root / name

    @property
    def temporary_dir(self) -> str:
        """Return where the group's temporary files go: below the system's, because socket paths are short."""
        digest = hashlib.sha256(str(self.folder).encode()).hexdigest()[:12]
        return f"/tmp/dayfly-{os.getuid()}-{digest}"

    def write_spec(self, spec: GroupSpec) -> None:
        """Keep what is asked for. Raises `OSError`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / "spec.json.new"
        draft.write_bytes(msgspec.json.encode(spec))
        draft.replace(self.folder / "spec.json")

    def find_spec(self) -> GroupSpec | None:
        """Return what was asked for, None if nothing was."""
        raw = self._find("spec.json")
        return None if raw is None else msgspec.json.decode(raw, type=GroupSpec)

    def find_started(self) -> Started | None:
        """Return who has started it, None if nobody has."""
        raw = self._find("started.json")
        return None if raw is None else msgspec.json.decode(raw, type=Started)

    def find_end(self) -> GroupReport | None:
        """Return how it ended, None if it has not."""
        raw = self._find("end.json")
        return None if raw is None else msgspec.json.decode(raw, type=GroupReport)

    def claim(self) -> bool:
        """Make sure that nobody starts it any more; False if somebody has."""
        draft = self.folder / "started.none"
        draft.write_text(json.dumps({"pid": 0, "ticks": 0, "server": ""}))
        try:
            os.link(draft, self.folder / "started.json")
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def write_end(self, report: GroupReport) -> GroupReport:
        """Keep how it ended; the first end that was written is the one that counts, and is returned."""
        draft = self.folder / "end.json.new"
        draft.write_bytes(msgspec.json.encode(report))
        try:
            os.link(draft, self.folder / "end.json")
        except FileExistsError:
            return self.find_end() or report
        finally:
            draft.unlink()
        return report

    def remove(self) -> None:
        """Remove the folder, the group's working folder and its temporary files; what is gone already is fine."""
        spec, started = self.find_spec(), self.find_started()
        working_dirs = (spec.working_dir,) if spec is not None else ()
        for folder in (*working_dirs, *(started.folders if started else ()), self.temporary_dir, str(self.folder)):
            shutil.rmtree(folder, ignore_errors=True)

    def _find(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None


def list_keys(root: Path) -> list[str]:
    """Return the keys of all groups that are kept below `root`; one whose spec cannot be read is left out."""
    keys = []
    for spec in sorted(root.glob("*/spec.json")):
        try:
            keys.append(msgspec.json.decode(spec.read_bytes(), type=GroupSpec).key)
        except (OSError, msgspec.DecodeError):
            continue
    return keys
