"""Where the boxes and lines of a graph go: in layers from top to bottom, each box below all that it waits for.

Pure. What is unfolded is a box around its own graph. A level of too many nodes has them stacked by layer and name.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from dayfly.console.run.flows import Flow

WIDTH, HEIGHT = 184.0, 44.0
"""Of a node's box, in pixels."""

BETWEEN, BELOW = 20.0, 40.0
"""Room between boxes of a layer, and between layers."""

PADDING, TITLE = 14.0, 30.0
"""Of a group: around its graph, and its title's height."""

LARGE = 150
"""Nodes of a level from which on alike ones are stacked; and boxes that are shown at the most."""

LONG = 2000
"""Layers that lines pass together; where it is more, they are drawn straight."""

SWEEPS = 4
"""Rounds of sorting and moving; more change little."""

_TURN = 14.0
"""Room for a line that passes a layer."""


@dataclass(frozen=True)
class Level:
    """One level to draw: its flow, whose it is, and which of its nodes are unfolded."""

    flow: Flow
    owner: str = ""
    """The node execution that it is inside of; empty at the top."""
    unfolded: Mapping[str, Level] = field(default_factory=dict)


@dataclass(frozen=True)
class Box:
    """A node, a stack of alike ones, or a group with its graph inside."""

    owner: str
    specs: tuple[str, ...]
    x: float
    y: float
    width: float
    height: float
    group: bool = False


@dataclass(frozen=True)
class Picture:
    """A whole graph. Groups come before what is in them."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[tuple[tuple[float, float], ...], ...]
    """Points from a box's lower edge to another's upper one."""
    hidden: int = 0
    """Nodes that there was no room for."""


@dataclass
class _Item:
    specs: tuple[str, ...]
    layer: int
    width: float = WIDTH
    height: float = HEIGHT
    inner: Picture | None = None
    up: list[int] = field(default_factory=list)
    down: list[int] = field(default_factory=list)
    middle: float = 0.0


def arrange(level: Level) -> Picture:
    """Return the graph of a level, with that of each unfolded node in it."""
    items, hidden = _items(level)
    lines = _lines(items)
    layers = _layers(items)
    for sweep in range(SWEEPS):
        _sort(items, layers, downwards=sweep % 2 == 0)
    for sweep in range(SWEEPS):
        _move(items, layers, downwards=sweep % 2 == 0)
    return _picture(level, items, layers, lines, hidden)


def depths(flow: Flow) -> dict[str, int]:
    """Return the layer of each node: one below the lowest that it waits for."""
    found = dict.fromkeys(flow.parts, 0)
    waits = {spec: {one for one in part.upstream if one in found} for spec, part in flow.parts.items()}
    below: dict[str, list[str]] = {spec: [] for spec in found}
    for spec, before in waits.items():
        for one in before:
            below[one].append(spec)
    missing = {spec: len(before) for spec, before in waits.items()}
    ready = [spec for spec, count in missing.items() if not count]
    for spec in ready:  # It grows meanwhile.
        for one in below[spec]:
            found[one] = max(found[one], found[spec] + 1)
            missing[one] -= 1
            if not missing[one]:
                ready.append(one)
    return found


def _items(level: Level) -> tuple[list[_Item], int]:
    """Return nodes or stacks of them, with the ways between; and how many nodes are left out."""
    parts, layer_of = level.flow.parts, depths(level.flow)
    large = len(parts) > LARGE
    stacks: dict[object, list[str]] = {}
    for spec in sorted(parts, key=layer_of.__getitem__) if large else parts:
        alone = not large or spec in level.unfolded
        stacks.setdefault(spec if alone else (layer_of[spec], parts[spec].name, parts[spec].kind), []).append(spec)
    items: list[_Item] = []
    where: dict[str, int] = {}
    for specs in list(stacks.values())[:LARGE]:
        where.update(dict.fromkeys(specs, len(items)))
        items.append(_item(level, specs, layer_of[specs[0]]))
    for spec, at in where.items():
        for before in parts[spec].upstream:
            above = where.get(before)
            if above is not None and above not in items[at].up and items[above].layer < items[at].layer:
                items[at].up.append(above)
                items[above].down.append(at)
    return items, len(parts) - len(where)


def _item(level: Level, specs: Sequence[str], layer: int) -> _Item:
    item = _Item(tuple(specs), layer)
    inside = level.unfolded.get(specs[0]) if len(specs) == 1 else None
    if inside is not None and inside.flow.parts:
        item.inner = arrange(inside)
        item.width = max(WIDTH, item.inner.width + 2 * PADDING)
        item.height = item.inner.height + PADDING + TITLE
    return item


def _lines(items: list[_Item]) -> list[list[int]]:
    """Return each way as the items that it goes through; one that passes a layer gets an item of its own there."""
    ways = [(above, at) for at, item in enumerate(items) for above in item.up]
    for item in items:
        item.up, item.down = [], []
    lines = []
    straight = sum(items[at].layer - items[above].layer - 1 for above, at in ways) > LONG
    for above, at in ways:
        line = [above]
        for layer in range(items[above].layer + 1, items[above].layer + 1 if straight else items[at].layer):
            items.append(_Item((), layer, _TURN, 0.0))
            line.append(len(items) - 1)
        line.append(at)
        for one, other in itertools.pairwise(line):
            items[one].down.append(other)
            items[other].up.append(one)
        lines.append(line)
    return lines


def _layers(items: list[_Item]) -> list[list[int]]:
    layers: list[list[int]] = [[] for _ in range(1 + max((item.layer for item in items), default=-1))]
    for at, item in enumerate(items):
        layers[item.layer].append(at)
    for layer in layers:
        _spread(items, layer, [0.0] * len(layer))
    return layers


def _sort(items: list[_Item], layers: list[list[int]], *, downwards: bool) -> None:
    """Order each layer by where its neighbours are, so that few lines cross."""
    for layer in layers if downwards else reversed(layers):
        layer.sort(key=lambda at: _wanted(items, at, downwards=downwards))
        _spread(items, layer, [0.0] * len(layer))


def _move(items: list[_Item], layers: list[list[int]], *, downwards: bool) -> None:
    """Bring each box below or above the middle of its neighbours, as far as the others of its layer let it."""
    for layer in layers if downwards else reversed(layers):
        _spread(items, layer, [_wanted(items, at, downwards=downwards) for at in layer])


def _wanted(items: list[_Item], at: int, *, downwards: bool) -> float:
    neighbours = items[at].up if downwards else items[at].down
    return fmean(items[one].middle for one in neighbours) if neighbours else items[at].middle


def _spread(items: list[_Item], layer: list[int], wanted: list[float]) -> None:
    """Put a layer's boxes as near as can be to where they are wanted, in their order and without overlaps."""
    offsets, right = [], 0.0
    for at in layer:
        offsets.append(right + items[at].width / 2)
        right += items[at].width + BETWEEN
    # Least squares under an order: neighbours that want to swap share the mean of what they want.
    pools: list[tuple[float, int]] = []
    for want, offset in zip(wanted, offsets, strict=True):
        mean, count = want - offset, 1
        while pools and pools[-1][0] > mean:
            other, size = pools.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        pools.append((mean, count))
    shifts = [mean for mean, count in pools for _ in range(count)]
    for at, offset, shift in zip(layer, offsets, shifts, strict=True):
        items[at].middle = offset + shift


