"""Launch plans that tell of their ends, and one that runs one execution at a time."""

import os
import time

from flytekit import (
    ConcurrencyLimitBehavior,
    ConcurrencyPolicy,
    Email,
    LaunchPlan,
    Slack,
    WorkflowExecutionPhase,
    task,
    workflow,
)

ENDS = [WorkflowExecutionPhase.SUCCEEDED, WorkflowExecutionPhase.FAILED]


@task
def work(wait_for: str) -> int:
    if wait_for == "fail":
        raise ValueError("it could not be done")
    while wait_for and not os.path.exists(wait_for):
        time.sleep(0.05)
    return 1


@workflow
def flow(wait_for: str = "") -> int:
    return work(wait_for=wait_for)


told = LaunchPlan.get_or_create(
    flow,
    name="told",
    notifications=[
        Email(phases=ENDS, recipients_email=["ann@example.org"]),
        Slack(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["team@example.org"]),
    ],
)
single = LaunchPlan.get_or_create(
    flow, name="single", concurrency=ConcurrencyPolicy(max_concurrency=1, behavior=ConcurrencyLimitBehavior.SKIP)
)
