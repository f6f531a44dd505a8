"""How a forked process leaves: what a normal interpreter's exit does for its user, without tearing the memory down.

The fork server's own finalizers must not run in its children; what a task has registered itself must.
"""

from __future__ import annotations

import atexit
import os
import resource
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from typing import NoReturn


def forget_inherited() -> None:
    """Drop the finalizers made before the fork: they would delete files that all children share.

    Handlers that libraries registered with `atexit` at import stay: a fresh process would have them as well.
    """
    for info in list(getattr(weakref.finalize, "_registry", {}).values()):
        info.atexit = False


def exit_code(error: SystemExit) -> int:
    """Return the code that `sys.exit` was called for, as an interpreter does."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)  # noqa: T201 - what an interpreter does with a text
    return 1


def leave(code: int, tell: Callable[[int, int], None]) -> NoReturn:
    """End the process: wait for the task's threads, run exit handlers, flush, `tell` the exit code and the peak of
    resident bytes, and go."""
    try:
        threading._shutdown()  # type: ignore[attr-defined]  # what an interpreter calls; there is no public name
        atexit._run_exitfuncs()
    except BaseException:  # noqa: BLE001 - an exit handler must not keep the process from leaving
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120  # as an interpreter does when its output cannot be written
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    tell(code, max(peaks) * 1024)
    os._exit(code)
