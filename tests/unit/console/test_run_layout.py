"""Where a graph's boxes and lines go."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from dayfly.console.run import layout
from dayfly.console.run.flows import Flow, Part
from dayfly.console.run.layout import Box, Level, Picture


def flow(**upstream: str) -> Flow:
    return Flow({spec: Part(spec, "task", tuple(before.split())) for spec, before in upstream.items()})


def box(picture: Picture, spec: str) -> Box:
    return next(one for one in picture.boxes if spec in one.specs)


def overlap(one: Box, other: Box) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


def test_a_node_is_below_all_that_it_waits_for() -> None:
    picture = layout.arrange(Level(flow(a="", b="a", c="a", d="b c", e="a d")))
    assert box(picture, "a").y < box(picture, "b").y == box(picture, "c").y < box(picture, "d").y < box(picture, "e").y


def test_a_chain_is_a_straight_line() -> None:
    picture = layout.arrange(Level(flow(a="", b="a", c="b")))
    assert len({one.x for one in picture.boxes}) == 1
    assert all(x == line[0][0] for line in picture.lines for x, _ in line)


def test_a_line_that_passes_a_layer_goes_around_its_boxes() -> None:
    picture = layout.arrange(Level(flow(a="", b="a", c="a b")))
    middle = box(picture, "b")
    passing = next(line for line in picture.lines if len(line) > 2)
    assert not middle.x < passing[1][0] < middle.x + middle.width


def test_what_is_unfolded_is_a_box_around_its_own_graph() -> None:
    inner = Level(flow(x="", y="x"), "b")
    picture = layout.arrange(Level(flow(a="", b="a", c="b"), "", {"b": inner}))
    group, x, y = box(picture, "b"), box(picture, "x"), box(picture, "y")
    assert group.group and not x.group
    assert (group.owner, x.owner) == ("", "b")
    assert group.x <= x.x and x.x + x.width <= group.x + group.width
    assert group.y < x.y < y.y and y.y + y.height <= group.y + group.height
    assert box(picture, "c").y >= group.y + group.height


def test_alike_nodes_of_a_large_level_are_stacked() -> None:
    parts = {f"n{at}": Part("score", "task", (f"n{at - 100}",) if at >= 100 else ()) for at in range(10_000)}
    picture = layout.arrange(Level(Flow(parts)))
    assert [len(one.specs) for one in picture.boxes] == [100] * 100
    assert len(picture.lines) == 99
    assert picture.hidden == 0


def test_what_has_no_room_is_told() -> None:
    parts = {f"n{at}": Part(f"task{at}", "task") for at in range(1000)}
    picture = layout.arrange(Level(Flow(parts)))
    assert (len(picture.boxes), picture.hidden) == (layout.LARGE, 1000 - layout.LARGE)


def test_nothing_is_an_empty_picture() -> None:
    assert layout.arrange(Level(Flow())) == Picture(0, 0, (), ())


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    count = draw(st.integers(0, 24))
    parts = {}
    for at in range(count):
        before = draw(st.sets(st.integers(0, at - 1), max_size=4)) if at else set()
        parts[f"n{at}"] = Part(f"t{at % 5}", "task", tuple(f"n{one}" for one in sorted(before)))
    return Flow(parts)


@settings(max_examples=150, deadline=None)
@given(flows())
def test_boxes_never_overlap_and_are_within_the_picture(given_flow: Flow) -> None:
    picture = layout.arrange(Level(given_flow))
    assert sorted(one.specs[0] for one in picture.boxes) == sorted(given_flow.parts)
    for one, other in itertools.combinations(picture.boxes, 2):
        assert not overlap(one, other)
    for one in picture.boxes:
        assert one.x >= -0.01 and one.x + one.width <= picture.width + 0.01
        assert one.y >= 0 and one.y + one.height <= picture.height + 0.01
    # A line begins below the box that is waited for, and ends above the one that waits.
    assert len(picture.lines) == sum(len(part.upstream) for part in given_flow.parts.values())
    assert all(line[0][1] < line[-1][1] for line in picture.lines)
