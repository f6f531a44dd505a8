"""What people do in a notebook: define, run on the platform, look at the result, define anew.

Run as a script with the client's configuration: like a notebook's, its functions belong to no module that could be
imported elsewhere, so that they travel pickled.
"""

import json
import sys
from datetime import timedelta

from flytekit import map_task, task, workflow
from flytekit.configuration import Config
from flytekit.remote import FlyteRemote

FACTOR = 3
OFTEN = timedelta(milliseconds=200)


@task
def scale(x: int) -> int:
    return FACTOR * x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def scaled(xs: list[int]) -> int:
    return total(xs=map_task(scale)(x=xs))


def main() -> None:
    config = Config.auto(config_file=sys.argv[1])
    remote = FlyteRemote(config, "flytesnacks", "development", interactive_mode_enabled=True)
    told = {}
    for name, entity, inputs in (("task", scale, {"x": 2}), ("workflow", scaled, {"xs": [1, 2]})):
        ended = remote.wait(remote.execute(entity, inputs=inputs), poll_interval=OFTEN)
        told[name] = ended.outputs["o0"]
    print(json.dumps(told))


if __name__ == "__main__":
    main()
