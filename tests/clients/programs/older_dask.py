"""A Dask task for an environment with an older Dask."""

import distributed
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


def version(_: int) -> str:
    return distributed.__version__


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def by_which() -> list[str]:
    with distributed.Client() as client:
        on_workers = client.gather(client.map(version, range(20)))
        return sorted({distributed.__version__, client.run_on_scheduler(version, 0), *on_workers})
