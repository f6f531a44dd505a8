"""Says what to do about an error that a task reports, where that can be known from the error itself. Pure.

Called by `explaining`, with the message as `tracebacks` made it.
"""

from __future__ import annotations

import re
import signal

from dayfly.controller import tracebacks

_BY_TEXT = (
    (
        re.compile(r"No space left on device|\[Errno 28\]|Disk quota exceeded"),
        "Free some space on the disk of the host that ran it, or have it write less.",
    ),
    (
        re.compile(r"Unable to find secret"),
        "Keep the secret with `dayfly secret set`, under the group and key that the task's secret_requests name.",
    ),
)

_BY_TYPE = {
    "ModuleNotFoundError": "Install the module in the environment that stands for the task's image, or register the "
    "workflow from the folder that the module lies in.",
    "ImportError": "Look at which version of the module is installed in the environment that stands for the task's "
    "image; it is not the one that the code was written for.",
    "TypeTransformerFailedError": "Give and return values of the types that the task's annotations name, or change "
    "these.",
    "MemoryError": "Ask for more with Resources(mem=...) in the task's limits, or hold less at once.",
    "FileNotFoundError": "A task runs in a folder of its own. Hand files from task to task as FlyteFile or "
    "FlyteDirectory; those that belong to the code are registered with it.",
    "FlyteRecoverableException": "It asked for another try, and all are used: raise the task's `retries` if what it "
    "waits for takes longer.",
}

_MAY_PASS = re.compile(r"(?:Connection\w*|Timeout\w*|BrokenPipe)Error")
"""Exceptions whose cause may be gone by the next try."""

_TYPE = re.compile(r"^(\w+)(?::|$)")


def find(message: str) -> str:
    """Return a sentence or two, empty where there is nothing to say."""
    for text, remedy in _BY_TEXT:
        if text.search(message):
            return remedy
    found = _TYPE.match(message)
    name = found[1] if found is not None else ""
    if name in _BY_TYPE:
        return _BY_TYPE[name]
    if _MAY_PASS.fullmatch(name):
        return "Where trying again may help, raise FlyteRecoverableException from it, and give the task `retries`."
    own = tracebacks.find_last_own(message)
    return f"Look at {own}: the last of your own lines before the error." if own else ""


def of_exit(exit_code: int | None, signum: int | None) -> str:
    """Return the same for a process that ended without an error of its own."""
    if signum in _CRASHES:
        return (
            "Compiled code crashed. Run the task on the same inputs with PYTHONFAULTHANDLER=1 in its environment: its "
            "log then says where."
        )
    if signum is not None:
        return (
            "Something ended it from outside: somebody's hand, or the host for its memory. A new attempt may do; if "
            "it comes again, hold tasks to less memory, with Resources(mem=...) in their limits."
        )
    if exit_code is not None:
        return (
            "Look for what ends the process, such as sys.exit or os._exit, or compiled code: a task that raises an "
            "exception instead is told with its traceback."
        )
    return ""


_CRASHES = (signal.SIGSEGV, signal.SIGBUS, signal.SIGILL, signal.SIGFPE, signal.SIGABRT)
