"""Literals of every type as HTML. Pure: what lies in files is shown by `static/panel.js`, when it comes in sight.

Whatever the values say is text, cut where it is long; addresses are never links.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgpack
from flyteidl.core import types_pb2
from markupsafe import Markup

from dayfly.base.clock import Micros
from dayfly.console import markup, wording
from dayfly.model import literals, structs, type_names

MAX_TEXT = 4000
"""Characters of one text; what is longer is cut, and the cut is said."""

MAX_PARTS = 20
"""Parts of one list or map that are shown one by one."""

MAX_ALL_PARTS = 300
"""Parts of all lists and maps within one value together: each level may multiply them."""

MAX_DEPTH = 5

SHORT = 90
"""Characters of what fits in a line."""


_STORED = re.compile(r"/|(?!https?:)[a-z][a-z0-9+.]*://")
"""Addresses that a store may have; what lies on others' servers is not looked into."""


def shown(name: str, literal: Any, declared: Any = None) -> Markup:
    """Return one named value (core.Literal) with its type (core.LiteralType), the literal's own if none is told."""
    return Markup(
        '<section class="value" aria-label="{}"><h3><code>{}</code> <span class="type">{}</span></h3>{}</section>'
    ).format(name, name, _type(literal, declared), value(literal, declared))


class _Budget:
    """How many parts of one value may still be shown."""

    def __init__(self) -> None:
        self._left = MAX_ALL_PARTS

    def take(self, wanted: int) -> int:
        """Return how many of so many parts are shown."""
        taken = min(wanted, MAX_PARTS, self._left)
        self._left -= taken
        return taken


def value(literal: Any, declared: Any = None) -> Markup:
    """Return a literal."""
    return _value(literal, declared, 0, _Budget())


def _value(literal: Any, declared: Any, depth: int, budget: _Budget) -> Markup:
    kind = literal.WhichOneof("value")
    if depth >= MAX_DEPTH:
        return Markup('<span class="faint">…</span>')
    if kind == "collection":
        inner = declared.collection_type if declared is not None else None
        parts = {str(at): part for at, part in enumerate(literal.collection.literals)}
        return _parts(parts, inner, depth, budget, "item")
    if kind == "map":
        inner = declared.map_value_type if declared is not None else None
        parts = {name: literal.map.literals[name] for name in sorted(literal.map.literals)}
        return _parts(parts, inner, depth, budget, "entry")
    if kind == "offloaded_metadata":
        told = literal.offloaded_metadata
        return _file(told.uri, f"kept by itself, {wording.size(told.size_bytes)}")
    if kind == "scalar":
        return _scalar(literal.scalar, declared, depth, budget)
    return Markup('<span class="faint">empty</span>')


def text(told: str) -> Markup:
    """Return text as it is, whole or cut."""
    cut = f"… ({len(told):,} characters)" if len(told) > MAX_TEXT else ""
    if len(told) <= SHORT and "\n" not in told:
        return Markup('<span class="text">{}</span>').format(told or "“”")
    return markup.block(told[:MAX_TEXT] + cut, "Text")


def _type(literal: Any, declared: Any) -> str:
    if declared is None:
        try:
            declared = literals.literal_type(literal)
        except literals.LiteralWithoutType:
            return ""
    told = type_names.describe(declared)
    return told if len(told) <= SHORT else f"{told[:SHORT]}…"


def _parts(parts: Mapping[str, Any], inner: Any, depth: int, budget: _Budget, word: str) -> Markup:
    if not parts:
        return Markup('<span class="faint">none</span>')
    simple = [one.scalar for one in parts.values() if one.scalar.WhichOneof("value") in ("primitive", "none_type")]
    if word == "item" and len(simple) == len(parts):
        told = json.dumps([_primitive_text(one.primitive) for one in simple[:200]], ensure_ascii=False).replace('"', "")
        more = f" … {len(parts):,} items" if len(parts) > 200 or len(told) > MAX_TEXT else ""
        return Markup('<div class="listed"><code>{}{}</code></div>').format(told[:MAX_TEXT], more)
    count = budget.take(len(parts))  # Before those within them: what is outside is shown first.
    items = Markup("").join(
        Markup("<div><dt>{}</dt><dd>{}</dd></div>").format(name[:200], _value(part, inner, depth + 1, budget))
        for name, part in itertools.islice(parts.items(), count)
    )
    left = len(parts) - count
    more_parts = Markup('<p class="faint">and {} more</p>').format(f"{left:,}") if left > 0 else Markup("")
    if not count:
        return more_parts
    return Markup('<dl class="facts parts">{}</dl>{}').format(items, more_parts)


