"""Dask tasks that die, each in a way of its own: on a worker or in the driver, on clusters with nothing amiss."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import distributed
from death_marks import mark
from flytekit import Resources, task
from flytekitplugins.dask import Dask, WorkerGroup

SMALL = Dask(workers=WorkerGroup(number_of_workers=2, limits=Resources(cpu="250m", mem="400Mi")))

MEBI = 1 << 20


# -- what tasks do on workers -------------------------------------------------------------------------------------
def bomb(folder: str) -> int:
    mark(folder)
    held = []
    for _ in range(80):
        held.append(bytearray(os.urandom(16)) * MEBI)
        time.sleep(0.02)
    return len(held)


def leave(folder: str) -> int:
    mark(folder)
    os._exit(7)


def crash(folder: str) -> int:
    mark(folder)
    os.kill(os.getpid(), signal.SIGSEGV)
    return wait_for_the_end()


def killed(folder: str) -> int:
    mark(folder)
    os.kill(os.getpid(), signal.SIGKILL)
    return wait_for_the_end()


def terminated(folder: str) -> int:
    """Be asked to end, as by somebody who looks after the host, and go on until the worker does end."""
    mark(folder)
    os.kill(os.getpid(), signal.SIGTERM)
    return outlast_the_worker()


def import_missing(folder: str) -> int:
    mark(folder)
    import no_such_module_at_all

    return no_such_module_at_all.x


def unpicklable(folder: str) -> object:
    mark(folder)
    return threading.Lock()


def raising(folder: str) -> int:
    mark(folder)
    raise ValueError("1 is not what was expected")


def no_memory(folder: str) -> int:
    mark(folder)
    return len(bytearray(1 << 60))


def no_disk(folder: str) -> int:
    mark(folder)
    with open("/dev/full", "w") as full:
        full.write("x" * MEBI)
    return 0


def sys_exit(folder: str) -> int:
    mark(folder)
    sys.exit(3)


def loses_its_connection(folder: str) -> int:
    """Have the way from its worker to the scheduler cut."""
    mark(folder)
    cut_connections_to(distributed.get_worker().scheduler.address)
    return outlast_the_worker()


def outlast_the_worker() -> int:
    """Go on while the worker closes, so that it never has a result, but not as long as it waits for its tasks."""
    while distributed.get_worker().status is distributed.Status.running:
        time.sleep(0.01)
    time.sleep(0.5)
    return 0


def wait_for_the_end() -> int:
    time.sleep(1000)
    return 0


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def cut_connections_to(address: str) -> None:
    """Cut what this process has of TCP connections to an address of Dask's."""
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    for number in os.listdir("/proc/self/fd"):
        # Of what is no socket, or not connected, this is an error.
        with contextlib.suppress(OSError), socket.socket(fileno=os.dup(int(number))) as one:
            if one.getpeername() == (host, int(port)):
                one.shutdown(socket.SHUT_RDWR)


class Sour:
    """Can be pickled, and never again unpickled."""

    def __setstate__(self, state: object) -> None:
        raise ValueError("this was kept by another version")

    def __init__(self) -> None:
        self.kept = 1


def give_sour(folder: str) -> Sour:
    mark(folder)
    return Sour()


ON_WORKERS = {
    one.__name__: one
    for one in (
        bomb,
        leave,
        crash,
        killed,
        terminated,
        import_missing,
        unpicklable,
        raising,
        no_memory,
        no_disk,
        sys_exit,
        give_sour,
        loses_its_connection,
    )
}


@task(task_config=SMALL)
def on_worker(way: str, folder: str) -> str:
    client = distributed.Client()
    return str(client.submit(ON_WORKERS[way], folder).result())


# -- what drivers do ----------------------------------------------------------------------------------------------
def raises(client: distributed.Client) -> object:
    raise RuntimeError("the driver had enough")


def kills_itself(client: distributed.Client) -> object:
    os.kill(os.getpid(), signal.SIGKILL)
    return wait_for_the_end()


def exits(client: distributed.Client) -> object:
    os._exit(3)


def sends_a_lock(client: distributed.Client) -> object:
    lock = threading.Lock()
    return client.submit(lambda: lock).result()


def wants_no_such_worker(client: distributed.Client) -> object:
    return client.submit(nap, 0, resources={"GPU": 1}).result(timeout=15)


def kills_the_scheduler(client: distributed.Client) -> object:
    client.run_on_scheduler(lambda: os.kill(os.getpid(), signal.SIGKILL))
    return wait_for_the_end()


def kills_its_supervisor(client: distributed.Client) -> object:
    os.kill(os.getppid(), signal.SIGKILL)
    return wait_for_the_end()


def shuts_down(client: distributed.Client) -> object:
    client.shutdown()
    return distributed.Client(os.environ["DASK_SCHEDULER_ADDRESS"], timeout=2).submit(nap, 0).result()


def loses_data(client: distributed.Client) -> object:
    [kept] = client.scatter([[1, 2, 3]])
    holder = next(iter(client.who_has([kept])[kept.key]))
    client.submit(os.kill, int(client.run(os.getpid, workers=[holder])[holder]), signal.SIGKILL)
    while holder in client.scheduler_info()["workers"]:
        time.sleep(0.01)
    return client.submit(sum, kept).result(timeout=30)


def closes_the_port(client: distributed.Client) -> object:
    """Leave the scheduler alive, and nobody can connect to it any more."""
    client.run_on_scheduler(_stop_listening)
    return distributed.Client(os.environ["DASK_SCHEDULER_ADDRESS"], timeout=2).submit(nap, 0).result()


def _stop_listening(dask_scheduler: distributed.Scheduler) -> None:
    for listener in dask_scheduler.listeners:
        listener.stop()


def is_cut_off(client: distributed.Client) -> object:
    waited = client.submit(nap, 30)
    cut_connections_to(os.environ["DASK_SCHEDULER_ADDRESS"])
    return waited.result()


def sends_what_the_scheduler_cannot_import(client: distributed.Client) -> object:
    folder = tempfile.mkdtemp()
    Path(folder, "only_here.py").write_text("def double(x):\n    return 2 * x\n")
    sys.path.insert(0, folder)
    import only_here

    return client.submit(only_here.double, 1).result()


def sends_what_cannot_be_unpickled(client: distributed.Client) -> object:
    return client.submit(str, Sour()).result()


IN_DRIVER = {
    one.__name__: one
    for one in (
        raises,
        kills_itself,
        exits,
        sends_a_lock,
        wants_no_such_worker,
        kills_the_scheduler,
        kills_its_supervisor,
        shuts_down,
        loses_data,
        closes_the_port,
        is_cut_off,
        sends_what_the_scheduler_cannot_import,
        sends_what_cannot_be_unpickled,
    )
}


@task(task_config=SMALL)
def in_driver(way: str, folder: str) -> str:
    client = distributed.Client()
    mark(folder)
    return str(IN_DRIVER[way](client))
