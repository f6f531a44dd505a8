"""The end of a group's other pods: who tells of them goes first, and nothing that fails is waited for."""

from __future__ import annotations

import msgspec
import pytest

from dayfly.base import errors
from dayfly.executors.kubernetes import ending, known
from dayfly.ports.pod_groups import Maker, PodGroupSpec
from tests.unit.executors.kubernetes.making import KEY, RUNNING, pod

MAKER = Maker("the operator", "x-driver", "takes", "makes", (), 3, "Absent", "look")


class Done:
    """A cluster and the logs of its pods: what is asked of both, in order; deletions of some pods fail."""

    def __init__(self, refused: str = "") -> None:
        self.done: list[object] = []
        self.seconds: list[float] = []
        self.refused = refused

    async def delete(self, kind: str, namespace: str, name: str, *, grace_seconds: float) -> None:
        self.done.append(name)
        self.seconds.append(grace_seconds)
        if name == self.refused:
            raise errors.ExecutorUnavailable("not now")

    async def delete_keepers(self, key: str, handle: known.Handle) -> None:
        self.done.append("keepers")
        if self.refused == "keepers":
            raise errors.ExecutorUnavailable("not now")

    async def wait(self, key: str, seconds: float, role: str = "") -> None:
        self.done.append(("logs of", role))
        self.seconds.append(seconds)


def group(*, teller: str = "", maker: Maker | None = None) -> known.Known:
    roles = ("driver", "worker-0", "scheduler", "worker-1")
    objects = tuple(
        {"kind": "Pod", "metadata": {"name": f"x-{role}", "labels": {"dayfly.dev/role": role}}} for role in roles
    )
    spec = PodGroupSpec(KEY, "ns", objects, "driver", teller=teller, teller_seconds=35.0, maker=maker)
    one = known.Known(KEY, msgspec.json.decode(msgspec.json.encode(known.handle_of(spec)), type=known.Handle))
    for role in roles:
        made = pod("Running", RUNNING)
        made["metadata"] |= {"name": f"x-{role}", "uid": role, "labels": {"dayfly.dev/role": role}}
        one.tell(made)
    return one


ALL = ["x-worker-0", "x-scheduler", "x-worker-1", ("logs of", "driver")]


@pytest.mark.parametrize(
    ("one", "refused", "done"),
    [
        (group(), "", ALL),
        (group(), "x-worker-0", ALL),
        (group(teller="scheduler"), "", ["x-scheduler", ("logs of", "scheduler"), *ALL]),
        (group(teller="scheduler"), "x-scheduler", ["x-scheduler", ("logs of", "scheduler"), *ALL]),
        (
            group(teller="scheduler", maker=MAKER),
            "",
            [("logs of", "scheduler"), "keepers", "x-scheduler", ("logs of", "scheduler"), *ALL],
        ),
        (
            group(teller="scheduler", maker=MAKER),
            "keepers",
            [("logs of", "scheduler"), "keepers", ("logs of", "driver")],
        ),
        (group(maker=MAKER), "", [("logs of", ""), "keepers", *ALL]),
    ],
)
async def test_who_ends_when(one: known.Known, refused: str, done: list[object]) -> None:
    cluster = Done(refused)
    await ending.Ender(cluster, cluster, cluster).end_others(one)  # type: ignore[arg-type]
    assert cluster.done == done


async def test_who_tells_of_the_others_has_time_to() -> None:
    cluster = Done()
    await ending.Ender(cluster, cluster, cluster).end_others(group(teller="scheduler"))  # type: ignore[arg-type]
    assert cluster.seconds == [35.0, 35.0, 2.0, 2.0, 2.0, 10.0]
