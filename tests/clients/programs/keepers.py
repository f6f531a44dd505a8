"""Tasks that ask for secrets, each in another way."""

import os
from pathlib import Path

from distributed import Client
from flytekit import Secret, current_context, task, workflow
from flytekitplugins.dask import Dask, WorkerGroup

FILE = Secret(group="db", key="password")
VARIABLE = Secret(group="api", key="token", mount_requirement=Secret.MountType.ENV_VAR, env_var="API_TOKEN")


@task(secret_requests=[FILE, VARIABLE])
def read() -> str:
    found = current_context().secrets
    return f"{found.get('db', 'password')} {found.get('api', 'token')} {os.environ['API_TOKEN']}"


@workflow
def reads() -> str:
    return read()


def on_worker() -> str:
    return os.environ["_FSEC_API_TOKEN"] + Path(os.environ["FLYTE_SECRETS_DEFAULT_DIR"], "db", "password").read_text()


@task(secret_requests=[FILE, VARIABLE], task_config=Dask(workers=WorkerGroup(number_of_workers=1)))
def read_on_cluster() -> str:
    with Client() as client:
        return client.submit(on_worker).result()


@workflow
def reads_on_cluster() -> str:
    return read_on_cluster()


@task(secret_requests=[Secret(group="no", key="where")])
def miss() -> int:
    return 0


@workflow
def misses() -> int:
    return miss()
