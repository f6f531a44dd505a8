"""Where processes and files of one group are to be looked for: what its record and its order say.

Called by `groups` for groups whose fork server is gone, and for whoever asks what is left of one. It blocks, so that it
is for threads.
"""

from __future__ import annotations

import os
import time

from dayfly.executors.local import leftovers, records
from dayfly.executors.local.forked import processes
from dayfly.ports.process_groups import GroupSpec

LOST_PATIENCE_SECONDS = 5.0
"""How long supervisors have to end their groups after their fork server was killed, before the platform does it."""

LEAVING_PATIENCE_SECONDS = 2.0
"""How long a supervisor may take to leave once it has written the end of its group."""

ROUND_SECONDS = 0.05
"""How often is looked for what they write, or leave, meanwhile."""


class Traces:
    """The traces of one group; `spec` is None where nothing is known of it but its record's place."""

    def __init__(self, record: records.Record, spec: GroupSpec | None) -> None:
        started = record.find_started()
        folders = [record.temporary_dir, str(record.folder), *(started.folders if started is not None else ())]
        if spec is not None:
            folders.append(os.path.realpath(spec.working_dir))
        self._supervisor = started.pid if started is not None else 0
        self._folders = tuple(folders)
        self._log_dirs = () if spec is None else (os.path.realpath(spec.log_dir),)
        self._over = spec is None or record.find_end() is not None

    def describe(self) -> list[str]:
        """Name every process, port and file that is left of the group, logs apart; empty when clean."""
        if self._over:
            self._let_go()
        return leftovers.describe(self._supervisor, self._folders, self._log_dirs)

    def kill(self) -> None:
        """End whatever is left of it."""
        processes.kill_all(self._processes, _nothing, patience_seconds=LOST_PATIENCE_SECONDS)

    def _processes(self) -> list[int]:
        return leftovers.find_processes(self._supervisor, (*self._folders, *self._log_dirs))

    def _let_go(self) -> None:
        """Give a supervisor that has told the end the moment that it needs to clear up and leave, forgotten or not."""
        for _ in range(int(LEAVING_PATIENCE_SECONDS / ROUND_SECONDS)):
            if not self._processes():
                return
            time.sleep(ROUND_SECONDS)


def _nothing() -> None:
    """Nothing to reap: these are no children of the platform."""
