"""Dask clusters of a real Kubernetes: from the word to the first result, against a bare `DaskJob`.

    KUBECONFIG=... DAYFLY_TEST_CLUSTER_IMAGE=... python -m benchmarks.kubernetes_clusters [rounds] [at once]

Where `tests/cluster` can run, this can. In each round, one after the other: a `DaskJob` of the Dask operator that is
applied with kubectl, a Dask task of which Dayfly makes a `DaskJob`, and one of which it makes plain pods; two workers
each, in the same image. The first result is told by the program itself, when its cluster has computed something; the
end by whoever says that the job, or the task, has succeeded.
Then many tasks at once, as plain pods. Calls of Kubernetes' API are those of the platform, as its own metrics tell.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from tests.cluster import operators as dask_operators
from tests.platforms import launching
from tests.platforms.server import Server

IMAGE = os.environ.get("DAYFLY_TEST_CLUSTER_IMAGE", "")

PROGRAM = Path(__file__).parent / "programs" / "first_result.py"

KINDS = ("job", "pods")

NAMESPACE = f"{launching.PROJECT}-{launching.DOMAIN}"

PATIENCE_SECONDS = 300.0

BARE = """
import os, time, distributed
with distributed.Client(os.environ["DASK_SCHEDULER_ADDRESS"]) as client:
    client.wait_for_workers(2)
    assert client.submit(sum, [1, 1]).result() == 2
    print("first", time.time(), flush=True)
