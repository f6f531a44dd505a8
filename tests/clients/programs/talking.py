"""A Dask task whose driver and workers write to their logs until they are told to stop."""

import logging
import os
import time

from distributed import Client, get_worker
from flytekit import task
from flytekitplugins.dask import Dask, WorkerGroup


def talk(number: int) -> int:
    print(f"{get_worker().name} works on part {number}")
    logging.getLogger("distributed.talking").warning("careful with part %s", number)
    return number


@task(task_config=Dask(workers=WorkerGroup(number_of_workers=2)))
def talks(until: str) -> int:
    client = Client()
    print("the driver begins")
    done = 0
    while not os.path.exists(until) or done < 8:
        done += len(client.gather(client.map(talk, range(done, done + 4), pure=False)))
        time.sleep(0.05)
    time.sleep(0.6)  # The log is looked at four times a second.
    print("the driver ends")
    return done