def _picture(level: Level, items: list[_Item], layers: list[list[int]], lines: list[list[int]], hidden: int) -> Picture:
    left = min((item.middle - item.width / 2 for item in items), default=0.0)
    right = max((item.middle + item.width / 2 for item in items), default=0.0)
    boxes: list[Box] = []
    inner: list[tuple[tuple[float, float], ...]] = []
    tops, y = [0.0] * len(items), 0.0
    for layer in layers:
        tallest = max((items[at].height for at in layer), default=0.0)
        for at in layer:
            tops[at] = y
            if items[at].specs:
                _draw(level, items[at], items[at].middle - items[at].width / 2 - left, y, boxes, inner)
            else:
                items[at].height = tallest  # A line passes the whole layer.
        y += tallest + BELOW
    drawn = tuple(_points(line, items, tops, left) for line in lines)
    return Picture(right - left, max(0.0, y - BELOW), tuple(boxes), (*drawn, *inner), hidden + _hidden(items))


def _draw(
    level: Level,
    item: _Item,
    x: float,
    y: float,
    boxes: list[Box],
    lines: list[tuple[tuple[float, float], ...]],
) -> None:
    boxes.append(Box(level.owner, item.specs, x, y, item.width, item.height, item.inner is not None))
    if item.inner is None:
        return
    dx, dy = x + (item.width - item.inner.width) / 2, y + TITLE
    for box in item.inner.boxes:
        boxes.append(Box(box.owner, box.specs, box.x + dx, box.y + dy, box.width, box.height, box.group))
    lines += [tuple((px + dx, py + dy) for px, py in line) for line in item.inner.lines]


def _points(line: list[int], items: list[_Item], tops: list[float], left: float) -> tuple[tuple[float, float], ...]:
    points = [(items[line[0]].middle - left, tops[line[0]] + items[line[0]].height)]
    for at in line[1:-1]:
        points += [(items[at].middle - left, tops[at]), (items[at].middle - left, tops[at] + items[at].height)]
    return (*points, (items[line[-1]].middle - left, tops[line[-1]]))


def _hidden(items: list[_Item]) -> int:
    return sum(item.inner.hidden for item in items if item.inner)
