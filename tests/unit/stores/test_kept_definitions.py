"""Which versions are kept in memory, and how many."""

from flyteidl.core import identifier_pb2

from dayfly.model.identifiers import EntityId
from dayfly.ports.definitions import Definition
from dayfly.stores.kept_definitions import KeptDefinitions


def version(name: str, kind: int = identifier_pb2.TASK, size: int = 10) -> Definition:
    return Definition(EntityId(kind, "p", "d", name, "v1"), "digest", b"x" * size, 1, 1)


def test_tasks_and_workflows_are_kept_and_launch_plans_are_not():
    kept = KeptDefinitions()
    task, workflow = version("a"), version("a", identifier_pb2.WORKFLOW)
    plan = version("a", identifier_pb2.LAUNCH_PLAN)
    kept.keep([task, workflow, plan])
    assert kept.find([task.id, workflow.id, plan.id]) == {task.id: task, workflow.id: workflow}


def test_the_least_recently_used_are_dropped_first():
    kept = KeptDefinitions(limit_bytes=30)
    a, b, c, d = (version(name) for name in "abcd")
    kept.keep([a, b, c])
    kept.find([a.id])
    kept.keep([d, d])
    assert list(kept.find([a.id, b.id, c.id, d.id])) == [a.id, c.id, d.id]


def test_one_that_is_too_large_leaves_nothing_behind():
    kept = KeptDefinitions(limit_bytes=30)
    large, small = version("large", size=31), version("small")
    kept.keep([small])
    kept.keep([large])
    assert kept.find([large.id, small.id]) == {}
    kept.keep([small])
    assert kept.find([small.id]) == {small.id: small}
