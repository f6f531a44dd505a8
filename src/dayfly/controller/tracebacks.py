"""Makes of the traceback that flytekit writes what its reader can act on: the error first, then the user's own frames.

Called by `explaining` for each failure that a task reports. Frames of flytekit and of Dayfly go, and so does what these
call of the standard library; the user's frames and those of other libraries stay. Nothing is lost: flytekit prints the
whole to the attempt's log. The form is that of `get_traceback_str` in flytekit/bin/entrypoint.py. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

MAX_CHARACTERS = 32 * 1024
"""Longer errors are cut in the middle: they are part of the execution's state, and of every list that shows it."""

MAX_TAIL_CHARACTERS = 8 * 1024
"""What is kept of their end."""

HEADER = "Traceback (most recent call last):"

_WHOLE = re.compile(r"\ATrace:\n\n(?P<trace>.*)\nMessage:\n\n(?P<message>.*)\Z", re.DOTALL)
_INDENTATION = re.compile(r"^ {4}", re.MULTILINE)
_FRAME = re.compile(r'^(?P<lead>[\s|+-]*)File "(?P<file>[^"]+)", (?P<rest>line \d+, in .+)$')
_REPEATED = re.compile(r"^[\s|]*\[Previous line repeated \d+ more times?\]$")

_PLATFORM = re.compile(
    r"[/\\](?:site|dist)-packages[/\\](?:flytekit|flytekitplugins|dayfly)[/\\]"
    r"|[/\\]dayfly[/\\]executors[/\\](?:local[/\\]forked|dask[/\\]roles)[/\\]"
)
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
_STANDARD = re.compile(r"[/\\]lib[/\\]python3\.\d+t?[/\\]|^<frozen |[/\\]Lib[/\\]")

_OWN_CODE = re.compile(r"^.*/(?:cache/distributions/[0-9a-f]{32}|run/work/[^/]+)/")
"""Where Dayfly unpacks registered code (`executors.local.distributions`): to its author, that is where the code is."""


class _Frame(NamedTuple):
    file: str
    lines: list[str]


def readable(message: str) -> str:
    """Return an error's message as people read it. One in another form than flytekit's stays, but for its frames."""
    found = _WHOLE.match(message)
    if found is not None:
        told, trace = _dedented(found["message"]).rstrip(), _dedented(found["trace"]).rstrip()
    elif message.startswith(HEADER):
        told, trace = message.rstrip().rpartition("\n")[2], message.rstrip()
    else:
        return shorten(_without_platform(message) if HEADER in message else message)
    trace = _without_platform(trace)
    return shorten(f"{told}\n\n{trace}" if HEADER in trace else told)


def shorten(message: str) -> str:
    """Cut what is too long in the middle, and say so there."""
    if len(message) <= MAX_CHARACTERS:
        return message
    head, tail = message[: MAX_CHARACTERS - MAX_TAIL_CHARACTERS], message[-MAX_TAIL_CHARACTERS:]
    left_out = len(message) - MAX_CHARACTERS
    return f"{head}\n[... {left_out} characters are left out; the whole is in the attempt's log ...]\n{tail}"


def _dedented(text: str) -> str:
    # Not textwrap.dedent: lines of blanks alone were not indented, and a message may begin with blanks of its own.
    return _INDENTATION.sub("", text)


def _without_platform(text: str) -> str:
    return "\n".join(_kept_lines(text.split("\n")))


def _kept_lines(lines: list[str]) -> Iterator[str]:
    at = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        if not line.rstrip().endswith(HEADER):
            yield line
            continue
        frames, at = _read_frames(lines, at)
        kept = list(_kept_frames(frames))
        if kept or not frames:
            yield line
        for frame in kept:
            yield from frame.lines


def _read_frames(lines: list[str], at: int) -> tuple[list[_Frame], int]:
    """Return the frames from a line on, and the line behind them."""
    frames: list[_Frame] = []
    while at < len(lines):
        found = _FRAME.match(lines[at])
        if found is None and frames and _REPEATED.match(lines[at]):
            frames[-1].lines.append(lines[at])
            at += 1
            continue
        if found is None:
            break
        shown = _OWN_CODE.sub("", found["file"])
        frames.append(_Frame(found["file"], [f'{found["lead"]}File "{shown}", {found["rest"]}']))
        at += 1
        deeper = f"{found['lead']}  "
        while at < len(lines) and lines[at].startswith(deeper) and not _FRAME.match(lines[at]):
            frames[-1].lines.append(lines[at])
            at += 1
    return frames, at


def _kept_frames(frames: list[_Frame]) -> Iterator[_Frame]:
    within_platform = False
    for frame in frames:
        if _PLATFORM.search(frame.file):
            within_platform = True
        elif _INSTALLED.search(frame.file) or not _STANDARD.search(frame.file):
            within_platform = False
        if not within_platform:
            yield frame


def find_last_own(message: str) -> str:
    """Return the last place in the user's own code that a readable message tells; empty where there is none."""
    own = ""
    for line in message.split("\n"):
        if line.rstrip().endswith(HEADER):
            own = ""  # of several tracebacks the last one is that of what was raised in the end
        found = _FRAME.match(line)
        if found is not None and not (_INSTALLED.search(found["file"]) or _STANDARD.search(found["file"])):
            own = f"{found['file']}, {found['rest']}"
    return own
