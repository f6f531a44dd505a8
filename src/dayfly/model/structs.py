"""A `google.protobuf.Struct` as plain Python: dicts, lists, text, floats, bools, None.

Beside protobuf's own JSON conversion, which refuses infinities and turns some floats into ints, depending on version.
"""

from __future__ import annotations

from typing import Any

from google.protobuf import struct_pb2


def to_plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Return the Struct as a dict. All numbers are floats, since that is all a Struct can hold."""
    return {name: _to_plain(struct.fields[name]) for name in sorted(struct.fields)}


def _to_plain(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        return to_plain(value.struct_value)
    if kind == "list_value":
        return [_to_plain(part) for part in value.list_value.values]
    if kind is None or kind == "null_value":
        return None
    return getattr(value, kind)
