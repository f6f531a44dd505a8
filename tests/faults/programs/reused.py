"""Tasks whose clusters may be reused: each looks for traces of others, and then leaves as many as it can."""

import json
import os
import socket
import tempfile

import distributed
from flytekit import task

from dayfly.dask import DaskCluster, Reuse, Workers

LEFT: list = []


def look(dask_worker: object = None, dask_scheduler: object = None) -> dict:
    """Return whose process this is, and what others have left in it."""
    return {
        "execution": os.environ["FLYTE_INTERNAL_EXECUTION_ID"],
        "project": os.environ["FLYTE_INTERNAL_EXECUTION_PROJECT"],
        "pid": os.getpid(),
        "traces": [
            *LEFT,
            *getattr(dask_worker or dask_scheduler, "left", ()),
            *(name for name in os.environ if name.startswith("LEFT")),
            *(name for name in os.listdir(".") if name.startswith("left")),
            *(name for name in os.listdir(tempfile.gettempdir()) if name.startswith("left")),
            *map(str, getattr(dask_scheduler, "tasks", ())),
        ],
    }


def leave(dask_worker: object = None, dask_scheduler: object = None) -> None:
    """Leave traces wherever `look` looks."""
    LEFT.append("global")
    if one := dask_worker or dask_scheduler:
        one.left = ["attribute"]
    os.environ["LEFT_BEHIND"] = "variable"
    for folder in (".", tempfile.gettempdir()):
        with open(os.path.join(folder, f"left{os.getpid()}"), "w") as file:
            file.write("file")


def visit() -> str:
    with distributed.Client() as client:
        found = [look(), client.run_on_scheduler(look), *client.run(look).values()]
        found[0]["traces"] += client.list_datasets()
        client.publish_dataset(kept=client.submit(socket.gethostname))
        for task_of in (client.run_on_scheduler, client.run):
            task_of(leave)
        leave()
        seen_again = [look(), client.run_on_scheduler(look), *client.run(look).values()]
        assert all(len(each["traces"]) >= 4 for each in seen_again), "what is left can be seen"
    return json.dumps(found)


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2), min_workers=2, reuse=Reuse(idle_seconds=300)))
def reusing() -> str:
    return visit()


@task(task_config=DaskCluster(workers=Workers(number_of_workers=2), min_workers=2, reuse=Reuse(idle_seconds=0.5)))
def briefly() -> str:
    return visit()
