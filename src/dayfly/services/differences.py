"""Tell how two messages of one type differ, in a few lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

MAX_TOLD = 12
MAX_VALUE = 80
"""Characters of a value that are shown."""

_ABSENT = object()


def tell(before: Message, after: Message) -> str:
    """Return the differences, the first few of them, as `path: old -> new`."""
    found = list(_walk("", json_format.MessageToDict(before), json_format.MessageToDict(after)))
    shown = "; ".join(found[:MAX_TOLD])
    return f"{shown}; and {len(found) - MAX_TOLD} more" if len(found) > MAX_TOLD else shown


def _walk(path: str, before: Any, after: Any) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            yield from _walk(f"{path}.{key}" if path else key, before.get(key, _ABSENT), after.get(key, _ABSENT))
    elif _is_list(before) and _is_list(after) and len(before) == len(after):
        for at, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _walk(f"{path}[{at}]", old, new)
    else:
        yield f"{path}: {_shown(before)} -> {_shown(after)}"


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(absent)"
    text = repr(value)
    return text if len(text) <= MAX_VALUE else f"{text[:MAX_VALUE]}..."
