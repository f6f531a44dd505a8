"""Tasks and workflows that the API tests register."""

from flytekit import LaunchPlan, task, workflow


@task(retries=1)
def increment(number: int) -> int:
    return number + 1


@task
def label(number: int, text: str = "is") -> str:
    return f"{text} {number}"


@workflow
def chain(number: int, text: str = "is") -> str:
    return label(number=increment(number=number), text=text)


fixed = LaunchPlan.get_or_create(chain, name="chain_fixed", default_inputs={"number": 7}, fixed_inputs={"text": "was"})
