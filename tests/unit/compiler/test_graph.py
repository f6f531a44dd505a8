"""Edges, cycles, reachability; and that large graphs are no trouble."""

from __future__ import annotations

import graphlib

from hypothesis import given
from hypothesis import strategies as st

from dayfly.compiler import graph


def test_a_sound_graph_has_no_cycles():
    edges = {"a": set(), "b": {"a"}, "c": {"a", "b"}}
    assert graph.find_cycles(edges) == []
    assert graph.find_unreachable(graph.connect(edges, ())) == []


def test_start_and_end_hold_what_hangs_loose():
    assert graph.connect({"a": set(), "b": {"a"}, "c": set()}, {"a"}) == {
        "a": {"start-node"},
        "b": {"a"},
        "c": {"start-node"},
        "end-node": {"a", "b", "c"},
    }


def test_each_group_that_waits_for_itself_is_told_once():
    edges = {"a": {"b"}, "b": {"a", "c"}, "c": {"b"}, "x": {"y", "a"}, "y": {"x"}, "z": {"x"}}
    found = graph.find_cycles(edges)
    assert len(found) == 2
    for cycle in found:
        for before, after in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            assert before in edges[after]


def test_long_chains_and_rings_need_no_recursion():
    size = 20_000
    chain = {f"n{index}": {f"n{index - 1}"} if index else set() for index in range(size)}
    assert graph.find_cycles(chain) == []
    ring = {**chain, "n0": {f"n{size - 1}"}}
    (cycle,) = graph.find_cycles(ring)
    assert len(cycle) == size
    assert graph.find_unreachable(graph.connect(ring, ())) == ["end-node", *sorted(ring)]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.sets(st.sampled_from("abcdefgh")), min_size=1))
def test_cycles_are_found_where_there_are_some(drawn):
    edges = {node: befores & drawn.keys() for node, befores in drawn.items()}
    cycles = graph.find_cycles(edges)
    try:
        graphlib.TopologicalSorter(edges).prepare()
    except graphlib.CycleError:
        assert cycles
    else:
        assert not cycles
        assert graph.find_unreachable(graph.connect(edges, ())) == []
    for cycle in cycles:
        assert all(cycle[index - 1] in edges[node] for index, node in enumerate(cycle))
