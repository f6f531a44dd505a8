"""What a user guide shows of launch plans: inputs, schedules, notices, limits; and workflows of what is registered."""

from datetime import datetime, timedelta

from flytekit import (
    Annotations,
    CronSchedule,
    Email,
    FixedRate,
    Labels,
    LaunchPlan,
    PagerDuty,
    Slack,
    WorkflowExecutionPhase,
    reference_launch_plan,
    reference_task,
    task,
    workflow,
)
from flytekit.models.common import AuthRole, RawOutputDataConfig
from flytekit.models.concurrency import ConcurrencyLimitBehavior, ConcurrencyPolicy


@task
def tell(name: str, count: int, at: datetime) -> str:
    return " ".join([name] * count) + f" {at:%Y}"


@workflow
def greeting(name: str, count: int = 1, at: datetime = datetime(2026, 1, 1)) -> str:
    return tell(name=name, count=count, at=at)


@task
def double(x: int) -> int:
    return 2 * x


@workflow
def doubling(x: int = 2) -> int:
    return double(x=x)


bound = LaunchPlan.get_or_create(
    greeting, "guide_plans.bound", default_inputs={"name": "Ann", "count": 2}, fixed_inputs={"at": datetime(2020, 5, 1)}
)
nightly = LaunchPlan.get_or_create(
    greeting,
    "guide_plans.nightly",
    fixed_inputs={"name": "night"},
    schedule=CronSchedule(schedule="30 2 * * *", kickoff_time_input_arg="at"),
)
often = LaunchPlan.get_or_create(doubling, "guide_plans.often", schedule=FixedRate(timedelta(days=2)))
noticed = LaunchPlan.get_or_create(
    doubling,
    "guide_plans.noticed",
    notifications=[
        Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@example.org"]),
        Slack(phases=[WorkflowExecutionPhase.SUCCEEDED], recipients_email=["b@example.org"]),
        PagerDuty(phases=[WorkflowExecutionPhase.TIMED_OUT], recipients_email=["c@example.org"]),
    ],
)
limited = LaunchPlan.get_or_create(
    doubling,
    "guide_plans.limited",
    default_inputs={"x": 21},
    labels=Labels({"team": "data"}),
    annotations=Annotations({"example.org/why": "because"}),
    max_parallelism=3,
    overwrite_cache=True,
    raw_output_data_config=RawOutputDataConfig("s3://somewhere/else"),
    auth_role=AuthRole(kubernetes_service_account="runner"),
    concurrency=ConcurrencyPolicy(max_concurrency=1, behavior=ConcurrencyLimitBehavior.SKIP),
)


@workflow
def by_plan(x: int) -> tuple[str, int]:
    return bound(name="by plan"), often(x=x)


@reference_task(project="flytesnacks", domain="development", name="guide_tasks.square", version="v1")
def square(x: int, noise: str) -> int: ...


@reference_launch_plan(project="flytesnacks", domain="development", name="guide_flow.inner_plan", version="v1")
def inner_plan(x: int, y: int) -> int: ...


@workflow
def by_reference(x: int) -> tuple[int, int]:
    return square(x=x, noise=""), inner_plan(x=x, y=1)
