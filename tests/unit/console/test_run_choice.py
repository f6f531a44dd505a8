"""What is chosen on a run's page, by its address: text that anybody may write."""

from __future__ import annotations

import pytest
from flyteidl.admin import node_execution_pb2, task_execution_pb2

from dayfly.base import errors
from dayfly.console import addresses
from dayfly.console.run import element_subjects, picking, subject
from dayfly.console.run.subject import Choice

MANY_DIGITS = "1" * 5000
"""More than Python makes a number of."""


@pytest.mark.parametrize(("told", "expected"), [("2", 2), ("", None), ("-1", None), ("²", None), (MANY_DIGITS, None)])
def test_an_attempt_is_a_number_or_the_last_one(told: str, expected: int | None) -> None:
    assert subject.choice({"node": "n0", "attempt": told}) == Choice("n0", expected)


def test_an_element_whose_index_is_no_number_is_not_there() -> None:
    array = node_execution_pb2.NodeExecution()
    made = task_execution_pb2.TaskExecution()
    made.closure.metadata.external_resources.add(index=1)
    with pytest.raises(errors.NotFound):
        element_subjects.build(f"n0#{MANY_DIGITS}", array, [made])
    node, _ = element_subjects.build("n0#1", array, [made])
    assert node.id.node_id == "n0#1"


def test_what_is_about_one_log_is_left_out() -> None:
    query = {"node": "n0", "view": "graph", "line": "x:1", "log_role": "driver", "log_search": "x", "at": "3.0"}
    assert picking.without_log(query) == {"node": "n0", "view": "graph"}


def test_what_is_set_in_the_browser_s_address_is_text() -> None:
    told = addresses.setting({"tab": "\"</script>'\u2028"})
    assert r"""{"tab": "\"\u003c/script>'\u2028"}""" in told
