"""What somebody with an older flytekit does with FlyteRemote, told as JSON; run by `test_old_client`."""

import json
import sys
from datetime import timedelta

import flytekit
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote

PATIENCE, OFTEN = timedelta(minutes=2), timedelta(milliseconds=200)


def main(config: str, version: str) -> dict:
    remote = FlyteRemote(Config.auto(config_file=config), default_project="flytesnacks", default_domain="development")
    workflow = remote.fetch_workflow(name="older.chain", version=version)
    plan = remote.fetch_launch_plan(name="older.doubled", version=version)
    task = remote.fetch_task(name="older.double", version=version)
    mapping = remote.fetch_workflow(name="older.mapping", version=version)

    def run(entity, **inputs):
        return remote.wait(remote.execute(entity, inputs=inputs), timeout=PATIENCE, poll_interval=OFTEN)

    ended = run(workflow, x=4, words=["a", "b"])
    synced = remote.sync(remote.fetch_execution(name=ended.id.name), sync_nodes=True)
    of_plan = run(plan)
    of_task = run(task, x=21)
    of_map = run(mapping, xs=[1, 2])
    failed = run(remote.fetch_workflow(name="older.failing", version=version))
    return {
        "flytekit": flytekit.__version__,
        "interface": sorted(workflow.interface.inputs),
        "nodes": [node.id for node in workflow.flyte_nodes],
        "is mapped": mapping.flyte_nodes[0].array_node is not None,
        "ran": {name: node.closure.phase for name, node in synced.node_executions.items()},
        "double gave": synced.node_executions["n0"].outputs.get("o0", as_type=int),
        "outputs": [synced.outputs.get("o0", as_type=str), synced.outputs.get("o1", as_type=int)],
        "logs": synced.node_executions["n1"].task_executions[0].closure.logs != [],
        "mapped": of_map.outputs.get("o0", as_type=list[int]),
        "plan": of_plan.outputs.get("o1", as_type=int),
        "task": of_task.outputs.get("o0", as_type=int),
        "error": failed.error.message,
        "recent": ended.id.name in [one.id.name for one in remote.recent_executions(limit=10)],
    }


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
