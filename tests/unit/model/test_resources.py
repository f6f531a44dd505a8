"""Requests, limits, overrides and what the platform allows."""

from __future__ import annotations

import pytest
from flyteidl.core import tasks_pb2

from dayfly.model import resources
from dayfly.model.resources import Ceiling, Sizes

KINDS = {
    "cpu": tasks_pb2.Resources.CPU,
    "mem": tasks_pb2.Resources.MEMORY,
    "gpu": tasks_pb2.Resources.GPU,
    "disk": tasks_pb2.Resources.EPHEMERAL_STORAGE,
}
GIBI = 2**30


def ask(requests: str = "", limits: str = "") -> tasks_pb2.Resources:
    made = tasks_pb2.Resources()
    for text, entries in ((requests, made.requests), (limits, made.limits)):
        for word in text.split():
            name, _, value = word.partition("=")
            entries.add(name=KINDS[name], value=value)
    return made


@pytest.mark.parametrize(
    ("asked", "ceiling", "sizes"),
    [
        (ask(), Ceiling(), Sizes()),
        (ask("cpu=500m"), Ceiling(), Sizes(0.5, 0.5)),
        (ask("", "mem=1Gi"), Ceiling(), Sizes(0, 0, GIBI, GIBI)),
        (ask("cpu=1 mem=1Gi", "cpu=2 mem=2Gi"), Ceiling(), Sizes(1, 2, GIBI, 2 * GIBI)),
        (ask("cpu=4 mem=4Gi"), Ceiling(2, GIBI), Sizes(2, 2, GIBI, GIBI)),
        (ask("cpu=1", "cpu=8"), Ceiling(cpu=2), Sizes(1, 2)),
        (ask(), Ceiling(2, GIBI), Sizes(0, 2, 0, GIBI)),
    ],
)
def test_sizes_are_settled(asked: tasks_pb2.Resources, ceiling: Ceiling, sizes: Sizes) -> None:
    assert resources.settle(asked, ceiling) == sizes


@pytest.mark.parametrize(
    ("own", "node", "merged"),
    [
        (ask("cpu=1 mem=1Gi"), ask("cpu=2"), ask("cpu=2 mem=1Gi")),
        (ask("cpu=1", "cpu=2"), ask("cpu=4"), ask("cpu=4", "cpu=4")),
        (ask("cpu=2", "cpu=2"), ask("", "cpu=1"), ask("cpu=1", "cpu=1")),
        (ask(), ask("mem=1Gi", "mem=2Gi"), ask("mem=1Gi", "mem=2Gi")),
    ],
)
def test_a_node_says_the_last_word(
    own: tasks_pb2.Resources, node: tasks_pb2.Resources, merged: tasks_pb2.Resources
) -> None:
    assert resources.merge(own, node) == merged


def test_what_is_above_the_platforms_limits_is_named() -> None:
    asked = ask("cpu=4 gpu=1 disk=1Ti", "mem=2Gi gpu=1")
    assert resources.find_excess(asked, Ceiling()) == []
    told = resources.find_excess(asked, Ceiling(2, GIBI, 10**11, 2))
    assert told == [
        "the request of cpu is 4; this platform allows 2",
        "the request of ephemeral storage is 1Ti; this platform allows 100000000000",
        "the limit of memory is 2Gi; this platform allows 1073741824",
    ]
