"""Who may have whose cluster, and what such a cluster knows before it is anybody's."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest
from flyteidl.core import tasks_pb2

from dayfly.executors.dask import observing
from dayfly.executors.dask import spec as specs
from dayfly.executors.dask.local import groups, reports
from dayfly.model import identifiers
from dayfly.model.identifiers import AttemptKey
from dayfly.ports import clusters, executors, process_groups
from dayfly.ports.process_groups import Standby

ARGV = ("pyflyte-execute", "--resolver", "flytekit.x.y", "--", "task-module", "wf", "task-name", "t")


def attempt(
    key: str = "p/d/e/n0/0", own: tuple[tuple[str, str], ...] = (("OWN", "1"),), **changes: object
) -> executors.AttemptSpec:
    template = tasks_pb2.TaskTemplate(type="dask")
    template.custom.update({"workers": {"numberOfWorkers": 2}, "dayfly": {"reuse": {"idle_seconds": 60}}})
    for name, value in own:
        template.container.env.add(key=name, value=value)
    made = executors.AttemptSpec(
        key=AttemptKey(key),
        generated_name=key.replace("/", "-"),
        task=identifiers.EntityId(1, "p", "d", "wf.t", "v1"),
        task_type="dask",
        template=template.SerializeToString(),
        argv=ARGV,
        env={**dict(own), "FLYTE_INTERNAL_EXECUTION_ID": key.split("/")[2]},
    )
    return msgspec.structs.replace(made, **changes)


def group_of(
    spec: clusters.ClusterSpec, *, python: str = "/env/bin/python", distribution: str = "/cache/code"
) -> process_groups.GroupSpec:
    return groups.build(
        spec,
        python=python,
        distribution=distribution,
        working_dir=f"/work/{spec.key}",
        log_dir=f"/logs/{spec.key}",
        cpu_request=2.0,
        memory_request_bytes=2**30,
    )


def standby_of(spec: clusters.ClusterSpec, **rest: str) -> Standby:
    standby = group_of(spec, **rest).standby
    assert standby is not None
    return standby


def custom(**told: object) -> executors.AttemptSpec:
    made = attempt()
    template = tasks_pb2.TaskTemplate.FromString(made.template)
    template.custom.update({name: {**dict(template.custom[name]), **value} for name, value in told.items()})
    return msgspec.structs.replace(made, template=template.SerializeToString())


def with_group(**changes: object) -> clusters.ClusterSpec:
    spec = specs.build(attempt())
    return msgspec.structs.replace(spec, groups=(msgspec.structs.replace(spec.groups[0], **changes),))


SAME = standby_of(specs.build(attempt()))


def test_the_next_attempt_of_the_same_task_may_have_it():
    later = attempt("p/d/other/n3/2", env={"OWN": "1", "FLYTE_INTERNAL_EXECUTION_ID": "other", "FLYTE_NEW": "x"})
    spec = msgspec.structs.replace(specs.build(later), notes=("fitted",), startup_timeout_seconds=7.0)
    assert standby_of(spec) == SAME
    driver = msgspec.structs.replace(spec.driver, argv=(*ARGV[:-1], "other"), memory_limit_bytes=2**32)
    assert standby_of(msgspec.structs.replace(spec, driver=driver)) == SAME


def test_nothing_stands_by_where_nobody_asked():
    assert group_of(msgspec.structs.replace(specs.build(attempt()), reuse_seconds=0.0)).standby is None


@pytest.mark.parametrize(
    "other",
    [
        lambda: standby_of(specs.build(attempt("q/d/e/n0/0"))),
        lambda: standby_of(specs.build(attempt("p/other/e/n0/0"))),
        lambda: standby_of(specs.build(attempt()), python="/other/bin/python"),
        lambda: standby_of(specs.build(attempt()), distribution="/cache/other"),
        lambda: standby_of(specs.build(attempt(argv=(*ARGV[:-3], "other", *ARGV[-2:])))),
        lambda: standby_of(specs.build(attempt(own=(("OWN", "2"),)))),
        lambda: standby_of(specs.build(attempt(own=(("OWN", "1"), ("MORE", "1"))))),
        lambda: standby_of(specs.build(custom(workers={"numberOfWorkers": 3}))),
        lambda: standby_of(specs.build(custom(dayfly={"config": {"distributed.worker.memory.target": 0.5}}))),
        lambda: standby_of(specs.build(custom(dayfly={"groups": [{"name": "more"}]}))),
        lambda: standby_of(with_group(threads=7)),
        lambda: standby_of(with_group(memory_limit_bytes=2**31)),
        lambda: standby_of(with_group(nanny=False, memory_limit_bytes=2**30)),
        lambda: standby_of(with_group(env={"MINE": "1"})),
        lambda: standby_of(
            msgspec.structs.replace(
                specs.build(attempt()),
                scheduler=clusters.SchedulerSpec(resources=clusters.RoleResources(memory_limit_bytes=2**30)),
            )
        ),
    ],
)
def test_whoever_asks_for_anything_else_may_not(other: Callable[[], Standby]):
    assert other().key != SAME.key


def test_what_stands_by_knows_nothing_of_an_attempt():
    asked = specs.build(attempt(env={"OWN": "1", "FLYTE_INTERNAL_EXECUTION_ID": "e", "DASK_X": "1", "LATE": "1"}))
    scheduler, *workers = standby_of(asked).roles
    assert scheduler.env == {"OWN": "1", "DASK_X": "1"}
    assert scheduler.arguments == {"wanted": 2, "standing": True}
    assert [role.name for role in workers] == ["worker-0", "worker-1"]
    for worker in workers:
        assert worker.env == {**groups.NANNY_ENVIRONMENT, "OWN": "1", "DASK_X": "1"}
        assert worker.arguments["standing"] is True
    assert b"p/d/e" not in msgspec.json.encode(standby_of(asked).roles)


def test_the_attempts_reason_says_that_it_stood_by():
    told = process_groups.GroupReport("p/d/e/n0/0", 1, "running", facts={"stood_by": True})
    report = reports.translate(AttemptKey("p/d/e/n0/0"), told, wanted=2, logs=())
    assert observing.observe(report).reason == "A warm cluster stood by."
    assert observing.observe(report, ("It was fitted.",)).reason == "A warm cluster stood by. It was fitted."
    made = msgspec.structs.replace(report, stood_by=False)
    assert observing.observe(made, ("It was fitted.",)).reason == "It was fitted."
