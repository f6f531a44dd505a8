"""Which nodes of another version stand for ours."""

from __future__ import annotations

from dayfly.console.run import history
from dayfly.console.run.flows import Flow, Part


def flow(**names: str) -> Flow:
    return Flow({spec: Part(name, "task") for spec, name in names.items()})


def test_nodes_of_the_same_id_and_name_stand_for_each_other() -> None:
    ours, theirs = flow(n0="load", n1="fit"), flow(n0="load", n1="draw")
    assert history.alike(ours, theirs, ["n0", "n1"]) == {"n0": "n0"}


def test_a_node_that_has_moved_is_found_by_its_name() -> None:
    ours, theirs = flow(n0="load", n1="clean", n2="fit"), flow(n0="load", n1="fit")
    assert history.alike(ours, theirs, ["n0", "n1", "n2"]) == {"n0": "n0", "n1": "n2"}


def test_a_name_that_several_nodes_have_says_nothing() -> None:
    ours, theirs = flow(n0="fit", n1="load"), flow(n0="load", n1="fit", n2="fit")
    assert history.alike(ours, theirs, ["n0", "n1"]) == {"n0": "n1"}
    assert history.alike(flow(n0="a", n3="fit", n4="fit"), flow(n1="fit"), ["n3", "n4"]) == {}


def test_what_is_gone_stands_for_nothing() -> None:
    assert history.alike(flow(n0="load"), Flow(), ["n0"]) == {}