def _scalar(scalar: Any, declared: Any, depth: int, budget: _Budget) -> Markup:
    kind = scalar.WhichOneof("value") or ""
    if kind == "union":
        told = type_names.describe(scalar.union.type)
        inner = _value(scalar.union.value, scalar.union.type, depth + 1, budget)
        return Markup('{} <span class="type">as {}</span>').format(inner, told)
    make = _SCALARS.get(kind)
    return make(scalar, declared) if make else Markup('<span class="faint">empty</span>')


def _primitive(scalar: Any, declared: Any) -> Markup:
    primitive = scalar.primitive
    kind = primitive.WhichOneof("value")
    if kind == "datetime":
        at = Micros(primitive.datetime.ToMicroseconds())
        return Markup("{} <small>{}</small>").format(markup.moment(at), wording.moment(at))
    if kind == "string_value":
        if declared is not None and declared.WhichOneof("type") == "enum_type":
            return _enum(primitive.string_value, declared)
        return text(primitive.string_value)
    return Markup('<span class="num">{}</span>').format(_primitive_text(primitive))


def _enum(chosen: str, declared: Any) -> Markup:
    return Markup("").join(
        Markup('<span class="variant"{}>{}</span>').format(Markup(' data-chosen=""') if one == chosen else "", one)
        for one in list(declared.enum_type.values)[:MAX_PARTS]
    )


def _primitive_text(primitive: Any) -> str:
    kind = primitive.WhichOneof("value")
    if kind is None:
        return "None"
    if kind == "datetime":
        return str(primitive.datetime.ToJsonString())
    if kind == "duration":
        return wording.duration(primitive.duration.ToMicroseconds() / 1e6)
    return str(getattr(primitive, kind))


def _none(_: Any, __: Any) -> Markup:
    return Markup('<span class="faint">None</span>')


def _generic(scalar: Any, _: Any) -> Markup:
    return _tree(structs.to_plain(scalar.generic))


def _binary(scalar: Any, _: Any) -> Markup:
    raw = scalar.binary.value
    if scalar.binary.tag == literals.MSGPACK:
        try:
            return _tree(msgpack.unpackb(raw, raw=False, strict_map_key=False))
        except (ValueError, TypeError, msgpack.exceptions.UnpackException):
            return Markup('<span class="faint">{} that are no msgpack</span>').format(wording.size(len(raw)))
    return Markup('<span class="faint">{} of bytes</span>').format(wording.size(len(raw)))


def _tree(told: Any) -> Markup:
    """Return a dataclass or dict: a flat one as a table, others as JSON."""
    if isinstance(told, dict) and 0 < len(told) <= MAX_PARTS and all(_is_flat(one) for one in told.values()):
        pairs = [(str(name)[:200], text(one if isinstance(one, str) else _line(one))) for name, one in told.items()]
        return Markup('<div class="parts">{}</div>').format(markup.facts(pairs))
    return text(_json(told))


def _is_flat(told: Any) -> bool:
    parts = told if isinstance(told, list) else [told]
    return len(parts) <= MAX_PARTS and not any(isinstance(one, (dict, list)) for one in parts)


def _line(told: Any) -> str:
    return ", ".join(str(one) for one in told) if isinstance(told, list) else str(told)


def _json(told: Any) -> str:
    try:
        return json.dumps(told, indent=2, default=str, ensure_ascii=False)
    except (RecursionError, ValueError, TypeError) as error:
        return f"cannot be shown: {type(error).__name__}"


def _error(scalar: Any, _: Any) -> Markup:
    return markup.problem(scalar.error.message, scalar.error.failed_node_id)


def _blob(scalar: Any, _: Any) -> Markup:
    kind = scalar.blob.metadata.type
    word = "directory" if kind.dimensionality == types_pb2.BlobType.MULTIPART else "file"
    return _file(scalar.blob.uri, f"{word}, {kind.format}" if kind.format else word)


def _schema(scalar: Any, _: Any) -> Markup:
    return _file(scalar.schema.uri, "dataset")


def _dataset(scalar: Any, _: Any) -> Markup:
    told = scalar.structured_dataset
    return _file(told.uri, f"dataset, {told.metadata.structured_dataset_type.format or 'no format told'}")


def _file(uri: str, about: str) -> Markup:
    """Return the place of something that lies in the store; the page's script fills it."""
    asked = Markup(' data-preview="{}"').format(uri) if _STORED.match(uri) else Markup("")
    return Markup(
        '<div class="file"{}><div class="row-of"><span class="faint">{}</span>'
        '<button type="button" class="small" data-copy="{}">Copy address</button></div>'
        '<code class="uri">{}</code></div>'
    ).format(asked, about, uri, uri)


_SCALARS: Mapping[str, Callable[[Any, Any], Markup]] = {
    "primitive": _primitive,
    "none_type": _none,
    "generic": _generic,
    "binary": _binary,
    "error": _error,
    "blob": _blob,
    "schema": _schema,
    "structured_dataset": _dataset,
}
