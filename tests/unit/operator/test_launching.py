"""What a user's resource asks for."""

from __future__ import annotations

import pytest

from dayfly.base import errors
from dayfly.operator import launching
from tests.unit.operator.making import users

OWN = [("flytesnacks", "development")]
ALL = [("flytesnacks", "development"), ("flytesnacks", "production"), ("other", "development")]


@pytest.mark.parametrize(
    ("launch_plan", "places", "place"),
    [
        ({"name": "p"}, OWN, OWN[0]),
        # A launch plan of another project runs in one's own.
        ({"name": "p", "project": "other"}, OWN, OWN[0]),
        ({"name": "p", "project": "other"}, ALL, ("other", "development")),
        ({"name": "p", "domain": "production"}, ALL, ("flytesnacks", "production")),
        ({"name": "p", "project": "flytesnacks", "domain": "development"}, ALL, OWN[0]),
    ],
)
def test_an_execution_is_in_the_project_and_domain_of_its_namespace(
    launch_plan: dict[str, str], places: list[tuple[str, str]], place: tuple[str, str]
) -> None:
    assert launching.place_of(users(), launch_plan, places) == place


@pytest.mark.parametrize(
    ("launch_plan", "places", "said"),
    [
        ({"name": "p"}, [], "is not that of any project and domain"),
        ({"name": "p"}, ALL, "is that of several projects and domains"),
        ({"name": "p", "domain": "development"}, ALL, "is that of several projects and domains"),
        ({"name": "p", "project": "unknown"}, ALL, "is that of several projects and domains"),
    ],
)
def test_where_that_cannot_be_told_it_is_refused(
    launch_plan: dict[str, str], places: list[tuple[str, str]], said: str
) -> None:
    with pytest.raises(errors.InvalidArgument, match=said):
        launching.place_of(users(), launch_plan, places)


def test_what_is_not_said_is_left_to_the_launch_plan() -> None:
    asked = launching.options({"launchPlan": {"name": "p"}})
    assert asked.ByteSize() == 0


def test_what_is_said_is_asked_for() -> None:
    asked = launching.options(
        {"interruptible": False, "overwriteCache": True, "maxParallelism": 3, "envs": {"B": "2", "A": "1"}}
    )
    assert asked.HasField("interruptible")
    assert not asked.interruptible.value
    assert (asked.overwrite_cache, asked.max_parallelism) == (True, 3)
    assert [(one.key, one.value) for one in asked.envs.values] == [("A", "1"), ("B", "2")]
