"""What a worker's pod does before it ends because somebody else wants it to: it hands over what it holds.

A drained or preempted node asks its pods to end and gives them a grace time. Dask's own answer to that signal gives up
all that a worker has computed, which others then compute again. So Kubernetes first runs this in the worker's
container, while the grace time runs: the scheduler is asked over HTTP to retire the workers of this address, and
answers when their results lie elsewhere. Where there is no such scheduler any more, nothing is waited for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dayfly.ports.pod_groups import Manifest

PROGRAM = """
import json, socket, sys, urllib.parse, urllib.request
scheduler, seconds = sys.argv[1], float(sys.argv[2])
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
def ask(path, **told):
    body = json.dumps(told).encode() if told else None
    with opener.open(urllib.request.Request(f"{scheduler}/api/v1/{path}", body), timeout=seconds) as answer:
        return json.load(answer)
try:
    there = urllib.parse.urlsplit(scheduler)
    with socket.create_connection((there.hostname, there.port), timeout=seconds) as reached:
        here = reached.getsockname()[0]  # the address by which a worker of this pod is known
    known = [one["address"] for one in ask("get_workers")["workers"]]
    mine = [address for address in known if urllib.parse.urlsplit(address).hostname == here]
    if mine:
        ask("retire_workers", workers=mine)
except (OSError, ValueError, KeyError, TypeError) as error:
    print("nothing is handed over:", error)
"""

LONGEST_SECONDS = 25
"""For what is asked: Kubernetes' usual grace time is 30 s, and the worker itself needs some of it."""


PRIMARY = "primary_container_name"
"""Annotation that names a pod's own container, as Flyte has it."""


def before_the_end(pod: Manifest, scheduler: str) -> None:
    """Have a worker's pod hand over what it holds to the others, by a scheduler at `http://host:port`, before it is
    asked to end. What the user's own template says of that moment stays."""
    name = pod["metadata"]["annotations"][PRIMARY]
    container = next(one for one in pod["spec"]["containers"] if one["name"] == name)
    words = ["python", "-c", PROGRAM, scheduler, str(LONGEST_SECONDS)]
    container.setdefault("lifecycle", {}).setdefault("preStop", {"exec": {"command": words}})
