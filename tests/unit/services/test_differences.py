from flyteidl.core import tasks_pb2

from dayfly.services import differences


def template(**fields):
    return tasks_pb2.TaskTemplate(**fields)


def test_names_paths_and_both_values():
    before = template(type="a", container={"image": "x", "args": ["1", "2"]})
    after = template(type="b", container={"image": "x", "args": ["1", "3"]})
    assert differences.tell(before, after) == "container.args[1]: '2' -> '3'; type: 'a' -> 'b'"


def test_absent_and_other_lengths():
    told = differences.tell(template(container={"args": ["1"]}), template(container={"args": ["1", "2"]}, type="t"))
    assert told == "container.args: ['1'] -> ['1', '2']; type: (absent) -> 't'"


def test_many_are_cut():
    before = template(config={f"k{n:02}": "a" for n in range(30)})
    after = template(config={f"k{n:02}": "b" * 500 for n in range(30)})
    told = differences.tell(before, after)
    assert told.endswith("and 18 more") and len(told) < 3000
