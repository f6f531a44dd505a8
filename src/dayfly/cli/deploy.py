"""`dayfly deploy kubernetes`: print the objects that are Dayfly in a cluster, for `kubectl apply`."""

from __future__ import annotations

import importlib.resources

import click
import yaml

from dayfly import operator
from dayfly.base import errors
from dayfly.cli import deployment


@click.group("deploy")
def command() -> None:
    """Print what a Kubernetes cluster needs to run the platform for a team."""


@command.command("kubernetes")
@click.option("--storage", default="", help="Object store that platform and tasks reach: s3://bucket.")
@click.option("--namespace", "-n", default="dayfly", show_default=True, help="Where the platform runs.")
@click.option("--name", default="dayfly", show_default=True, help="Of its objects; several can share a cluster.")
@click.option("--image", default="", help="Image with Dayfly in it, as deploy/Containerfile makes it.")
@click.option(
    "--crd", is_flag=True, help="Print the kind FlyteWorkflow instead, which all platforms of a cluster share."
)
@click.option("--namespaced", is_flag=True, help="Tasks run in the same namespace; no right beside it is asked for.")
@click.option("--public-url", default=deployment.Deployment.public_url, show_default=True, help="How clients reach it.")
@click.option("--shared-claim", default="", help="Volume claim for inputs and outputs, in the place of --storage.")
@click.option("--volume-size", default="10Gi", show_default=True, help="Of the claim for database, logs and records.")
@click.option("--volume-claim", default="", help="A claim for them that is there already.")
@click.option("--secret", "secrets", multiple=True, help="Secret whose entries become the platform's environment.")
@click.option("--env", "environment", multiple=True, metavar="NAME=VALUE", help="Variable of the platform.")
@click.option("--task-env", "task_environment", multiple=True, metavar="NAME=VALUE", help="Variable of every task.")
def kubernetes(
    storage: str,
    namespace: str,
    name: str,
    image: str,
    crd: bool,
    namespaced: bool,
    public_url: str,
    shared_claim: str,
    volume_size: str,
    volume_claim: str,
    secrets: tuple[str, ...],
    environment: tuple[str, ...],
    task_environment: tuple[str, ...],
) -> None:
    """Print the platform's manifests: account, rights, volume, deployment and service.

    dayfly deploy kubernetes --image registry/dayfly:1 --storage s3://bucket | kubectl apply -f -
    """
    if crd:
        click.echo(importlib.resources.files(operator).joinpath(operator.CRD).read_text(), nl=False)
        return
    if not image:
        raise click.UsageError("Missing option '--image'.")
    made = deployment.build(
        deployment.Deployment(
            storage=storage,
            namespace=namespace,
            name=name,
            image=image,
            namespaced=namespaced,
            public_url=public_url,
            shared_claim=shared_claim,
            volume_size=volume_size,
            volume_claim=volume_claim,
            secrets=secrets,
            environment=_variables(environment),
            task_environment=_variables(task_environment),
        )
    )
    click.echo(yaml.safe_dump_all(made, sort_keys=False), nl=False)


def _variables(told: tuple[str, ...]) -> dict[str, str]:
    for one in told:
        if not one.partition("=")[0] or "=" not in one:
            raise errors.InvalidArgument(f"{one} is no variable.", remedy="Write NAME=VALUE.")
    return {name: value for name, _, value in (one.partition("=") for one in told)}