"""


class Took(NamedTuple):
    """Seconds from the word to the first result, and to the end being told."""

    first: float
    ended: float


def main(rounds: int = 5, at_once: int = 20) -> None:
    assert IMAGE, "DAYFLY_TEST_CLUSTER_IMAGE names no image"
    dask_operators.install()
    _kubectl("create", "namespace", NAMESPACE, check=False)
    with tempfile.TemporaryDirectory(prefix="dayfly-bench-") as folder:
        operator = dask_operators.Operator(dask_operators.NEWEST, Path(folder) / "operator.log")
        with dask_operators.defined(dask_operators.NEWEST):
            operator.start()
            try:
                _compare(Path(folder), rounds)
            finally:
                operator.stop()
        _crowd(Path(folder), at_once)


def _compare(folder: Path, rounds: int) -> None:
    servers = {kind: _server(folder, kind, kind) for kind in KINDS}
    took: dict[str, list[Took]] = {name: [] for name in ("bare", *KINDS)}
    calls: dict[str, list[float]] = {kind: [] for kind in KINDS}
    try:
        for number in range(rounds + 1):
            told = {"bare": _bare(number)}
            for kind, server in servers.items():
                before = _calls(server)
                told[kind] = _run(server)
                _until_gone()
                if number:
                    calls[kind].append(_calls(server) - before)
            if number:  # the first one of each pays for what is kept
                for name, one in told.items():
                    took[name].append(one)
    finally:
        for server in servers.values():
            server.stop()
    names = {"bare": "a bare DaskJob, by kubectl apply", "job": "a Dask task as DaskJob", "pods": "as plain pods"}
    for what, until in enumerate(("the first result", "its end is told")):
        print(f"Dask cluster of 2 workers on Kubernetes, from the word until {until}, {rounds} rounds by turns")
        bare = statistics.median(one[what] for one in took["bare"])
        for kind, name in names.items():
            seconds = [one[what] for one in took[kind]]
            _tell(name, seconds, f"{statistics.median(seconds) - bare:+.2f} s" if kind != "bare" else "")
    for kind in KINDS:
        print(f"  {names[kind]}: {statistics.median(calls[kind]):.0f} calls of Kubernetes' API")


def _tell(name: str, seconds: list[float], more: str) -> None:
    middle = statistics.median(seconds)
    print(f"  {name:<34}{middle:6.2f} s ({min(seconds):.2f} to {max(seconds):.2f})  {more}")


def _server(folder: Path, name: str, kind: str) -> Server:
    """Return a running platform that shares its storage with pods as a folder of the node."""
    data = folder / name
    data.mkdir()
    template = {
        "spec": {
            "volumes": [{"name": "store", "hostPath": {"path": str(data)}}],
            "containers": [{"name": "default", "volumeMounts": [{"name": "store", "mountPath": str(data)}]}],
        }
    }
    os.environ |= {
        "DAYFLY_KUBERNETES__POD_TEMPLATE": json.dumps(template),
        "DAYFLY_KUBERNETES__PLATFORM": f"bench-{name}",
        "DAYFLY_KUBERNETES__DASK": kind,
        "DAYFLY_KUBERNETES__REQUEST_SHARE": "0.01",
        "DAYFLY_TASKS__DEFAULT_CPU": "50m",
        "DAYFLY_TASKS__DEFAULT_MEMORY": "128Mi",
    }
    server = Server(data, "--backend", "kubernetes").start()
    words = ["register", "--image", IMAGE, "--version", launching.VERSION, PROGRAM.name]
    done = server.pyflyte(*words, cwd=PROGRAM.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    return server


def _run(server: Server) -> Took:
    began = time.time()
    execution = launching.launch_task(server, "first_result.first", text="")
    ended, outputs = launching.wait(server, execution, PATIENCE_SECONDS)
    assert ended.error is None, ended.error
    return Took(float(outputs["o0"]) - began, time.time() - began)


def _bare(number: int) -> Took:
    """Apply a bare DaskJob; return how long it took. It is gone again afterwards."""
    name = f"bare-{number}"
    job = json.dumps(_job(name))
    began = time.time()
    _kubectl("apply", "--filename", "-", given=job)
    found: list[float] = []

    def told() -> bool:
        log = _kubectl("logs", f"{name}-runner", check=False)
        found.extend(float(one) for one in re.findall(r"^first ([0-9.]+)$", log, re.MULTILINE))
        return bool(found)

    def succeeded() -> bool:
        return "Successful" in _kubectl("get", "daskjob", name, "--output", "jsonpath={.status.jobStatus}")

    _wait(told, "the first result")
    _wait(succeeded, "its success")
    ended = time.time() - began
    _kubectl("delete", "daskjob", name)
    _until_gone()
    return Took(found[0] - began, ended)


def _job(name: str) -> dict[str, Any]:
    def container(words: list[str], **more: Any) -> dict[str, Any]:
        return {"name": words[1], "image": IMAGE, "imagePullPolicy": "IfNotPresent", "args": words, **more}

    ports = [{"name": "tcp-comm", "containerPort": 8786}, {"name": "http-dashboard", "containerPort": 8787}]
    selector = {"dask.org/cluster-name": name, "dask.org/component": "scheduler"}
    service_ports = [{"name": one["name"], "port": one["containerPort"], "targetPort": one["name"]} for one in ports]
    scheduler = container(["dask", "scheduler"], ports=ports)
    worker = container(["dask", "worker", "--name", "$(DASK_WORKER_NAME)"])
    runner = {"name": "runner", "image": IMAGE, "imagePullPolicy": "IfNotPresent", "args": ["python", "-c", BARE]}
    cluster = {
        "worker": {"replicas": 2, "spec": {"containers": [worker]}},
        "scheduler": {
            "spec": {"containers": [scheduler]},
            "service": {"type": "ClusterIP", "selector": selector, "ports": service_ports},
        },
    }
    job = {"spec": {"containers": [runner], "restartPolicy": "Never"}}
    return {
        "apiVersion": "kubernetes.dask.org/v1",
        "kind": "DaskJob",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"job": job, "cluster": {"spec": cluster}},
    }


def _crowd(folder: Path, count: int) -> None:
    server = _server(folder, "crowd", "pods")
    try:
        began = time.time()
        running = [launching.launch_task(server, "first_result.first", text="") for _ in range(count)]
        ended = [launching.wait(server, one, PATIENCE_SECONDS) for one in running]
        failed = [one.error for one, _ in ended if one.error is not None]
        firsts = sorted(float(outputs["o0"]) - began for _, outputs in ended if outputs)
        _until_gone()
        gone = time.time() - began
        calls = _calls(server) / count
    finally:
        server.stop()
    print(f"{count} Dask tasks at once, {4 * count} plain pods: {len(firsts)} succeeded, {len(failed)} failed")
    print(f"  first results after {firsts[0]:.1f} s to {firsts[-1]:.1f} s, nothing left after {gone:.1f} s", end="")
    print(f"; {calls:.0f} calls of Kubernetes' API each")


def _calls(server: Server) -> float:
    with urllib.request.urlopen(f"http://{server.address}/metrics", timeout=30) as answer:
        told = answer.read().decode()
    return sum(float(one) for one in re.findall(r"^dayfly_kubernetes_calls_total\{.*\} (\S+)$", told, re.MULTILINE))


def _until_gone() -> None:
    _wait(lambda: not _kubectl("get", "pods,services", "--namespace", NAMESPACE, "--output", "name"), "nothing left")


def _wait(condition: Callable[[], object], what: str) -> None:
    launching.wait_until(condition, what, PATIENCE_SECONDS)


def _kubectl(*words: str, given: str = "", check: bool = True) -> str:
    if "namespace" not in words and "--namespace" not in words:
        words = (*words, "--namespace", NAMESPACE)
    done = subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0 or not check, done.stderr
    return done.stdout


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
