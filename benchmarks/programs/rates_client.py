"""What `benchmarks.rates` runs as another process: flytekit's own client, on several threads.

    python rates_client.py ADDRESS register VERSIONS | launch EXECUTIONS

Requests are made beforehand, so that what is measured is calls. Prints, as JSON: when they began, the seconds that all
took, those that this process had of the processor, and the milliseconds of each.
"""

from __future__ import annotations

import concurrent.futures
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from flyteidl.admin import execution_pb2, launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2
from flytekit import task, workflow
from flytekit.clients.raw import RawSynchronousFlyteClient
from flytekit.configuration import ImageConfig, PlatformConfig, SerializationSettings
from flytekit.core.base_task import PythonTask
from flytekit.core.interface import Interface
from flytekit.core.launch_plan import LaunchPlan
from flytekit.tools.translator import get_serializable

THREADS = 8
HERE = {"project": "flytesnacks", "domain": "development"}


@task(retries=2)
def fit(rows: int, name: str = "model") -> int:
    """Train on so many rows."""
    return rows


@task
def score(model: int, factor: float = 1.0) -> float:
    """Say how good it is."""
    return model * factor


@workflow
def train(rows: int = 10) -> float:
    """Train and score."""
    return score(model=fit(rows=rows), factor=0.5)


echo: Any = PythonTask("echo", "rates.echo", interface=Interface({"x": int}, {"y": int}))


@workflow
def echoed(x: int = 1) -> int:
    return echo(x=x)


Call = Callable[[RawSynchronousFlyteClient], object]


def registering(flow: Any, version: str) -> list[Call]:
    """Return the calls that register a workflow, its tasks and its launch plan, in their order."""
    settings = SerializationSettings(image_config=ImageConfig.auto_default_image(), version=version, **HERE)
    made: dict[Any, Any] = {}
    get_serializable(made, settings, LaunchPlan.get_or_create(flow))
    calls: list[Call] = []
    for entity in made.values():
        message = entity.to_flyte_idl()
        if isinstance(message, task_pb2.TaskSpec):
            task_request = task_pb2.TaskCreateRequest(id=message.template.id, spec=message)
            calls.append(lambda client, request=task_request: client.create_task(request))
        elif isinstance(message, workflow_pb2.WorkflowSpec):
            flow_request = workflow_pb2.WorkflowCreateRequest(id=message.template.id, spec=message)
            calls.append(lambda client, request=flow_request: client.create_workflow(request))
        elif isinstance(message, launch_plan_pb2.LaunchPlan):  # else a node, which is part of the workflow
            plan_request = launch_plan_pb2.LaunchPlanCreateRequest(id=message.id, spec=message.spec)
            calls.append(lambda client, request=plan_request: client.create_launch_plan(request))
    return calls


def launching(version: str, number: int) -> list[Call]:
    """Return the call that launches a version of `echoed`."""
    plan = identifier_pb2.Identifier(
        resource_type=identifier_pb2.LAUNCH_PLAN, name=echoed.name, version=version, **HERE
    )
    spec = execution_pb2.ExecutionSpec(launch_plan=plan)
    request = execution_pb2.ExecutionCreateRequest(name=f"rate{version}-{number}", spec=spec, **HERE)
    request.inputs.literals["x"].scalar.primitive.integer = number
    return [lambda client: client.create_execution(request)]


def run(client: RawSynchronousFlyteClient, groups: list[list[Call]]) -> dict[str, Any]:
    """Make all calls, those of one group one after the other; what came before is not counted."""

    def make(group: list[Call]) -> list[float]:
        took = []
        for call in group:
            began = time.perf_counter()
            call(client)
            took.append(1000 * (time.perf_counter() - began))
        return took

    with concurrent.futures.ThreadPoolExecutor(THREADS) as threads:
        at, used, began = time.time(), time.process_time(), time.perf_counter()
        took = [one for group in threads.map(make, groups) for one in group]
        seconds, processor = time.perf_counter() - began, time.process_time() - used
        return {"began": at, "seconds": seconds, "processor": processor, "milliseconds": took}


def main(address: str, what: str, count: int) -> None:
    client = RawSynchronousFlyteClient(PlatformConfig(endpoint=address, insecure=True))
    if what == "register":
        groups = [registering(train, f"{count}.{number}") for number in range(count)]
    else:
        version = str(count)
        for call in registering(echoed, version):
            call(client)
        groups = [launching(version, number) for number in range(count)]
    print(json.dumps(run(client, groups)))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
